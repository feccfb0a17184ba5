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
from domain.invoices.badges import read_badges
from domain.invoices.list_page import found_by
from domain.links import run_results
from domain.models import BulkRunItem, Invoice, Ledger, Link, Organisation
from domain.money import Money
from domain.states import WRITTEN, Badge, LinkState, LinkStatus
from domain.stripe.accounts import Accounts
from domain.summaries import Actor

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
    "badges",
)
PAGE = 1_000
# What spreadsheets begin a formula with, in both widths, and the blanks that they pass over before it.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_SEPARATORS = str.maketrans("\u2028\u2029", "  ")


class Export:
    """CSV for people, piece by piece. Both raise OrganisationUnknown and DatabaseUnavailable."""

    def __init__(self, db: Database, accounts: Accounts, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._accounts = accounts
        self._clock = clock

    async def export_list(
        self, actor: Actor, *, filter: LinkStatus | None, search: str
    ) -> AsyncIterator[bytes]:
        """Every invoice of the actor's organisation that the list shows with this filter and search."""
        after: str | None = ""
        yield heading()
        while after is not None:
            piece, after = await self._db.background_read(
                self._page, actor.team_id, filter=filter, search=search, after=after
            )
            yield piece

    async def export_run(self, actor: Actor, run_id: int) -> AsyncIterator[bytes]:
        """The invoices of one bulk run as they stand now, in its order. Raises RunNotFound, and audits it."""
        try:
            rows = await self._db.read(self._run, actor.team_id, run_id)
        except RunNotFound as refusal:
            await self._db.write(self._record_refusal, actor, str(refusal))
            raise
        yield heading()
        yield rows

    def _page(
        self, session: Session, team_id: str, *, filter: LinkStatus | None, search: str, after: str
    ) -> tuple[bytes, str | None]:
        scope = self._accounts.get_scope(session, team_id)
        return export_page(
            session, scope.organisation_id, scope.ledger_id, filter=filter, search=search, after=after
        )

    def _run(self, session: Session, team_id: str, run_id: int) -> bytes:
        scope = self._accounts.get_scope(session, team_id)
        run_results.get_result(session, scope, run_id)
        chosen = _rows(scope.ledger_id).join(BulkRunItem, BulkRunItem.invoice_id == Invoice.id)
        return _written(
            session.execute(chosen.where(BulkRunItem.run_id == run_id).order_by(BulkRunItem.ordinal)).all()
        )

    def _record_refusal(self, session: Session, actor: Actor, what: str) -> None:
        scope = self._accounts.get_scope(session, actor.team_id)
        audit.record(
            session,
            "id.refused",
            what,
            actor=actor.user_id,
            now=self._clock(),
            organisation_id=scope.organisation_id,
        )


def export_all(
    db: Database,
    organisation_id: int,
    *,
    livemode: bool | None = None,
    filter: LinkStatus | None = None,
    search: str = "",
) -> Iterator[bytes]:
    """As Export.export_list, for the command line: with the links of the ledger that was last in use.

    Raises LedgerChanged if that is one of another mode than ``livemode``, the configured key's (None without one): links
    of test keys show only while one is configured.
    """
    ledger_id = db.run(current_ledger, organisation_id, livemode)
    after: str | None = ""
    yield heading()
    while after is not None:
        piece, after = db.run(
            export_page, organisation_id, ledger_id, filter=filter, search=search, after=after
        )
        yield piece


def heading() -> bytes:
    return f"{','.join(COLUMNS)}\n".encode()


def current_ledger(session: Session, organisation_id: int, livemode: bool | None) -> int | None:
    """None before the first start. Raises LedgerChanged if it is of the other mode."""
    current = sa.select(Organisation.ledger_id).where(Organisation.id == organisation_id)
    ledger = session.scalar(sa.select(Ledger).where(Ledger.id == current.scalar_subquery()))
    if ledger is not None and livemode not in (None, ledger.livemode):
        raise LedgerChanged
    return None if ledger is None else ledger.id


def export_page(
    session: Session,
    organisation_id: int,
    ledger_id: int | None,
    *,
    filter: LinkStatus | None,
    search: str,
    after: str,
) -> tuple[bytes, str | None]:
    """The next page after that number's key, and where the one after it begins; None when there is none."""
    found = found_by(session, organisation_id, search)
    chosen = _rows(ledger_id).where(found, Invoice.number_key > after)
    if filter is not None:
        chosen = chosen.where(Invoice.status == filter)
    rows = session.execute(chosen.order_by(Invoice.number_key).limit(PAGE)).all()
    return _written(rows), rows[-1].number_key if len(rows) == PAGE else None


def _rows(ledger_id: int | None) -> sa.Select[*tuple[Any, ...]]:
    created = sa.and_(
        Link.invoice_id == Invoice.id, Link.ledger_id == ledger_id, Link.state == LinkState.CREATED
    )
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
        Link.badges,
        Link.refunded,
        Link.disputed,
        Invoice.billing_state,
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
        WRITTEN[row.link_status or LinkStatus.NOT_CREATED],
        inert(row.url or ""),
        _moment(row.created_at),
        _moment(row.paid_at),
        received,
        inert(row.stripe_payment or ""),
        " ".join(_badges(row)),
    )


def _badges(row: Any) -> tuple[Badge, ...]:
    return read_badges(row.badges, refunded=row.refunded, disputed=row.disputed, state=row.billing_state)


def inert(text: str) -> str:
    """The text on one line, so that no spreadsheet takes it for a formula: what could begin one gets an apostrophe
    before it. Blanks stand for separators of lines, at which some readers would begin another row."""
    text = text.translate(_SEPARATORS)
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_FORMULA) else text


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
