"""Invoices, their links and payments out of the database: page by page, memory flat, in one of three formats.

In the order of their numbers, which never change: in list order an invoice could move, and come twice, meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import closing
from datetime import date, datetime
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.audit.refusals import record_refusal
from domain.database import Database, database_now
from domain.errors import LedgerChanged, RunNotFound
from domain.files.exports import Format
from domain.files.exports.formats import Writing, open_writing
from domain.files.exports.rows import Row, choose, read_rows
from domain.invoices.list_page import found_by
from domain.invoices.overdue import is_overdue
from domain.links import run_results
from domain.models import BulkRunItem, Invoice, Ledger, Organisation
from domain.rights.allowances import Costly
from domain.rights.door import Door, Enter
from domain.states import Due, LinkStatus, ListFilter, Right
from domain.summaries import OPERATOR, Actor

PAGE = 1_000


class Export:
    """Files for people, piece by piece: CSV with a byte-order mark, so that Excel reads names right, or a workbook.

    Both methods raise TooOften, NotAllowed, StandingUnknown, OrganisationUnknown and DatabaseUnavailable.
    """

    def __init__(self, db: Database, door: Door, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._door = door
        self._clock = clock

    async def export_list(
        self, actor: Actor, *, filter: ListFilter | None, search: str, format: Format
    ) -> AsyncIterator[bytes]:
        """Every invoice of the actor's organisation that the list shows with this filter and search."""
        self._door.spend(actor, Costly.EXPORT)
        after: str | None = ""
        await self._take(actor, "list")
        with closing(open_writing(format, bom=True)) as writing:
            yield writing.begin()
            while after is not None:
                read = partial(self._page, writing=writing, filter=filter, search=search, after=after)
                piece, after = await self._door.pass_through(
                    actor, Right.LOOK, partial(self._db.background_read, read)
                )
                yield piece
            async for piece in _end(writing):
                yield piece

    async def export_run(self, actor: Actor, run_id: int, *, format: Format) -> AsyncIterator[bytes]:
        """The invoices of one bulk run as they stand now, in its order. Raises RunNotFound, and audits it."""
        self._door.spend(actor, Costly.EXPORT)
        try:
            read = partial(self._run, run_id=run_id)
            rows = await self._door.pass_through(actor, Right.LOOK, partial(self._db.read, read))
        except RunNotFound as refusal:
            record = partial(self._record_refusal, actor=actor, what=str(refusal))
            await self._door.pass_through(actor, Right.LOOK, partial(self._db.write, record))
            raise
        await self._take(actor, f"run {run_id}")
        with closing(open_writing(format, bom=True)) as writing:
            yield writing.begin()
            yield writing.add(rows)
            async for piece in _end(writing):
                yield piece

    def _page(
        self,
        session: Session,
        enter: Enter,
        *,
        writing: Writing,
        filter: ListFilter | None,
        search: str,
        after: str,
    ) -> tuple[bytes, str | None]:
        scope = enter(session)
        rows, following = export_page(
            session,
            scope.organisation_id,
            scope.ledger_id,
            filter=filter,
            search=search,
            after=after,
            today=scope.today(self._clock()),
        )
        return writing.add(rows), following

    def _run(self, session: Session, enter: Enter, *, run_id: int) -> list[Row]:
        scope = enter(session)
        run_results.get_result(session, scope, run_id)
        chosen = choose(scope.ledger_id).join(BulkRunItem, BulkRunItem.invoice_id == Invoice.id)
        found = session.execute(chosen.where(BulkRunItem.run_id == run_id).order_by(BulkRunItem.ordinal))
        return read_rows(session, scope.ledger_id, found.all())

    def _record_refusal(self, session: Session, enter: Enter, *, actor: Actor, what: str) -> None:
        organisation_id = enter(session).organisation_id
        record_refusal(session, what, by=actor, now=self._clock(), organisation_id=organisation_id)

    async def _take(self, actor: Actor, what: str) -> None:
        record = partial(self._record_taken, actor=actor, what=what)
        await self._door.pass_through(actor, Right.LOOK, partial(self._db.write, record))

    def _record_taken(self, session: Session, enter: Enter, *, actor: Actor, what: str) -> None:
        organisation_id, deed = enter(session).organisation_id, audit.Deed.DATA_TAKEN
        audit.record(session, deed, what, by=actor, now=self._clock(), organisation_id=organisation_id)


def export_all(
    db: Database,
    organisation_id: int,
    *,
    livemode: bool | None = None,
    filter: LinkStatus | None = None,
    search: str = "",
    format: Format = Format.CSV,
    bom: bool = False,
) -> Generator[bytes]:
    """As Export.export_list, for the command line: with the links of the ledger that was last in use.

    Raises LedgerChanged if that is one of another mode than ``livemode``, the configured key's (None without one): links
    of test keys show only while one is configured.
    """
    ledger_id = db.run(current_ledger, organisation_id, livemode)
    db.run(record_export, organisation_id, "export")
    after: str | None = ""
    with closing(open_writing(format, bom=bom)) as writing:
        yield writing.begin()
        while after is not None:
            rows, after = db.run(
                export_page, organisation_id, ledger_id, filter=filter, search=search, after=after
            )
            yield writing.add(rows)
        yield from writing.end()


def record_export(session: Session, organisation_id: int, what: str) -> None:
    """An operator takes out invoices, or the audit."""
    audit.record(
        session,
        audit.Deed.DATA_TAKEN,
        what,
        by=OPERATOR,
        now=database_now(session),
        organisation_id=organisation_id,
    )


async def _end(writing: Writing) -> AsyncIterator[bytes]:
    """The end of a file in a thread: a workbook is put together by it."""
    rest = writing.end()
    while (piece := await asyncio.to_thread(next, rest, None)) is not None:
        yield piece


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
    filter: ListFilter | None,
    search: str,
    after: str,
    today: date | None = None,
) -> tuple[list[Row], str | None]:
    """The next page after that number's key, and where the one after it begins; None when there is none."""
    shown = found_by(session, organisation_id, search)
    chosen = choose(ledger_id).where(shown, Invoice.number_key > after)
    if isinstance(filter, LinkStatus):
        chosen = chosen.where(Invoice.status == filter)
    elif today is not None and filter is Due.OVERDUE:
        chosen = chosen.where(*is_overdue(today))
    found = session.execute(chosen.order_by(Invoice.number_key).limit(PAGE)).all()
    return read_rows(session, ledger_id, found), found[-1].number_key if len(found) == PAGE else None
