"""What is owed and how much is paid, from sums that the database keeps with every change (domain/models/sums.py)."""

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from domain.database import Database, database_now, insert_into
from domain.models import InvoiceSum, Organisation, SumCheck
from domain.models.sums import counted, due
from domain.money import Money
from domain.overview.summaries import Owed, Tally
from domain.states import LinkStatus

CHECKED_EVERY = timedelta(days=1)
# Rows of which one is written for each change, on PostgreSQL: more of them are put together.
MANY_PARTS = 500
KEYS_AT_ONCE = 200
_log = structlog.get_logger()


def read(session: Session, organisation_id: int, today: date) -> Owed | None:
    """None until the invoices of a version before are counted. What is due before ``today`` is overdue."""
    check = session.get(SumCheck, organisation_id)
    if check is not None and check.checked_at is None:
        return None
    overdue = InvoiceSum.due_date < today
    rows = session.execute(
        sa.select(
            InvoiceSum.status,
            InvoiceSum.currency,
            overdue,
            sa.func.sum(InvoiceSum.invoices),
            sa.func.sum(InvoiceSum.amount),
        )
        .where(InvoiceSum.organisation_id == organisation_id)
        .group_by(InvoiceSum.status, InvoiceSum.currency, overdue)
    )
    found: defaultdict[LinkStatus | None, Counter[str]] = defaultdict(Counter)
    amounts: defaultdict[LinkStatus | None, Counter[str]] = defaultdict(Counter)
    for status, currency, is_overdue, invoices, amount in rows:
        for kind in (status, None) if is_overdue else (status,):
            found[kind][currency] += int(invoices)
            amounts[kind][currency] += int(amount)

    def tally(kind: LinkStatus | None) -> Tally:
        sums = (
            Money(amounts[kind][currency], currency)
            for currency in sorted(found[kind])
            if found[kind][currency]
        )
        return Tally(found[kind].total(), tuple(sums))

    return Owed(
        not_created=tally(LinkStatus.NOT_CREATED),
        pending=tally(LinkStatus.PENDING_PAYMENT),
        overdue=tally(None),
        paid=found[LinkStatus.PAID].total(),
    )


class SumKeeping:
    """Counts what a version before left uncounted, puts parts together, and compares once a day what is kept with what is."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def look_after(self) -> None:
        if not self._db.is_sqlite:
            while await self._db.background_write(put_together):
                pass
        for organisation_id in await self._db.background_read(_unchecked):
            await self.check(organisation_id)

    async def check(self, organisation_id: int) -> bool:
        """Compare with the invoices, and mend what differs; whether anything did.

        The difference is seen as of one moment, and stays the same whatever is written afterwards, so that nobody is kept
        from writing while a million invoices are gone through.
        """
        before = await self._db.background_read(_standing, organisation_id)
        differences = await self._db.background_read(compare, organisation_id)
        mended = await self._db.background_write(_mend, organisation_id, before, differences)
        if mended and differences and before is not None and before[1]:
            _log.warning("sums.mended", organisation=organisation_id, sums=len(differences))
        return mended and bool(differences)


Standing = tuple[int, bool]
"""How often an organisation's sums were compared, and whether they were ever counted."""
_KEY = (InvoiceSum.organisation_id, InvoiceSum.status, InvoiceSum.currency, InvoiceSum.due_date)


@dataclass(frozen=True)
class Difference:
    """What has to be added to a sum that is kept, for it to be what there is."""

    status: str
    currency: str
    due_date: str
    invoices: int
    amount: int


def compare(session: Session, organisation_id: int) -> list[Difference]:
    """Both are read in one statement, so as they are at one moment."""
    # In two parts on SQLite, where a sum that is larger than 64 bits hold would be an error.
    sqlite = session.get_bind().dialect.name == "sqlite"
    high, low = ("amount / 1000000", "amount % 1000000") if sqlite else ("amount", "0")
    text = "" if sqlite else "::text"
    both = f"""
        SELECT status, currency, due_date{text}, sum(invoices), sum(high), sum(low), sum(kept) FROM (
            SELECT status, currency, {due()} AS due_date, 1 AS invoices, {high} AS high, {low} AS low, 0 AS kept
            FROM invoices WHERE organisation_id = :own AND {counted()}
            UNION ALL
            SELECT status, currency, due_date, -invoices, 0, 0, amount
            FROM invoice_sums WHERE organisation_id = :own
        ) AS both_ways GROUP BY status, currency, due_date
        """  # noqa: S608 - of words that stand here
    rows = session.execute(sa.text(both), {"own": organisation_id})
    found = []
    for status, currency, due_date, invoices, over, under, kept in rows:
        amount = int(over) * (1_000_000 if sqlite else 1) + int(under) - int(kept)
        found.append(Difference(status, currency, due_date, int(invoices), amount))
    return [one for one in found if one.invoices or one.amount]


