"""Invoices and their links as CSV that no spreadsheet takes for a formula: page by page, memory flat.

In the order of their numbers, which never change: in list order an invoice could move, and come twice, meanwhile.
"""

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.database import Database
from domain.errors import LedgerChanged, RunNotFound
from domain.invoices.invoices import get_organisation
from domain.invoices.searching import found_by
from domain.links import bulk
from domain.models import BulkRunItem, Invoice, Ledger, Link
from domain.money import Money
from domain.stripe.ledgers import Ledgers
from domain.summaries import Actor, LinkStatus

COLUMNS = (
    "number",
    "buyer_name",
    "buyer_email",
    "billing_amount",
    "currency",
    "due_date",
    "status",
    "payment_link_url",
    "created_at",
    "paid_at",
    "amount_received",
    "stripe_payment",
)
PAGE = 1_000
# What spreadsheets begin a formula with, in both widths, and the blanks that they pass over before it.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_SEPARATORS = str.maketrans("\u2028\u2029", "  ")


class Export:
    """CSV for people, piece by piece. Both raise OrganisationUnknown and DatabaseUnavailable."""

    def __init__(self, db: Database, ledgers: Ledgers, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._ledgers = ledgers
        self._clock = clock

    async def export_list(
        self, actor: Actor, *, filter: LinkStatus | None, search: str
    ) -> AsyncIterator[bytes]:
        """Every invoice of the actor's organisation that the list shows with this filter and search."""
        after: str | None = ""
        yield heading()
        while after is not None:
            piece, after = await self._db.background_read(
                export_page, actor.team_id, self._ledgers.id, filter=filter, search=search, after=after
            )
            yield piece

    async def export_run(self, actor: Actor, run_id: int) -> AsyncIterator[bytes]:
        """The invoices of one bulk run as they stand now, in its order. Raises RunNotFound, and audits it."""
        try:
            rows = await self._db.read(
                _export_run, actor.team_id, run_id, self._ledgers.id, self._ledgers.livemode
            )
        except RunNotFound as refusal:
            await self._db.write(_record_refusal, actor, str(refusal), self._clock())
            raise
        yield heading()
        yield rows


def export_all(
    db: Database,
    team_id: str,
    *,
    livemode: bool | None = None,
    filter: LinkStatus | None = None,
    search: str = "",
) -> Iterator[bytes]:
    """As Export.export_list, for the command line: with the links of the ledger that was last in use.

    Raises LedgerChanged if that is one of another mode than ``livemode``, the configured key's (None without one): links
    of test keys show only while one is configured.
    """
    ledger_id = db.run(current_ledger, livemode)
    after: str | None = ""
    yield heading()
    while after is not None:
        piece, after = db.run(export_page, team_id, ledger_id, filter=filter, search=search, after=after)
        yield piece


def heading() -> bytes:
    return f"{','.join(COLUMNS)}\n".encode()


def current_ledger(session: Session, livemode: bool | None) -> int | None:
    """None before the first start. Raises LedgerChanged if it is of the other mode."""
    ledger = session.scalar(sa.select(Ledger).where(Ledger.current))
    if ledger is not None and livemode not in (None, ledger.livemode):
        raise LedgerChanged
    return None if ledger is None else ledger.id


def export_page(
    session: Session,
    team_id: str,
    ledger_id: int | None,
    *,
    filter: LinkStatus | None,
    search: str,
    after: str,
) -> tuple[bytes, str | None]:
    """The next page after that number's key, and where the one after it begins; None when there is none.

    Raises OrganisationUnknown.
    """
    organisation = get_organisation(session, team_id)
    found = found_by(session, organisation.id, search)
    chosen = _rows(ledger_id).where(found, Invoice.number_key > after)
    if filter is not None:
        chosen = chosen.where(Invoice.status == filter.value)
    rows = session.execute(chosen.order_by(Invoice.number_key).limit(PAGE)).all()
    return _written(rows), rows[-1].number_key if len(rows) == PAGE else None


def _export_run(session: Session, team_id: str, run_id: int, ledger_id: int, livemode: bool) -> bytes:
    bulk.get_result(session, team_id, run_id, livemode)
    chosen = _rows(ledger_id).join(BulkRunItem, BulkRunItem.invoice_id == Invoice.id)
    return _written(
        session.execute(chosen.where(BulkRunItem.run_id == run_id).order_by(BulkRunItem.ordinal)).all()
    )


def _record_refusal(session: Session, actor: Actor, what: str, now: datetime) -> None:
    organisation = get_organisation(session, actor.team_id)
    audit.record(session, "id.refused", what, actor=actor.user_id, now=now, organisation_id=organisation.id)


def _rows(ledger_id: int | None) -> sa.Select[*tuple[Any, ...]]:
    created = sa.and_(Link.invoice_id == Invoice.id, Link.ledger_id == ledger_id, Link.state == "created")
    return sa.select(
        Invoice.number,
        Invoice.number_key,
        Invoice.buyer_name,
        Invoice.buyer_email,
        Invoice.amount,
        Invoice.currency,
        Invoice.due_date,
        Link.status.label("link_status"),
        Link.url,
        Link.created_at,
        Link.paid_at,
        Link.amount_received,
        Link.currency.label("link_currency"),
        Link.stripe_payment,
    ).outerjoin(Link, created)


def _written(rows: Any) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(map(_cells, rows))
    return text.getvalue().encode()


def _cells(row: Any) -> tuple[str, ...]:
    received = (
        "" if row.amount_received is None else Money(row.amount_received, row.link_currency).major_units
    )
    return (
        inert(row.number),
        inert(row.buyer_name),
        inert(row.buyer_email),
        Money(row.amount, row.currency).major_units,
        row.currency,
        "" if row.due_date is None else row.due_date.isoformat(),
        row.link_status or LinkStatus.NOT_CREATED.value,
        inert(row.url or ""),
        _moment(row.created_at),
        _moment(row.paid_at),
        received,
        inert(row.stripe_payment or ""),
    )


def inert(text: str) -> str:
    """The text on one line, so that no spreadsheet takes it for a formula: what could begin one gets an apostrophe
    before it. Blanks stand for separators of lines, at which some readers would begin another row."""
    text = text.translate(_SEPARATORS)
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_FORMULA) else text


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
