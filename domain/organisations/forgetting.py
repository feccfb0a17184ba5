"""Erasing everything of an organisation: every row of every table, in portions, and the organisation itself at last.

What stays is at Stripe, where links can still be paid, and one entry of the audit, which belongs to no organisation.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from domain.audit import erasing as audit_erasing
from domain.database import Database, database_now
from domain.models import Base, Ledger, Organisation
from domain.organisations import organisations
from domain.summaries import OPERATOR

PORTION = 1_000
ATTEMPTS = 5
_TABLES = Base.metadata.tables
Ids = Sequence[int]
Condition = sa.ColumnElement[bool]


@dataclass(frozen=True)
class _Part:
    """Rows of one table. ``which`` is told the organisation, and the ledgers that nobody else uses."""

    kind: str
    table: str
    which: Callable[[sa.Table, int, Ids], Condition]


def _own(table: sa.Table, organisation_id: int, _ledgers: Ids) -> Condition:
    return table.c.organisation_id == organisation_id


def _through(column: str, parent: str) -> Callable[[sa.Table, int, Ids], Condition]:
    """Those that belong to an own row of another table."""

    def which(table: sa.Table, organisation_id: int, _ledgers: Ids) -> Condition:
        other = _TABLES[parent]
        own = sa.select(other.c.id).where(other.c.organisation_id == organisation_id)
        return table.c[column].in_(own)

    return which


def _of_payments(table: sa.Table, organisation_id: int, ledgers: Ids) -> Condition:
    links, payments = _TABLES["links"], _TABLES["payments"]
    own = sa.select(payments.c.id).join(links).where(links.c.organisation_id == organisation_id)
    return sa.or_(table.c.payment_id.in_(own), table.c.ledger_id.in_(ledgers))


def _told(table: sa.Table, organisation_id: int, ledgers: Ids) -> Condition:
    return sa.or_(_own(table, organisation_id, ledgers), table.c.ledger_id.in_(ledgers))


def _paid(table: sa.Table, organisation_id: int, ledgers: Ids) -> Condition:
    return sa.or_(
        _through("link_id", "links")(table, organisation_id, ledgers), table.c.ledger_id.in_(ledgers)
    )


def _of_ledger(table: sa.Table, _organisation_id: int, ledgers: Ids) -> Condition:
    return table.c.ledger_id.in_(ledgers)


# What refers to other rows comes before those.
_PARTS = (
    _Part("messages", "outbox", _own),
    _Part("events for programs", "feed_events", _own),
    _Part("events for programs", "feed_heads", _own),
    _Part("open views", "open_views", _own),
    _Part("open views", "open_homes", _own),
    _Part("lists with ticks", "selection_items", _through("selection_id", "selections")),
    _Part("lists with ticks", "selections", _own),
    _Part("bulk runs", "bulk_run_items", _through("run_id", "bulk_runs")),
    _Part("bulk runs", "bulk_runs", _own),
    _Part("imports", "file_imports", _own),
    _Part("imports", "known_headings", _own),
    _Part("exceptions", "payment_exceptions", _told),
    _Part("refunds and disputes", "reversals", _of_payments),
    _Part("payments", "payments", _paid),
    _Part("links", "links", _own),
    _Part("words to search by", "search_terms", _own),
    _Part("words to search by", "buyer_terms", _own),
    _Part("invoices", "invoices", _own),
    _Part("sums", "invoice_sums", _own),
    _Part("sums", "received_sums", _own),
    _Part("sums", "sum_checks", _own),
    _Part("Stripe's events", "stripe_events", _of_ledger),
    _Part("Stripe's events", "unused_events", _of_ledger),
    _Part("tokens of programs", "api_tokens", _own),
    _Part("people's welcomes", "welcomes", _own),
    _Part("Slack's events", "heard_events", _own),
    _Part("settings", "organisation_settings", _own),
    _Part("installation", "installations", _own),
    _Part("Stripe key", "stripe_keys", _own),
)
ELSEWHERE = frozenset(
    {
        "organisations",
        "ledgers",
        "duties",
        "paces",
        "audit",
        "audit_heads",
        "audit_erasures",
        "secret_generations",
        "install_states",
    }
)
"""Tables that are seen to at the end, or have nothing of an organisation."""


def forget(db: Database, team_id: str) -> dict[str, int]:
    """Erase all of it; how many rows of each kind there were. What breaks off goes on with the next one.

    Raises OrganisationUnknown. Its keys are best erased a few seconds before (erasing.py), so that no process works for it any
    more: else rows may come up meanwhile, and it is gone over again.
    """
    organisation_id = db.run(organisations.get_by_team, team_id).id
    erased: Counter[str] = Counter()
    for attempt in range(1, ATTEMPTS + 1):
        ledgers = db.run(_list_ledgers, organisation_id)
        for kind, count in _erase_rows(db, organisation_id, ledgers):
            erased[kind] += count
        try:
            for kind, count in db.run(_end, organisation_id, team_id, ledgers).items():
                erased[kind] += count
        except IntegrityError:
            # Somebody has written something since.
            if attempt == ATTEMPTS:
                raise
        else:
            break
    return {kind: count for kind, count in erased.items() if count}


def _erase_rows(db: Database, organisation_id: int, ledgers: Ids) -> Iterator[tuple[str, int]]:
    db.run(_loosen, organisation_id)
    for part in _PARTS:
        while count := db.run(_erase_portion, part, organisation_id, ledgers):
            yield part.kind, count


def _loosen(session: Session, organisation_id: int) -> None:
    """Messages follow each other, are told by each other, and each of their channels has a pace."""
    outbox, paces = _TABLES["outbox"], _TABLES["paces"]
    own = outbox.c.organisation_id == organisation_id
    for column in (outbox.c.destination, outbox.c.attempted_channel):
        names = sa.select(sa.literal("slack:").concat(column)).where(own, column.is_not(None))
        session.execute(sa.delete(paces).where(paces.c.name.in_(names)))
    related = outbox.c.follows_id.is_not(None) | outbox.c.told_by_id.is_not(None)
    session.execute(sa.update(outbox).where(own, related).values(follows_id=None, told_by_id=None))


def _erase_portion(session: Session, part: _Part, organisation_id: int, ledgers: Ids) -> int:
    table = _TABLES[part.table]
    key = list(table.primary_key.columns)
    which = part.which(table, organisation_id, ledgers)
    rows = session.execute(sa.select(*key).where(which).limit(PORTION)).all()
    if not rows:
        return 0
    if len(key) == 1:
        chosen = key[0].in_([row[0] for row in rows])
    else:
        chosen = sa.tuple_(*key).in_([tuple(row) for row in rows])
    session.execute(sa.delete(table).where(chosen))
    return len(rows)


def _list_ledgers(session: Session, organisation_id: int) -> list[int]:
    """The ledgers in which no other organisation has anything: its own, and those that it left without a link."""
    theirs = [sa.select(Organisation.ledger_id).where(Organisation.id != organisation_id)]
    for name in ("links", "bulk_runs", "feed_events", "payment_exceptions"):
        table = _TABLES[name]
        theirs.append(sa.select(table.c.ledger_id).where(table.c.organisation_id != organisation_id))
    used = set().union(*(session.scalars(one.distinct()).all() for one in theirs))
    return [one for one in session.scalars(sa.select(Ledger.id)) if one not in used]


def _end(session: Session, organisation_id: int, team_id: str, ledgers: Ids) -> Counter[str]:
    """The organisation itself, its audit, and its Stripe account unless others share it, in one transaction."""
    ended: Counter[str] = Counter()
    duties, paces = _TABLES["duties"], _TABLES["paces"]
    for ledger_id in ledgers:
        names = [f"poll:{ledger_id}", f"sweep:{ledger_id}"]
        session.execute(sa.delete(duties).where(duties.c.name.in_(names)))
        session.execute(sa.delete(paces).where(paces.c.name == f"stripe:{ledger_id}"))
        session.execute(sa.delete(Ledger).where(Ledger.id == ledger_id))
        ended["Stripe accounts"] += 1
    turns = [f"import {organisation_id}", f"connect {organisation_id}"]
    session.execute(sa.delete(duties).where(duties.c.name.in_(turns)))
    channel = sa.select(Organisation.channel).where(Organisation.id == organisation_id).scalar_subquery()
    session.execute(sa.delete(paces).where(paces.c.name == sa.literal("slack:").concat(channel)))
    now = database_now(session)
    ended["audit"] = audit_erasing.erase(session, organisation_id, team_id, by=OPERATOR, now=now)
    session.execute(sa.delete(Organisation).where(Organisation.id == organisation_id))
    return ended