def put_together(session: Session) -> bool:
    """On PostgreSQL, make one part of what is many; whether there may be more to do.

    What somebody else puts together at this moment is left to them. Nobody waits: a part is never changed.
    """
    key = ", ".join(column.key for column in _KEY)
    parts = sa.select(sa.func.count()).select_from(InvoiceSum).scalar_subquery()
    keys = sa.select(sa.func.count()).select_from(sa.select(*_KEY).distinct().subquery()).scalar_subquery()
    if (session.scalar(sa.select(parts - keys)) or 0) < MANY_PARTS:
        return False
    together = f"""
        WITH gone AS (
            DELETE FROM invoice_sums WHERE ({key}, part) IN (
                SELECT {key}, part FROM invoice_sums WHERE ({key}) IN (
                    SELECT {key} FROM invoice_sums GROUP BY {key}
                    HAVING count(*) > 1 ORDER BY count(*) DESC LIMIT :keys
                ) FOR UPDATE SKIP LOCKED
            ) RETURNING *
        ), together AS (
            INSERT INTO invoice_sums ({key}, part, invoices, amount)
            SELECT {key}, nextval('invoice_sums_part'), invoices, amount FROM (
                SELECT {key}, sum(invoices) AS invoices, sum(amount) AS amount FROM gone GROUP BY {key}
                HAVING sum(invoices) <> 0 OR sum(amount) <> 0
            ) AS sums
        )
        SELECT count(*) FROM gone
        """  # noqa: S608 - of words that stand here
    return bool(session.scalar(sa.text(together), {"keys": KEYS_AT_ONCE}))


def _unchecked(session: Session) -> list[int]:
    old = sa.or_(SumCheck.checked_at.is_(None), SumCheck.checked_at < database_now(session) - CHECKED_EVERY)
    found = sa.select(Organisation.id).outerjoin(SumCheck, SumCheck.organisation_id == Organisation.id)
    none = SumCheck.organisation_id.is_(None)
    return list(session.scalars(found.where(sa.or_(none, old)).order_by(Organisation.id)))


def _standing(session: Session, organisation_id: int) -> Standing | None:
    check = session.get(SumCheck, organisation_id)
    return None if check is None else (check.corrections, check.checked_at is not None)


def _mend(
    session: Session, organisation_id: int, before: Standing | None, differences: list[Difference]
) -> bool:
    """False if somebody else has mended since the sums were compared, as it may be the same that they saw."""
    now = database_now(session)
    values = {"organisation_id": organisation_id, "checked_at": now, "corrections": 1}
    changed = (
        insert_into(session, SumCheck)
        .values(values)
        .on_conflict_do_nothing()
        .returning(SumCheck.organisation_id)
        if before is None
        else sa.update(SumCheck)
        .where(SumCheck.organisation_id == organisation_id, SumCheck.corrections == before[0])
        .values(checked_at=now, corrections=before[0] + 1)
        .returning(SumCheck.organisation_id)
    )
    if session.scalar(changed) is None:
        return False
    sqlite = session.get_bind().dialect.name == "sqlite"
    part, date_type = ("0", "TEXT") if sqlite else ("nextval('invoice_sums_part')", "DATE")
    key = ", ".join(column.key for column in _KEY)
    adding = f"""
        INSERT INTO invoice_sums ({key}, part, invoices, amount)
        VALUES (:own, :status, :currency, CAST(:due_date AS {date_type}), {part}, :invoices, :amount)
        ON CONFLICT ({key}, part) DO UPDATE SET
            invoices = invoice_sums.invoices + excluded.invoices, amount = invoice_sums.amount + excluded.amount
        """  # noqa: S608 - of words that stand here
    if differences:
        session.execute(sa.text(adding), [{"own": organisation_id, **asdict(one)} for one in differences])
    return True
