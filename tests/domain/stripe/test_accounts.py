"""Whose a key is, is known or proved: no links fall into another account's hands, and none are left behind."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.models import Link, Organisation
from domain.states import LinkState, LinkStatus
from domain.stripe.account import Account
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
    create,
    keys,
    long_ago,
    lose,
    serving,
    started,
    status,
)

__all__ = ["keys"]


async def test_another_accounts_restricted_key_shows_none_of_the_links(
    db: Database, stripe: LocalStripe
) -> None:
    make_invoice(db)
    async with started(db, stripe, A_RESTRICTED) as world:
        await create(world)
        first = world.account.ledger_id
    async with started(db, stripe, B_RESTRICTED) as world:
        assert world.account.known
        assert world.account.ledger_id != first
        assert await status(world) is LinkStatus.NOT_CREATED
        await create(world)
    async with started(db, stripe, A_RESTRICTED) as world:
        assert world.account.ledger_id == first
        assert await status(world) is LinkStatus.PENDING_PAYMENT
    assert len(stripe.links()) == 1
    assert len(stripe.objects("payment_link", account="acct_b")) == 1


async def test_with_another_accounts_secret_key_in_between_there_is_no_second_link(
    db: Database, stripe: LocalStripe
) -> None:
    make_invoice(db)
    async with started(db, stripe, A_RESTRICTED) as world:
        await create(world)
    async with started(db, stripe, B) as world:
        assert await status(world) is LinkStatus.NOT_CREATED
    async with started(db, stripe, A) as world:
        assert await status(world) is LinkStatus.PENDING_PAYMENT
        session = await stripe.open_session(stripe.links()[0]["id"])
        await stripe.pay(session["id"])
        await world.see()
        assert await status(world) is LinkStatus.PAID
    assert accounts(db) == [stripe.account, "acct_b"]
    assert len(stripe.links()) == 1


async def test_a_rolled_key_of_the_same_account_keeps_the_links(db: Database, stripe: LocalStripe) -> None:
    make_invoice(db)
    for key in (A_RESTRICTED, A_ROLLED, A, A_ROLLED):
        async with started(db, stripe, key) as world:
            if key == A_RESTRICTED:
                await create(world)
            assert await status(world) is LinkStatus.PENDING_PAYMENT
    assert accounts(db) == [stripe.account]


async def test_links_made_while_the_account_could_not_be_read_stay_when_it_can(
    db: Database, stripe: LocalStripe
) -> None:
    """The account was known before there was any link, and by a key that is no more."""
    make_invoice(db)
    async with started(db, stripe, A):
        pass
    async with started(db, stripe, A_RESTRICTED) as world:
        await create(world)
    async with started(db, stripe, A) as world:
        assert await status(world) is LinkStatus.PENDING_PAYMENT
    assert accounts(db).count(stripe.account) == 1


async def test_a_first_key_without_any_link_is_known_as_it_begins(db: Database, stripe: LocalStripe) -> None:
    async with started(db, stripe, A_RESTRICTED) as world:
        assert world.account.known
    async with started(db, stripe, B_RESTRICTED) as world:
        assert world.account.known
    assert accounts(db) == [None]
    assert [one.path for one in stripe.requests] == ["/v1/account"] * 2


async def test_the_same_key_is_known_without_a_question(db: Database, stripe: LocalStripe) -> None:
    make_invoice(db)
    async with started(db, stripe, A_RESTRICTED) as world:
        stripe.faults.add(FaultKind.LOST, method="POST", path="/v1/payment_links")
        await create(world)
        ledger = world.account.ledger_id
    before = len(stripe.requests)
    async with started(db, stripe, A_RESTRICTED) as world:
        assert world.account.ledger_id == ledger
    assert [one.path for one in stripe.requests[before:]] == ["/v1/account"]


async def test_an_old_key_after_a_new_one_that_found_nothing_makes_no_second_link(
    db: Database, stripe: LocalStripe
) -> None:
    """The request of the old key's ledger had no effect, and the new key's has made the link."""
    make_invoice(db)
    second = make_invoice(db)
    async with started(db, stripe, A_RESTRICTED) as world:
        for invoice_id in (1, second):
            stripe.faults.add(FaultKind.ERROR, method="POST", path="/v1/payment_links", status=500)
            await create(world, invoice_id)
    long_ago(db)
    async with started(db, stripe, A_ROLLED) as world:
        assert world.account.known
        assert await status(world) is LinkStatus.NOT_CREATED
        await create(world)
        assert await status(world) is LinkStatus.PENDING_PAYMENT
        # The old key's process is still there, or is again.
        async with serving(db, stripe, A_RESTRICTED) as old:
            await old.open()
            old.account._known, old.account._ledger_id = True, 1
            await old.creation.run_due()
    assert len(stripe.links()) == 1
    async with started(db, stripe, A_RESTRICTED) as world:
        assert await status(world) is LinkStatus.PENDING_PAYMENT
        # What was promised goes on where the account's links are.
        db.run(
            lambda session: session.execute(
                sa.update(Link).values(next_attempt_at=datetime(2026, 1, 1, tzinfo=UTC))
            )
        )
        for _ in range(2):
            await world.creation.run_due()
        assert await status(world, second) is LinkStatus.PENDING_PAYMENT
    numbers = [link["metadata"]["invoice_number"] for link in stripe.links()]
    assert len(numbers) == len(set(numbers)) == 2


async def test_back_in_its_account_an_old_key_goes_on_with_what_was_lost(
    db: Database, stripe: LocalStripe
) -> None:
    make_invoice(db)
    async with started(db, stripe, A_RESTRICTED) as world:
        await lose(world, stripe)
        ledger = world.account.ledger_id
    long_ago(db)
    async with started(db, stripe, B_RESTRICTED) as world:
        await create(world)
        assert await status(world) is LinkStatus.PENDING_PAYMENT
    async with started(db, stripe, A_RESTRICTED) as world:
        assert world.account.ledger_id == ledger
        await world.creation.run_due()
        assert await status(world) is LinkStatus.PENDING_PAYMENT
    assert len(stripe.links()) == 1


@pytest.mark.parametrize("meanwhile", ["asked for", "made"])
async def test_no_new_ledger_is_opened_on_a_look_that_is_out_of_date(
    db: Database, stripe: LocalStripe, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    """The old key's process asks once more while the new one's reads the links."""
    make_invoice(db)
    async with started(db, stripe, A_RESTRICTED) as world:
        stripe.faults.add(FaultKind.ERROR, method="POST", path="/v1/payment_links", status=500)
        await create(world)
        ledger = world.account.ledger_id
    long_ago(db)

    async def look(self: Account, candidates: object) -> None:
        now = datetime.now(UTC)
        values: dict[str, object] = {"last_sent_at": now}
        if meanwhile == "made":
            values |= {"state": LinkState.CREATED, "status": LinkStatus.PENDING_PAYMENT}
            values |= {"stripe_id": "plink_1", "url": "https://buy.example/1", "created_at": now}
        db.run(lambda session: session.execute(sa.update(Link).values(**values)))

    with monkeypatch.context() as patch:
        patch.setattr(Account, "_find_lost", look)
        async with started(db, stripe, A_ROLLED) as world:
            assert world.accounts.list_known() == []
    assert accounts(db) == [None]
    assert db.run(lambda session: session.scalar(sa.select(Organisation.ledger_id))) == ledger
