"""Writing down who did or tried what, in the transaction of the deed."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.audit.deeds import Deed, Result
from domain.audit.reading import NOBODY
from domain.database import database_now
from domain.models import AuditEntry, Base
from domain.rows_given import given, over
from domain.states import Source
from domain.summaries import OPERATOR, PAYLINK, PROGRAM, SLACK, Actor

By = Actor | str
"""Whoever acts: a person or a program that came in by the desk; or an id, where only that is known: a person's, a program's by
PROGRAM, or who else it was by OPERATOR, STRIPE, PAYLINK, SLACK."""

SUBJECT_MOST = 500
"""Characters."""
# Written once, and without asking for the ids: many are written where every statement counts.
_ENTRIES = Base.metadata.tables[AuditEntry.__tablename__]
_INSERT = sa.insert(_ENTRIES).inline()
_OF_INVOICES = {"invoice_id": sa.BigInteger, "invoice_number": sa.Text, "after": sa.Text}
_common = {
    name: sa.bindparam(name, type_=_ENTRIES.c[name].type)
    for name in ("organisation_id", "actor", "action", "at", "source", "result", "subject")
}
_INSERT_ALL = over(
    _OF_INVOICES,
    lambda given: _INSERT.from_select(
        [*_OF_INVOICES, *_common], sa.select(*(given.c[name] for name in _OF_INVOICES), *_common.values())
    ),
)


class Invoiced(Protocol):
    """What an entry says of an invoice, and nothing else: no buyer's data."""

    @property
    def id(self) -> int: ...
    @property
    def number(self) -> str: ...


class OfInvoice(NamedTuple):
    """An invoice that isn't at hand itself."""

    id: int
    number: str


def record(
    session: Session,
    deed: Deed,
    subject: str = "",
    *,
    by: By,
    now: datetime,
    organisation_id: int | None,
    source: Source | None = None,
    invoice: Invoiced | None = None,
    result: Result = Result.DONE,
    before: str | None = None,
    after: str | None = None,
) -> None:
    """Add one entry.

    ``subject``: what else it was about, in ids and codes. ``source``: by which way, if ``by`` doesn't say it. ``before``
    and ``after``: of what was changed. No secret and no buyer's data goes into any of them.
    """
    entry = _entry(session, deed, by, now, organisation_id, source, result)
    entry |= {"subject": subject[:SUBJECT_MOST], "before": before, "after": after, **_of(invoice)}
    session.execute(_INSERT, entry)


def record_all(
    session: Session,
    deed: Deed,
    invoices: Iterable[tuple[Invoiced, str | None]],
    *,
    by: By,
    now: datetime,
    organisation_id: int,
    source: Source | None = None,
) -> None:
    """An entry for each of these invoices, with what there is afterwards; in one statement."""
    entries = [_of(invoice) | {"after": after} for invoice, after in invoices]
    if entries:
        common = _entry(session, deed, by, now, organisation_id, source, Result.DONE) | {"subject": ""}
        session.execute(_INSERT_ALL(session), common | given(entries))


def record_upgrade(session: Session, before: str | None, after: str) -> None:
    """An operator brought the schema up to date; it belongs to no organisation."""
    now = database_now(session)
    record(
        session,
        Deed.SCHEMA_UPGRADED,
        by=OPERATOR,
        now=now,
        organisation_id=None,
        before=before,
        after=after,
    )


def _entry(
    session: Session,
    deed: Deed,
    by: By,
    now: datetime,
    organisation_id: int | None,
    source: Source | None,
    result: Result,
) -> dict[str, Any]:
    who, source = (by, source) if isinstance(by, str) else (by.user_id, source or by.source)
    source = source or _way_of(who)
    if "recorded" in session.info:
        session.info["recorded"].add(NOBODY if organisation_id is None else organisation_id)
    if who == OPERATOR and "operator" in session.info:
        who = f"{OPERATOR}:{session.info['operator']}"
    return {
        "organisation_id": organisation_id,
        "actor": who,
        "action": deed.value,
        "at": now,
        "source": source and source.value,
        "result": result.value,
    }


def _way_of(who: str) -> Source | None:
    """By which way these come, and no other; people come by several."""
    if who.startswith(PROGRAM):
        return Source.API
    return {OPERATOR: Source.CLI, PAYLINK: Source.PAYLINK, SLACK: Source.EVENT}.get(who)


def _of(invoice: Invoiced | None) -> dict[str, Any]:
    if invoice is None:
        return {"invoice_id": None, "invoice_number": None}
    return {"invoice_id": invoice.id, "invoice_number": invoice.number}
