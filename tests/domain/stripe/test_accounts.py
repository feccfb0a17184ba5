"""Whose a key is, is known or proved: no links fall into another account's hands, and none are left behind."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.models import Ledger, Link, Organisation
from domain.money import Money
from domain.states import LinkState, LinkStatus
from domain.stripe.account import UNANSWERED, Account
from domain.stripe.ledgers import LOST_AFTER
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")
ACCOUNT = "rak_accounts_kyc_basic_read"
A, B = "sk_test_aaaaaaaaaaaaaaaa", "sk_test_bbbbbbbbbbbbbbbb"
A_RESTRICTED, B_RESTRICTED = "rk_test_aaaaaaaaaaaaaaaa", "rk_test_bbbbbbbbbbbbbbbb"
A_ROLLED = "rk_test_aaaaaaaaaaaaaaa2"


@pytest.fixture(autouse=True)
def keys(stripe: LocalStripe) -> None:
    stripe.add_key(A)
    stripe.add_key(B, account="acct_b")
    for name in (A_RESTRICTED, A_ROLLED):
        stripe.add_key(name, without={ACCOUNT})
    stripe.add_key(B_RESTRICTED, account="acct_b", without={ACCOUNT})


@asynccontextmanager
async def serving(db: Database, stripe: LocalStripe, key: str) -> AsyncIterator[World]:
    """A process with this key, to be started."""
    world = World(db, stripe, owner=key[-4:], key=key)
    try:
        yield world
    finally:
        await world.creation.finish()
        for api in world.apis:
            await api.close()


@asynccontextmanager
async def started(db: Database, stripe: LocalStripe, key: str) -> AsyncIterator[World]:
    """A process with this key, from its start to its end."""
    async with serving(db, stripe, key) as world:
        yield await world.start()


def answering(answer: dict[str, str]) -> Callable[..., Awaitable[dict[str, str]]]:
    async def answered(*_: object) -> dict[str, str]:
        return answer

    return answered


async def create(world: World, invoice_id: int = 1) -> None:
    await world.desk.create_link(ADA, invoice_id, SEEN, patience=PATIENCE)


async def lose(world: World, stripe: LocalStripe) -> None:
    """Create a link of which the answer doesn't come."""
    stripe.faults.add(FaultKind.LOST, method="POST", path="/v1/payment_links")
    await create(world)
    assert len(stripe.links()) == 1


def long_ago(db: Database) -> None:
    """What was sent was sent before LOST_AFTER."""
    then = datetime.now(UTC) - 2 * LOST_AFTER
    sent = sa.update(Link).values(first_sent_at=then, last_sent_at=then, look_first=True)
    db.run(lambda session: session.execute(sent.values(next_attempt_at=then)))


async def status(world: World, invoice_id: int = 1) -> LinkStatus:
    return (await world.desk.get_invoice(ADA, invoice_id)).status


def accounts(db: Database) -> list[str | None]:
    return db.run(lambda session: list(session.scalars(sa.select(Ledger.account).order_by(Ledger.id))))


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
