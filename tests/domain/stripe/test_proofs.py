"""Whose a key is that may not say so: what was sent with the key before proves it, and nothing else does."""

import pytest

from domain.database import Database
from domain.states import LinkStatus
from domain.stripe.account import UNANSWERED
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.stripe.keys import (
    A_RESTRICTED,
    A_ROLLED,
    B_RESTRICTED,
    A,
    B,
    accounts,
    answering,
    create,
    keys,
    long_ago,
    lose,
    serving,
    started,
    status,
)
from tests.domain.world import ADA

__all__ = ["keys"]


@pytest.mark.parametrize("key", [A_ROLLED, A])
async def test_a_link_whose_answer_was_lost_proves_a_key(db: Database, stripe: LocalStripe, key: str) -> None:
    make_invoice(db)
    async with started(db, stripe, A_RESTRICTED) as world:
        await lose(world, stripe)
        ledger = world.account.ledger_id
    async with started(db, stripe, key) as world:
        assert world.accounts.list_known() == [], "it may still be under way"
        long_ago(db)
        await world.accounts.settle()
        assert (world.account.known, world.account.ledger_id) == (True, ledger)
        await world.creation.run_due()
        assert await status(world) is LinkStatus.PENDING_PAYMENT
    assert len(stripe.links()) == 1


async def test_where_no_such_link_is_the_account_is_another(db: Database, stripe: LocalStripe) -> None:
    make_invoice(db)
    async with started(db, stripe, A_RESTRICTED) as world:
        await lose(world, stripe)
        ledger = world.account.ledger_id
    long_ago(db)
    fault = stripe.faults.add(FaultKind.ERROR, times=None, path="/v1/payment_links", method="GET", status=500)
    async with started(db, stripe, B_RESTRICTED) as world:
        assert world.accounts.list_known() == []
        assert len(accounts(db)) == 1
        stripe.faults.remove(fault)
        await world.accounts.settle()
        assert world.account.known
        assert world.account.ledger_id != ledger
        assert await status(world) is LinkStatus.NOT_CREATED


async def test_a_link_of_anothers_that_is_under_way_holds_up_nobody(
    db: Database, stripe: LocalStripe
) -> None:
    """No invoice of this organisation's could get a second link."""
    make_invoice(db)
    async with started(db, stripe, A_RESTRICTED) as world:
        await lose(world, stripe)
        other = await world.serve("T0OTHER", key=B_RESTRICTED)
        assert other.account.known


async def test_one_unlucky_answer_proves_nothing(db: Database, stripe: LocalStripe) -> None:
    make_invoice(db)
    async with started(db, stripe, A_RESTRICTED) as world:
        await create(world)
    stripe.late.missing(stripe.links()[0]["id"], times=2)
    async with started(db, stripe, A_ROLLED) as world:
        assert await status(world) is LinkStatus.PENDING_PAYMENT


@pytest.mark.parametrize("answer", [{"status": "ok"}, {"id": "plink_another"}])
async def test_only_the_link_itself_proves_a_key(
    db: Database, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch, answer: dict[str, str]
) -> None:
    """A gateway may answer anything to everything: neither is the key the ledger's, nor is it another account's."""
    make_invoice(db)
    async with started(db, stripe, A_RESTRICTED) as world:
        await create(world)
        first = world.account.ledger_id
    async with serving(db, stripe, B_RESTRICTED) as world:
        with monkeypatch.context() as patch:
            patch.setattr(world.api, "get_payment_link", answering(answer))
            await world.start()
            await world.accounts.settle()
            assert world.accounts.list_known() == []
            assert (await world.desk.get_stripe_state(ADA)).paused is not None
            assert len(accounts(db)) == 1
        await world.accounts.settle()
        assert world.account.known
        assert world.account.ledger_id != first


async def test_an_answer_without_an_account_is_no_key_that_may_not_read_it(
    db: Database, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_invoice(db)
    async with started(db, stripe, A) as world:
        await create(world)
    async with serving(db, stripe, B) as world:
        with monkeypatch.context() as patch:
            patch.setattr(world.api, "get_account", answering({"status": "ok"}))
            await world.start()
            for _ in range(UNANSWERED):
                await world.accounts.settle()
            assert world.accounts.list_known() == []
        await world.accounts.settle()
        assert world.account.known
    assert accounts(db) == [stripe.account, "acct_b"]


@pytest.mark.parametrize("trouble", ["away", "may not read links"])
async def test_without_an_answer_nothing_is_taken_for_granted(
    db: Database, stripe: LocalStripe, trouble: str
) -> None:
    make_invoice(db)
    async with started(db, stripe, A_RESTRICTED) as world:
        await create(world)
    fault = None
    if trouble == "away":
        fault = stripe.faults.add(
            FaultKind.ERROR, times=None, path="/v1/payment_links/*", method="GET", status=500
        )
    else:
        stripe.key(B_RESTRICTED).permissions = frozenset({"rak_event_read"})
    async with started(db, stripe, B_RESTRICTED) as world:
        assert world.accounts.list_known() == []
        assert (await world.desk.get_stripe_state(ADA)).paused is not None
        if fault is not None:
            stripe.faults.remove(fault)
            await world.accounts.settle()
            assert len(world.accounts.list_known()) == 1
            assert await status(world) is LinkStatus.NOT_CREATED
