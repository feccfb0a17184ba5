"""The versions before this one, as far as the database is concerned.

Before schema 0003 each invoice has its number's and its buyer's terms itself; before 0004 nothing is known of the
columns that that and later ones added; before 0007 a ledger has a sentence for what keeps its work waiting. It is this Paylink's code on models without them: whatever asks for one finds what is there
where nobody has written any, and what is written to one goes nowhere.
"""

import importlib
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from operator import attrgetter
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, column_property

LATER: dict[str, dict[str, Any]] = {
    "invoices": {"billing_state": "open", "changed_at": None, "identity": None},
    "links": {"badges": "", "active": True, "rechecked_at": None, "refusal_code": None},
    "outbox": {"follows_id": None, "broadcast": False, "says": None, "batch": None, "import_id": None}
    | {"stands_aside": False, "import_id": None, "told_by_id": None, "told_in_attempt": None},
    "payment_exceptions": {"facts": "{}"}
    | dict.fromkeys(("organisation_id", "invoice_id", "invoice_number", "payment_id", "reversal_id"))
    | dict.fromkeys(("batch", "due_by", "resolved_at", "resolved_by", "resolution")),
    "ledgers": dict.fromkeys(("key_digest", "polled_until", "pause_reason", "pause_permission")),
    "organisations": {"ledger_id": 1, "tried_at": None},
    "audit": dict.fromkeys(("source", "result", "invoice_id", "invoice_number", "before", "after"))
    | dict.fromkeys(("position", "hash")),
    "stripe_events": dict.fromkeys(("waits_for", "status", "delivered")),
}
"""By table, what came with schema 0004 and later, and its value where nothing was written."""

_mapped: Callable[..., None] = DeclarativeBase.__init_subclass__.__func__  # type: ignore[attr-defined]


def load_beside(*names: str) -> list[ModuleType]:
    """These modules of the version before, with a ``domain`` of their own beside the one of today."""
    today = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_ours(name)}
    try:
        with_earlier_models()
        be_the_version_before()
        return [importlib.import_module(name) for name in names]
    finally:
        DeclarativeBase.__init_subclass__ = classmethod(_mapped)  # type: ignore[assignment]
        for name in [name for name in sys.modules if _is_ours(name)]:
            del sys.modules[name]
        sys.modules.update(today)
        for name, module in today.items():
            package, _, own = name.rpartition(".")
            if package:
                setattr(sys.modules[package], own, module)


def _is_ours(name: str) -> bool:
    return name.split(".")[0] == "domain" or name.split(".")[:2] == ["tests", "domain"]


def with_earlier_models() -> None:
    """From now on models are made without the columns that came later. Before ``domain`` is imported."""

    def mapped(cls: type[DeclarativeBase], /, **arguments: Any) -> None:
        for name, value in LATER.get(getattr(cls, "__tablename__", ""), {}).items():
            # An expression is no column: no statement reads or writes it.
            kind = getattr(cls, name).column.type
            if isinstance(kind, sa.types.NullType):
                kind = sa.BigInteger()  # a foreign key's, which isn't resolved yet
            said = sa.cast(sa.null(), kind) if value is None else sa.literal(value)
            setattr(cls, name, column_property(said))
            del cls.__annotations__[name]
            # Indexes and checks are the database's business.
            cls.__table_args__ = ()
        _mapped(cls, **arguments)
        for name in LATER.get(getattr(cls, "__tablename__", ""), {}):
            # Statements over tables find them too, and no INSERT or SELECT of all columns does.
            known = getattr(cls, name).expression
            cls.__table__.c._index[name] = (name, known)

    DeclarativeBase.__init_subclass__ = classmethod(mapped)  # type: ignore[assignment]


