"""Sums are put together, compared and mended, while others write; what a version before left is counted."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from domain.database import Database, database_now, make_engine
from domain.migrations import upgrade
from domain.models import EPOCH, Invoice, InvoiceSum, ReceivedSum, SumCheck
from domain.money import Money
from domain.overview import sums
from domain.overview.summaries import Tally
from domain.overview.sums import SumKeeping
from domain.states import LinkStatus
from domain.stripe.ledgers.opening import open_ledger
from tests.domain.factories import NOW, make_invoice, make_link, make_organisation
from tests.domain.migrations.first_rows import AT as LATELY_PAID
from tests.domain.migrations.first_schema import make_first
from tests.domain.overview.sums import differences, organisation, owed, received

__all__ = ["organisation"]


def test_two_processes_that_write_and_put_together_at_once_lose_nothing(
    db: Database, organisation: int
) -> None:
    """On PostgreSQL they write into each other's sums; on SQLite they come one after the other."""
    for number in range(20):
        make_invoice(db, f"INV-{number}", amount=100)
    engines = [make_engine(db.engine.url.render_as_string(hide_password=False)) for _ in range(3)]
    failures: list[BaseException] = []

    def work(engine: sa.Engine, first: int) -> None:
        try:
            for turn in range(30):
                with Session(engine) as session:
                    # Each its own invoices, and all the same sums, in opposite orders.
                    for number in range(first, first + 6):
                        changed = sa.update(Invoice).where(
                            Invoice.number == f"INV-{(number, first + 5 - number % 6)[turn % 2]}"
                        )
                        session.execute(
                            changed.values(amount=Invoice.amount + 1, currency=("USD", "EUR")[turn % 2])
                        )
                    if not db.is_sqlite and turn % 5 == 0:
                        sums.put_together(session)
                    session.commit()
        except BaseException as error:  # told by the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(engine, 6 * n)) for n, engine in enumerate(engines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert differences(db, organisation) == []
    for engine in engines:
        engine.dispose()


@pytest.mark.postgres
def test_parts_are_put_together_and_come_to_the_same(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "MANY_PARTS", 3)
    db = Database(postgresql_url)
    organisation = make_organisation(db)
    for amount in range(1, 6):
        make_invoice(db, amount=amount)
    before = owed(db, organisation)
    assert db.run(sums.put_together)
    assert not db.run(sums.put_together)
    assert db.run(lambda session: session.scalar(sa.select(sa.func.count()).select_from(InvoiceSum))) == 1
    assert owed(db, organisation) == before
    db.close_now()


async def test_what_drifted_is_found_once_a_day_mended_and_logged(db: Database, organisation: int) -> None:
    make_invoice(db, amount=100)
    keeping = SumKeeping(db)
    await keeping.look_after()
    db.run(lambda session: session.execute(sa.update(InvoiceSum).values(amount=7)))
    await keeping.look_after()
    assert len(differences(db, organisation)) == 1
    yesterday = {"checked_at": NOW - timedelta(days=400)}
    db.run(lambda session: session.execute(sa.update(SumCheck).values(yesterday)))
    with capture_logs() as logs:
        await keeping.look_after()
    assert [(one["event"], one["organisation"]) for one in logs] == [("sums.mended", organisation)]
    assert differences(db, organisation) == []


async def test_two_that_compare_at_once_mend_once(db: Database, organisation: int) -> None:
    make_invoice(db, amount=100)
    await SumKeeping(db).look_after()
    db.run(lambda session: session.execute(sa.delete(InvoiceSum)))
    before, seen = db.run(sums._standing, organisation), differences(db, organisation)
    make_invoice(db, amount=20)
    assert db.run(sums._mend, organisation, before, seen)
    assert not db.run(sums._mend, organisation, before, seen)
    found = owed(db, organisation)
    assert found is not None
    assert found.not_created == Tally(2, (Money(120, "USD"),))


async def test_what_versions_before_left_is_counted_while_they_write_on(blank_database_url: str) -> None:
    engine = make_engine(blank_database_url)
    make_first(engine)
    upgrade(engine)
    engine.dispose()
    db = Database(blank_database_url)
    assert owed(db, 1) is None
    before, seen = db.run(sums._standing, 1), differences(db, 1)
    # A version before, which knows nothing of sums, writes between the look and what comes of it.
    db.run(lambda session: session.execute(sa.update(Invoice).values(amount=5)))
    assert db.run(sums._mend, 1, before, seen)
    assert differences(db, 1) == []
    found = owed(db, 1)
    assert found is not None
    assert (found.not_created, found.paid) == (Tally(6, (Money(30, "USD"),)), 2)
    assert received(db, 1, EPOCH + timedelta(milliseconds=LATELY_PAID)) == Tally(2, (Money(120_050, "USD"),))
    await SumKeeping(db).look_after()
    assert differences(db, 1) == []
    await db.close()


async def test_of_what_was_received_only_the_last_days_are_kept_and_mended(
    db: Database, organisation: int
) -> None:
    now = db.run(database_now)
    ledger = db.run(open_ledger, organisation, False, "acct_1", NOW)
    for at in (now, now - timedelta(days=9)):
        paid: dict[str, Any] = {"status": LinkStatus.PAID, "paid_at": at, "amount_received": 7}
        make_link(db, make_invoice(db, amount=7), ledger_id=ledger, **paid)
    db.run(lambda session: session.execute(sa.update(ReceivedSum).values(amount=ReceivedSum.amount + 1)))
    assert received(db, ledger, now) == Tally(1, (Money(8, "USD"),))
    await SumKeeping(db).look_after()
    assert received(db, ledger, now) == Tally(1, (Money(7, "USD"),))
    kept = db.run(lambda session: session.scalar(sa.select(sa.func.sum(ReceivedSum.amount))))
    assert kept == 7
