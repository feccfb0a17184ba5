"""Bulk runs: one invoice's failure never stops the others, and whoever asked is told what became of each."""

import asyncio
import itertools
import math
import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.errors import (
    AmountsChanged,
    NotEligible,
    NothingSelected,
    RunNotFound,
    RunOfOtherMode,
    SelectionChanged,
    SelectionNotFound,
)
from domain.models import Invoice, Link, Organisation
from domain.money import Money
from domain.scope import Scope
from domain.states import AnnouncementKind, Outcome
from domain.stripe.account import Account
from domain.stripe.client import StripeApi
from domain.summaries import Actor, BulkResult
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import PAGE, make_invoice
from tests.domain.world import ADA, BEN, World
from tests.domain.world import world as another_world
from tests.patience import PATIENCE


async def ticked(world: World, count: int, by: Actor = ADA) -> int:
    """A selection with the first ``count`` invoices ticked."""
    opened = await world.desk.open_list(by, shape=PAGE)
    ids = {invoice.id for invoice in opened.invoices[:count]}
    await world.desk.tick(
        by, opened.selection.id, revision=1, displayed=ids, ticked=ids, acted_at="1.000001", opened_with=""
    )
    return opened.selection.id


async def run(world: World, selection: int, by: Actor = ADA, submission: str = "V1") -> BulkResult:
    seal = (await world.desk.confirm(by, selection)).seal
    return await world.desk.start_run(by, selection, seal=seal, submission=submission, view_id="V1")


async def finished(world: World, result: BulkResult) -> BulkResult:
    async with asyncio.timeout(PATIENCE):
        while not result.final:
            await world.creation.run_due()
            result = await world.desk.get_result(ADA, result.id)
    return result


async def test_a_hundred_links_with_a_hundred_requests(world: World, stripe: LocalStripe) -> None:
    for _ in range(101):
        make_invoice(world.db)
    before = len(stripe.requests)
    result = await finished(world, await run(world, await ticked(world, 100)))
    assert result.count(Outcome.CREATED) == 100
    assert len({item.url for item in result.items}) == 100
    made = [f"{record.method} {record.path}" for record in stripe.requests[before:]]
    # A ledger that was never used is looked at once, whether there are links of its own.
    assert made == ["GET /v1/payment_links"] + ["POST /v1/payment_links"] * 100
    await world.announcing.deliver_due()
    (message,) = world.poster.posted
    assert (message.kind, message.destination) == (AnnouncementKind.BULK_RESULT, ADA.user_id)
    assert message.bulk is not None
    assert message.bulk.final


async def test_the_same_submission_twice_is_one_run(world: World, stripe: LocalStripe) -> None:
    for _ in range(3):
        make_invoice(world.db)
    selection = await ticked(world, 3)
    first = await run(world, selection)
    again = await world.desk.start_run(ADA, selection, seal="", submission="V1", view_id="V1")
    assert again.id == first.id
    await finished(world, first)
    assert len(stripe.links()) == 3


async def test_two_overlapping_runs_make_one_link_an_invoice(world: World, stripe: LocalStripe) -> None:
    for _ in range(20):
        make_invoice(world.db)
    mine, theirs = await ticked(world, 20), await ticked(world, 20, BEN)
    results = await asyncio.gather(
        run(world, mine, submission="V1"), run(world, theirs, BEN, submission="V2")
    )
    for result in results:
        await finished(world, result)
    assert len(stripe.links()) == 20
    skipped = [item.reason for result in results for item in result.items if item.outcome is Outcome.SKIPPED]
    assert len(skipped) == 20


async def test_links_dont_wait_for_others_that_are_slow(world: World, stripe: LocalStripe) -> None:
    for _ in range(19):
        make_invoice(world.db)
    hanging = stripe.faults.add(
        FaultKind.SLOW, method="POST", path="/v1/payment_links", times=13, seconds=math.inf
    )
    slow = await run(world, await ticked(world, 13), submission="V1")
    working = asyncio.create_task(world.creation.run_due())
    async with asyncio.timeout(PATIENCE):
        await stripe.until(lambda: hanging.fired == 13)
        quick = await run(world, await ticked(world, 19, BEN), BEN, submission="V2")
        while quick.count(Outcome.CREATED) < 6:
            await asyncio.sleep(0.01)
            quick = await world.desk.get_result(BEN, quick.id)
        assert (await world.desk.get_result(ADA, slow.id)).count(Outcome.CREATED) == 0
        stripe.faults.remove(hanging)
        await working
    assert (await finished(world, slow)).count(Outcome.CREATED) == 13


async def test_one_refusal_stops_nothing_and_can_be_tried_again(world: World, stripe: LocalStripe) -> None:
    make_invoice(world.db, "INV-SMALL", amount=1)
    for _ in range(4):
        make_invoice(world.db)
    stripe.rules.least_checked = "creation"
    result = await finished(world, await run(world, await ticked(world, 5)))
    assert (result.count(Outcome.CREATED), result.count(Outcome.FAILED)) == (4, 1)
    (failed,) = [item for item in result.items if item.outcome is Outcome.FAILED]
    assert failed.number == "INV-SMALL"
    assert failed.refusal
    assert failed.refused_for_good
    # As before it was kept which code it was.
    world.db.run(lambda session: session.execute(sa.update(Link).values(refusal_code=None)))
    stripe.rules.least_checked = "never"
    retry = await world.desk.retry_failed(ADA, result.id, submission="retry:1", view_id=None)
    twice = await world.desk.retry_failed(ADA, result.id, submission="retry:1", view_id=None)
    assert twice.id == retry.id
    assert (await finished(world, retry)).count(Outcome.CREATED) == 1
    assert len(stripe.links()) == 5


