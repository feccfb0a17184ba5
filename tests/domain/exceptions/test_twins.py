"""Two invoices whose numbers look the same are somebody's task while both could get a link."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.exceptions.resolving import resolve
from domain.exceptions.twins import AT_ONCE, TwinWatch
from domain.invoices.numbers import folding
from domain.models import Invoice, OutboxMessage, PaymentException
from domain.money import Money
from domain.states import ExceptionKind, Settlement
from tests.domain.factories import NOW, make_ledger, make_link, make_organisation
from tests.domain.files.test_import_exceptions import opens
from tests.domain.files.test_importing_twins import before


@pytest.fixture
def watch(db: Database) -> TwinWatch:
    make_organisation(db)
    make_ledger(db)
    return TwinWatch(db)


def set_state(db: Database, invoice_id: int, state: str) -> None:
    changed = sa.update(Invoice).where(Invoice.id == invoice_id).values(billing_state=state)
    db.run(lambda session: session.execute(changed))


def ended(db: Database) -> list[tuple[str | None, str | None]]:
    query = sa.select(PaymentException.resolved_by, PaymentException.resolution)
    return db.run(lambda session: [(by, why) for by, why in session.execute(query)])


async def test_both_eligible_are_told_once_with_the_other_one(db: Database, watch: TwinWatch) -> None:
    before(db, "INV-1", amount=100, buyer_name="Acme")
    before(db, "INV\u20111", amount=200)
    folding.fold_all(db)

    await watch.look(NOW)
    await watch.look(NOW + timedelta(minutes=1))

    (one,) = opens(db)
    assert (one.kind, one.number, one.amount) == (ExceptionKind.NUMBER_TWIN, "INV\u20111", Money(200, "USD"))
    assert (one.facts.other, one.facts.other_buyer, one.facts.other_amount) == (
        "INV-1",
        "Acme",
        Money(100, "USD"),
    )
    messages = db.run(lambda session: list(session.scalars(sa.select(OutboxMessage.exception_id))))
    assert messages == [one.id]


async def test_a_link_of_one_is_enough_if_the_other_could_get_one(db: Database, watch: TwinWatch) -> None:
    linked = before(db, "INV-1", amount=100)
    make_link(db, linked)
    before(db, "INV\u20111")
    folding.fold_all(db)
    set_state(db, linked, "settled")

    await watch.look(NOW)

    assert len(opens(db)) == 1


@pytest.mark.parametrize("which", [0, 1])
async def test_it_is_none_and_ends_when_one_can_get_no_link(
    db: Database, watch: TwinWatch, which: int
) -> None:
    pair = before(db, "INV-1"), before(db, "INV\u20111")
    folding.fold_all(db)
    set_state(db, pair[which], "void")
    await watch.look(NOW)
    assert opens(db) == []

    set_state(db, pair[which], "open")
    await watch.look(NOW)
    assert len(opens(db)) == 1
    set_state(db, pair[which], "void")
    await watch.look(NOW)
    assert ended(db) == [("Paylink", Settlement.TWIN_CLOSED)]

    set_state(db, pair[which], "open")
    await watch.look(NOW)
    assert len(opens(db)) == 1


async def test_what_a_person_has_resolved_isnt_told_again(db: Database, watch: TwinWatch) -> None:
    before(db, "INV-1"), before(db, "INV\u20111")
    folding.fold_all(db)
    await watch.look(NOW)
    db.run(resolve, 1, opens(db)[0].id, "Both are meant", by="U0ADA", now=NOW)

    await watch.look(NOW)

    assert opens(db) == []
    assert ended(db) == [("U0ADA", "Both are meant")]


async def test_many_are_gone_through_bit_by_bit_over_and_over(
    db: Database, watch: TwinWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.exceptions.twins.AT_ONCE", 2)
    assert AT_ONCE == 200
    for n in range(3):
        before(db, f"INV-{n}"), before(db, f"INV\u2011{n}")
    folding.fold_all(db)

    counts = []
    for _ in range(2):
        await watch.look(NOW)
        counts.append(len(opens(db)))

    assert counts == [2, 3]

    def void_all(session: Session) -> None:
        session.execute(sa.update(Invoice).values(billing_state="void"))

    db.run(void_all)
    for _ in range(2):
        await watch.look(NOW)
    assert opens(db) == []


async def test_without_a_stripe_account_there_is_nothing_to_tell_yet(db: Database) -> None:
    make_organisation(db)
    before(db, "INV-1"), before(db, "INV\u20111")
    folding.fold_all(db)

    await TwinWatch(db).look(NOW)