def be_the_version_before(patch: Any = None) -> None:
    """Search, keep what is searched for, and say why work waits, as before schemas 0003 and 0007. Until ``patch`` is undone, or for good."""
    from domain import audit
    from domain.coordination import abandoned_claims
    from domain.feed import recording as feed
    from domain.files import import_matching, import_writing, importing
    from domain.files.import_fields import ImportedInvoice
    from domain.invoices import list_page, locking, search_terms
    from domain.invoices.number_search import Numbers
    from domain.invoices.numbers import folding, twins
    from domain.links import claiming, intents
    from domain.messages import together
    from domain.models import Base, FileImport, Installation, Invoice, Ledger, SearchTerm
    from domain.organisations import settings
    from domain.payments import events
    from domain.states import LinkStatus, PauseReason
    from domain.stripe import account, pausing
    from domain.stripe.ledgers.current import CURRENT
    from domain.summaries import Pause
    from tests.domain import factories

    class FoundBefore(list_page._Found):
        """Without the table of buyers' terms."""

        @cached_property
        def buyers(self) -> set[str] | None:
            return set()

    class NoNumbers(Numbers):
        """Numbers weren't looked for: they had terms."""

        def _written(self, search: str) -> set[str]:
            return set()

    def insert_terms(
        session: sa.orm.Session, organisation_id: int, rows: Iterable[tuple[int, str, str]]
    ) -> None:
        terms = [
            (organisation_id, term, invoice_id)
            for invoice_id, number_key, buyer_name in rows
            for term in factories.terms_of(number_key, buyer_name)
        ]
        import_writing.insert_many(session, "search_terms", ("organisation_id", "term", "invoice_id"), terms)

    def add_terms(session: sa.orm.Session, invoice: Invoice) -> None:
        for term in factories.terms_of(invoice.number_key, invoice.buyer_name):
            session.add(SearchTerm(organisation_id=invoice.organisation_id, term=term, invoice_id=invoice.id))

    entries = Base.metadata.tables["audit"]

    def record(session: sa.orm.Session, deed: str, subject: str = "", *, by: Any, **said: Any) -> None:
        known = {"at": said["now"], "organisation_id": said["organisation_id"]}
        who = by if isinstance(by, str) else by.user_id
        session.execute(sa.insert(entries), known | {"actor": who, "action": str(deed), "subject": subject})

    def record_all(session: sa.orm.Session, deed: str, invoices: Any, **said: Any) -> None:
        for invoice, _ in invoices:
            record(session, deed, f"invoice {invoice.id}", **said)

    def pause(session: sa.orm.Session, ledger_id: int, why: Pause) -> None:
        named = f"the permission {why.permission}" if why.permission else "a permission"
        sentences = {
            PauseReason.STRIPE_AWAY: "Stripe can't be reached right now",
            PauseReason.KEY_REFUSED: "Stripe refuses the API key",
            PauseReason.PERMISSION_LACKING: f"The Stripe key lacks {named}",
        }
        say(session, ledger_id, sentences[why.reason])

    def resume(session: sa.orm.Session, ledger_id: int, of: PauseReason | None = None) -> None:
        say(session, ledger_id, None)

    def say(session: sa.orm.Session, ledger_id: int, sentence: str | None) -> None:
        session.execute(sa.update(Ledger).where(Ledger.id == ledger_id).values(paused_because=sentence))

    put = setattr if patch is None else patch.setattr
    for module in (pausing, account):
        put(module, "pause", pause)
        put(module, "resume", resume)
    later = LATER["invoices"]
    compared = tuple(name for name in import_matching.COMPARED if name not in later)
    names = import_writing._WRITTEN
    write = import_writing._written

    def find_known(
        session: sa.orm.Session, organisation_id: int, rows: list[ImportedInvoice], *, lock: bool
    ) -> Any:
        """By their keys alone."""
        table = import_matching._invoices
        columns = [*(table.c[name] for name in ("id", "number", "number_key", *compared))]
        which = import_matching._are(session, organisation_id, "number_key", [row.number_key for row in rows])
        said = (sa.null().label("identity"), sa.literal("open").label("billing_state"))
        chosen = sa.select(*columns, *said).where(which).order_by(table.c.id)
        return {row.number_key: row for row in session.execute(chosen.with_for_update(of=table))}, []

    def values_written(*row: Any) -> tuple[Any, ...]:
        values = zip(names, write(*row), strict=False)
        return tuple(value for name, value in values if name not in ("identity", "changed_at"))

    insert_many = import_writing.insert_many

    def insert_before(
        session: sa.orm.Session, table: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        if table == "invoices":
            # Without the identity and the time of the change, which stand between.
            rows = [(*row[:4], *row[5:7], *row[8:]) for row in rows]
        insert_many(session, table, columns, rows)

    put(import_writing, "find_known", find_known)
    put(import_writing, "fold_some", lambda session, organisation_id: 0)
    put(importing, "fold_organisation", lambda db, organisation_id: None)
    put(import_writing, "_WRITTEN", tuple(name for name in names if name not in later))
    put(import_writing, "_written", values_written)
    # Nobody brought files in, and nobody installed anything.
    claimed = tuple(
        each for each in abandoned_claims._CLAIMED if each[0].class_ not in (FileImport, Installation)
    )
    put(abandoned_claims, "_CLAIMED", claimed)
    # Each payment is told by itself.
    put(together, "MORE_THAN", together.AT_MOST)
    for name in ("begin", "take_back", "release"):
        put(together, name, lambda *_: None)
    for name in ("post", "doubt"):
        put(together, name, lambda *_: [])
    # Nobody looked for twins. Statements that ask for them are written when their module is imported, after this.
    put(twins, "has_twins", sa.false)
    put(folding, "fold_all", lambda db: None)
    put(folding, "fold_some", lambda *_: 0)
    put(folding, "fold_organisation", lambda db, organisation_id: None)
    row_of = events._row
    put(
        events,
        "_row",
        lambda *about: {
            name: one for name, one in row_of(*about).items() if name not in ("status", "delivered")
        },
    )
    put(feed, "record", lambda *_, **__: None)
    put(audit, "record", record)
    put(audit, "record_all", record_all)
    put(locking, "mark_changed", lambda *_: None)
    # Nobody had set anything.
    put(settings, "get", lambda *_: settings.Settings())
    put(intents, "_PLACE", intents._place({}))
    where_it_is = sa.update(claiming._INVOICES).where(
        claiming._INVOICES.c.id == sa.bindparam("invoice"), CURRENT.exists()
    )
    placed_at = where_it_is.values(status=LinkStatus.PENDING_PAYMENT, position=sa.bindparam("place"))
    put(claiming, "_PLACE", placed_at.returning(claiming._INVOICES.c.id))
    put(import_writing, "insert_many", insert_before)
    put(import_writing, "_compared", attrgetter(*compared))
    put(search_terms, "is_short", lambda buyer_name: False)
    put(import_writing, "_insert_terms", insert_terms)
    put(factories, "add_terms", add_terms)
    put(list_page, "_Found", FoundBefore)
    put(list_page, "Numbers", NoNumbers)
