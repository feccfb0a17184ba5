"""What is owed, how much is paid and what was received, from sums that the database keeps with every change
(domain/models/sums.py)."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from domain.database import Database, database_now, insert_into
from domain.models import EPOCH, InvoiceSum, Organisation, ReceivedSum, SumCheck
from domain.models.sums import ALL_KEPT, HOUR, RECEIVED, Kept
from domain.money import Money
from domain.overview.summaries import Owed, Tally
from domain.scope import Scope
from domain.states import LinkStatus

CHECKED_EVERY = timedelta(days=1)
# Rows of which one is written for each change, on PostgreSQL: more of them are put together.
MANY_PARTS = 500
KEYS_AT_ONCE = 200
LATELY = timedelta(days=7)
# A day more than is asked for.
RECEIVED_KEPT = LATELY + timedelta(days=1)
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


def read_received(session: Session, scope: Scope, now: datetime) -> Tally:
    """Since the beginning of the hour seven days ago."""
    rows = session.execute(
        sa.select(ReceivedSum.currency, sa.func.sum(ReceivedSum.invoices), sa.func.sum(ReceivedSum.amount))
        .where(
            ReceivedSum.organisation_id == scope.organisation_id,
            ReceivedSum.ledger_id == scope.ledger_id,
            ReceivedSum.hour >= _hour_of(now - LATELY),
        )
        .group_by(ReceivedSum.currency)
        .having(sa.func.sum(ReceivedSum.invoices) > 0)
        .order_by(ReceivedSum.currency)
    ).all()
    return Tally(
        sum(int(invoices) for _, invoices, _ in rows),
        tuple(Money(int(amount), currency) for currency, _, amount in rows),
    )


def _hour_of(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=HOUR)


class SumKeeping:
    """Counts what a version before left uncounted, puts parts together, and compares once a day what is kept with what is."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def look_after(self) -> None:
        if not self._db.is_sqlite:
            while await self._db.background_write(put_together):
                pass
        for organisation_id in await self._db.background_read(_unchecked):
            await self._db.background_write(_erase_old, organisation_id)
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


@dataclass(frozen=True)
class Difference:
    """What has to be added to a sum that is kept, for it to be what there is."""

    kept: Kept
    key: tuple[object, ...]
    invoices: int
    amount: int


def compare(session: Session, organisation_id: int) -> list[Difference]:
    return [found for kept in ALL_KEPT for found in _compare(session, kept, organisation_id)]


def _compare(session: Session, kept: Kept, organisation_id: int) -> list[Difference]:
    """Both are read in one statement, so as they are at one moment."""
    # In two parts on SQLite, where a sum that is larger than 64 bits hold would be an error.
    sqlite = session.get_bind().dialect.name == "sqlite"
    amount = kept.amount.format("")
    high, low = (f"{amount} / 1000000", f"{amount} % 1000000") if sqlite else (amount, "0")
    values = ", ".join(f"{value} AS {name}" for value, (name, _) in zip(kept.values(), kept.key, strict=True))
    read = ", ".join(f"{name}::text" if name in kept.dates and not sqlite else name for name, _ in kept.key)
    since = "WHERE hour >= :hour" if kept is RECEIVED else ""
    both = f"""
        SELECT {read}, sum(invoices), sum(high), sum(low), sum(kept) FROM (
            SELECT {values}, 1 AS invoices, {high} AS high, {low} AS low, 0 AS kept
            FROM {kept.source} WHERE organisation_id = :own AND {kept.counted.format("")}
            UNION ALL
            SELECT {kept.names}, -invoices, 0, 0, amount
            FROM {kept.table} WHERE organisation_id = :own
        ) AS both_ways {since} GROUP BY {kept.names}
        """  # noqa: S608 - of words that stand here
    oldest = _hour_of(database_now(session) - RECEIVED_KEPT)
    found = []
    for *key, invoices, over, under, held in session.execute(
        sa.text(both), {"own": organisation_id} | ({"hour": oldest} if since else {})
    ):
        differs = int(over) * (1_000_000 if sqlite else 1) + int(under) - int(held)
        found.append(Difference(kept, tuple(key), int(invoices), differs))
    return [one for one in found if one.invoices or one.amount]


def put_together(session: Session) -> bool:
    """On PostgreSQL, make one part of what is many; whether there may be more to do.

    What somebody else puts together at this moment is left to them. Nobody waits: a part is never changed.
    """
    return any(_put_together(session, kept) for kept in ALL_KEPT)


def _put_together(session: Session, kept: Kept) -> bool:
    table, key = kept.table, kept.names
    spare = f"""
        SELECT (SELECT count(*) FROM {table}) - (SELECT count(*) FROM (SELECT DISTINCT {key} FROM {table}) AS keys)
        """  # noqa: S608 - of words that stand here
    if (session.scalar(sa.text(spare)) or 0) < MANY_PARTS:
        return False
    together = f"""
        WITH gone AS (
            DELETE FROM {table} WHERE ({key}, part) IN (
                SELECT {key}, part FROM {table} WHERE ({key}) IN (
                    SELECT {key} FROM {table} GROUP BY {key}
                    HAVING count(*) > 1 ORDER BY count(*) DESC LIMIT :keys
                ) FOR UPDATE SKIP LOCKED
            ) RETURNING *
        ), together AS (
            INSERT INTO {table} ({key}, part, invoices, amount)
            SELECT {key}, nextval('{table}_part'), invoices, amount FROM (
                SELECT {key}, sum(invoices) AS invoices, sum(amount) AS amount FROM gone GROUP BY {key}
                HAVING sum(invoices) <> 0 OR sum(amount) <> 0
            ) AS sums
        )
        SELECT count(*) FROM gone
        """  # noqa: S608 - of words that stand here
    return bool(session.scalar(sa.text(together), {"keys": KEYS_AT_ONCE}))


def _erase_old(session: Session, organisation_id: int) -> None:
    oldest = _hour_of(database_now(session) - RECEIVED_KEPT)
    old = (ReceivedSum.organisation_id == organisation_id, ReceivedSum.hour < oldest)
    session.execute(sa.delete(ReceivedSum).where(*old).execution_options(synchronize_session=False))


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
    for one in differences:
        _add(session, one)
    return True


def _add(session: Session, difference: Difference) -> None:
    kept = difference.kept
    sqlite = session.get_bind().dialect.name == "sqlite"
    names = [name for name, _ in kept.key]
    values = ", ".join(
        f"CAST(:{name} AS DATE)" if name in kept.dates and not sqlite else f":{name}" for name in names
    )
    part = "0" if sqlite else f"nextval('{kept.table}_part')"
    adding = f"""
        INSERT INTO {kept.table} ({kept.names}, part, invoices, amount) VALUES ({values}, {part}, :invoices, :amount)
        ON CONFLICT ({kept.names}, part) DO UPDATE SET
            invoices = {kept.table}.invoices + excluded.invoices, amount = {kept.table}.amount + excluded.amount
        """  # noqa: S608 - of words that stand here
    given = dict(zip(names, difference.key, strict=True))
    session.execute(sa.text(adding), given | {"invoices": difference.invoices, "amount": difference.amount})