@pytest.fixture
def other_mode(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """As a start with a live key does, while modals stand open."""
    live = property(lambda account: Scope(account.organisation_id, account.ledger_id, livemode=True))
    return lambda: monkeypatch.setattr(Account, "scope", live)


async def test_what_was_confirmed_in_the_other_mode_starts_nothing(
    world: World, other_mode: Callable[[], None]
) -> None:
    make_invoice(world.db)
    selection = await ticked(world, 1)
    seal = (await world.desk.confirm(ADA, selection)).seal
    other_mode()
    with pytest.raises(SelectionChanged):
        await world.desk.start_run(ADA, selection, seal=seal, submission="V1", view_id=None)


async def test_a_run_shows_and_is_retried_in_its_own_mode_alone(
    world: World, other_mode: Callable[[], None]
) -> None:
    make_invoice(world.db)
    result = await run(world, await ticked(world, 1))
    other_mode()
    with pytest.raises(RunOfOtherMode):
        await world.desk.get_result(ADA, result.id)
    with pytest.raises(RunOfOtherMode):
        await world.desk.retry_failed(ADA, result.id, submission="retry:1", view_id=None)


async def test_what_failed_is_confirmed_with_its_new_amounts(world: World, stripe: LocalStripe) -> None:
    for _ in range(2):
        make_invoice(world.db, amount=1)
    stripe.rules.least_checked = "creation"
    failed = await finished(world, await run(world, await ticked(world, 2)))
    world.db.run(lambda session: session.execute(sa.update(Invoice).values(amount=5000)))
    with pytest.raises(AmountsChanged):
        await world.desk.retry_failed(ADA, failed.id, submission="retry:1", view_id="V1")
    shown = await world.desk.confirm_failed(ADA, failed.id)
    assert shown.totals == (Money(10_000, "USD"),)
    again = await world.desk.start_run(
        ADA, shown.selection_id, seal=shown.seal, submission="V1:again", view_id="V1"
    )
    assert (await finished(world, again)).count(Outcome.CREATED) == 2
    assert await world.desk.is_followed(ADA, failed.id, "V1")
    assert not await world.desk.is_followed(ADA, again.id, "V1")
    await world.serve("T0OTHER")
    assert not await world.desk.is_followed(Actor("T0OTHER", ADA.user_id), failed.id, "V1")


async def test_nothing_ticked_and_no_add_on_start_nothing(world: World) -> None:
    make_invoice(world.db)
    empty = await ticked(world, 0)
    with pytest.raises(NothingSelected):
        await world.desk.confirm(ADA, empty)
    selection = await ticked(world, 1)
    seal = (await world.desk.confirm(ADA, selection)).seal
    world.db.run(lambda session: session.execute(sa.update(Organisation).values(add_on=False)))
    with pytest.raises(NotEligible):
        await world.desk.confirm(ADA, selection)
    with pytest.raises(NotEligible):
        await world.desk.confirm(ADA, empty)
    with pytest.raises(NotEligible):
        await world.desk.start_run(ADA, selection, seal=seal, submission="V1", view_id=None)


async def test_a_restart_in_the_middle_carries_on(db: Database, world: World, stripe: LocalStripe) -> None:
    for _ in range(30):
        make_invoice(db)
    stripe.faults.add(FaultKind.LOST, times=None, probability=0.3, method="POST", path="/v1/payment_links")
    result = await run(world, await ticked(world, 30))
    async with another_world(db, stripe, owner="two") as two:
        await finished(two, result)
    assert len(stripe.links()) == 30


async def test_other_peoples_and_other_organisations_runs_and_selections_are_refused(world: World) -> None:
    make_invoice(world.db)
    await world.serve("T0OTHER")
    stranger = Actor("T0OTHER", ADA.user_id)
    selection = await ticked(world, 1)
    for actor in [stranger, BEN]:
        with pytest.raises(SelectionNotFound):
            await world.desk.show_list(actor, selection, shape=PAGE)
    result = await run(world, selection)
    with pytest.raises(RunNotFound):
        await world.desk.get_result(stranger, result.id)
    assert (await world.desk.get_result(BEN, result.id)).id == result.id


async def test_the_database_refuses_a_wrong_state(world: World) -> None:
    make_invoice(world.db)
    await world.desk.create_link(ADA, 1, Money(120_050, "USD"), patience=PATIENCE)

    def spoil(session: Session) -> None:
        session.execute(sa.text("UPDATE links SET status = 'Paid'"))

    with pytest.raises(sa.exc.IntegrityError):
        await world.db.write(spoil)


async def test_requests_are_spaced_however_late_the_machine_is(stripe: LocalStripe) -> None:
    api = StripeApi(stripe.api_key, base_url=stripe.api_url, spacing=0.05)
    sent: list[float] = []
    connected = api._connected

    def note() -> Any:
        sent.append(asyncio.get_running_loop().time())
        return connected()

    api._connected = note  # type: ignore[method-assign]
    asking = [asyncio.create_task(api.list_page("/v1/payment_links")) for _ in range(6)]
    await asyncio.sleep(0.06)
    time.sleep(0.2)  # noqa: ASYNC251 - the machine is busy, and everybody who waited wakes at once
    await asyncio.gather(*asking)
    await api.close()
    assert len(stripe.requests) == len(sent) == 6
    assert min(later - sooner for sooner, later in itertools.pairwise(sent)) > 0.049
