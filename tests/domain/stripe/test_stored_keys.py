"""Organisations that connected Stripe keys of their own: a process takes them into use, and out of it, by itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.errors import LedgerChanged, NotEligible
from domain.models import Link
from domain.money import Money
from domain.organisations import erasing, forgetting, organisations, stripe_keys
from domain.reasons import Reason
from domain.secrets.box import Box, new_key
from domain.states import LinkStatus, PauseReason
from domain.stripe.account import Account
from domain.stripe.accounts import Accounts
from domain.stripe.client import StripeApi
from domain.stripe.pausing import pause
from domain.stripe.stored_keys import StoredKeys
from domain.summaries import Actor, Pause
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import PAGE, make_invoice
from tests.domain.world import World, patient_api
from tests.patience import PATIENCE

BOX = Box([new_key()])
SEEN = Money(120_050, "USD")
EVE = Actor("T0EVE", "U0EVE")


class Process(World):
    """One of several that serve all organisations by the keys that they connected."""

    def __init__(self, db: Database, stripe: LocalStripe, owner: str) -> None:
        super().__init__(db, stripe, owner=owner)
        self.made: list[str] = []

    def make_accounts(self) -> Accounts:
        return Accounts(self.db, clock=self.clock, stored=StoredKeys(BOX, self._make_api))

    def _make_api(self, key: str) -> StripeApi:
        self.made.append(key)
        api = patient_api(key, self.stripe, self.clock)
        self.apis.append(api)
        return api


@pytest.fixture
async def processes(db: Database, stripe: LocalStripe) -> AsyncIterator[tuple[Process, Process]]:
    db.run(organisations.ensure, EVE.team_id, "Eve", "C0EVE")
    both = Process(db, stripe, "one"), Process(db, stripe, "two")
    yield both
    for one in both:
        await one.creation.finish()
        for api in one.apis:
            await api.close()


def connect(db: Database, key: str) -> None:
    db.run(stripe_keys.store, BOX, EVE.team_id, key, by="U0EVE")


async def look(*processes: Process) -> None:
    for one in processes:
        await one.accounts.look()
        await one.accounts.settle()


async def create(process: Process, invoice_id: int) -> LinkStatus:
    return (await process.desk.create_link(EVE, invoice_id, SEEN, patience=PATIENCE)).status


async def test_without_a_key_people_look_and_are_told_why_nothing_is_created(
    db: Database, processes: tuple[Process, Process]
) -> None:
    process, _ = processes
    invoice_id = make_invoice(db, "INV-1", organisation_id=1)
    assert (await process.desk.get_stripe_state(EVE)).connected is False
    assert (await process.desk.get_home(EVE)).stripe.connected is False
    shown = await process.desk.find_details(EVE, "inv-1")
    assert shown is not None
    assert shown.stripe.connected is False
    with pytest.raises(NotEligible) as refused:
        await create(process, invoice_id)
    assert refused.value.reason is Reason.NOT_CONNECTED
    listed = await process.desk.open_list(EVE, shape=PAGE)
    ticked = {"displayed": {invoice_id}, "ticked": {invoice_id}}
    await process.desk.tick(
        EVE, listed.selection.id, revision=1, acted_at="1.000001", opened_with="", **ticked
    )
    with pytest.raises(NotEligible) as refused:
        await process.desk.confirm(EVE, listed.selection.id)
    assert refused.value.reason is Reason.NOT_CONNECTED


async def test_a_key_is_taken_into_use_replaced_and_given_up_in_every_process(
    db: Database, stripe: LocalStripe, processes: tuple[Process, Process]
) -> None:
    first, second, third = (make_invoice(db, f"INV-{n}", organisation_id=1) for n in range(3))
    connect(db, stripe.api_key)
    await look(*processes)
    here, there = processes
    assert await create(there, first) is LinkStatus.PENDING_PAYMENT
    ledger = there.accounts.get(1).ledger_id

    # Rolled: the same account by another key, and nothing is asked with the old one any more.
    rolled = stripe.add_key("sk_test_rolled").secret
    connect(db, rolled)
    before = here.accounts.get(1)
    await look(*processes)
    stripe.key(stripe.api_key).revoked = True
    assert before.retired
    assert await create(here, second) is LinkStatus.PENDING_PAYMENT
    assert [one.accounts.get(1).ledger_id for one in processes] == [ledger, ledger]

    # Of another account: a ledger of its own, in which the invoice has no link.
    connect(db, stripe.add_key("sk_test_other", account="acct_other").secret)
    await look(here)
    assert here.accounts.get(1).ledger_id != ledger
    assert (await here.desk.get_invoice(EVE, first)).status is LinkStatus.NOT_CREATED
    with pytest.raises(LedgerChanged):
        # This one has the old key still, and is refused by the database.
        await create(there, third)
    assert stripe.objects("payment_link", account="acct_other") == []

    db.run(erasing.erase, EVE.team_id, "slack")
    await look(*processes)
    asked = len(stripe.requests)
    with pytest.raises(NotEligible):
        await create(here, third)
    for one in processes:
        await one.see()
        await one.watching.sweep_if_due()
    assert len(stripe.requests) == asked

    # Connected again, what is there is taken up again without a question.
    connect(db, "sk_test_other")
    await look(here)
    assert await create(here, third) is LinkStatus.PENDING_PAYMENT
    assert len(stripe.objects("payment_link", account="acct_other")) == 1


async def test_a_start_asks_nothing_of_whoever_was_known_before(
    db: Database, stripe: LocalStripe, processes: tuple[Process, Process]
) -> None:
    here, there = processes
    connect(db, stripe.api_key)
    await look(here)
    asked = len(stripe.requests)
    await look(there)
    assert there.accounts.get(1).known
    assert len(stripe.requests) == asked

    # Unless something was wrong with the key when it was last used: that it is over shows when Stripe answers.
    db.run(pause, there.accounts.get(1).ledger_id, Pause(PauseReason.KEY_REFUSED))
    another = Process(db, stripe, "three")
    await look(another)
    assert len(stripe.requests) > asked
    assert (await another.desk.get_stripe_state(EVE)).paused is None
    for api in another.apis:
        await api.close()


async def test_what_was_paid_while_the_app_was_not_installed_is_found(
    db: Database, stripe: LocalStripe, processes: tuple[Process, Process]
) -> None:
    here, there = processes
    invoice_id = make_invoice(db, "INV-1", organisation_id=1)
    connect(db, stripe.api_key)
    await look(here)
    await create(here, invoice_id)
    db.run(erasing.erase, EVE.team_id, "slack")
    await look(here)
    (link,) = stripe.objects("payment_link")
    await stripe.pay((await stripe.open_session(link["id"]))["id"])
    connect(db, stripe.api_key)
    there.ahead = timedelta(0)
    await look(there)
    await there.watching.sweep_if_due()
    assert (await there.desk.get_invoice(EVE, invoice_id)).status is LinkStatus.PAID


async def test_a_key_that_cannot_be_opened_is_nobodys_key(
    db: Database, stripe: LocalStripe, processes: tuple[Process, Process]
) -> None:
    db.run(stripe_keys.store, Box([new_key()]), EVE.team_id, stripe.api_key, by="U0EVE")
    await look(*processes)
    assert processes[0].accounts.find(1) is None
    assert (await processes[0].desk.get_stripe_state(EVE)).connected is False


class Held:
    """Holds up an organisation's first call of a method of Account's, once what it asks for is there, until it is told to go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, organisation_id: int = 1) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        method = getattr(Account, name)

        async def holding(account: Account, *args: object) -> object:
            found = await method(account, *args)
            if account.organisation_id == organisation_id and not self.reached.is_set():
                self.reached.set()
                await self.go_on.wait()
            return found

        monkeypatch.setattr(Account, name, holding)


async def test_of_two_looks_at_once_the_older_one_brings_no_key_back(
    db: Database, stripe: LocalStripe, processes: tuple[Process, Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    process, _ = processes
    other = db.run(organisations.ensure, "T0OTHER", "Other", "C0OTHER").team_id
    first, second = (Held(monkeypatch, "start", organisation_id) for organisation_id in (1, 2))
    connect(db, stripe.api_key)
    older = asyncio.create_task(process.accounts.look())
    await first.reached.wait()
    db.run(erasing.erase, EVE.team_id, "slack")
    db.run(stripe_keys.store, BOX, other, stripe.api_key, by="U0OTHER")
    newer = asyncio.create_task(process.accounts.look())
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(second.reached.wait(), 0.5)
    first.go_on.set()
    await older
    second.go_on.set()
    await newer
    await process.accounts.look()
    assert process.accounts.find(1) is None
    assert process.accounts.find(2) is not None


async def test_what_stripe_says_of_a_key_that_was_replaced_meanwhile_changes_nothing(
    db: Database, stripe: LocalStripe, processes: tuple[Process, Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    process, _ = processes
    connect(db, stripe.api_key)
    await process.accounts.look()
    held = Held(monkeypatch, "_find_proved")
    settling = asyncio.create_task(process.accounts.settle())
    await held.reached.wait()
    connect(db, stripe.add_key("sk_test_other", account="acct_other").secret)
    await look(process)
    held.go_on.set()
    await settling
    assert await create(process, make_invoice(db, "INV-1", organisation_id=1)) is LinkStatus.PENDING_PAYMENT
    assert len(stripe.objects("payment_link", account="acct_other")) == 1


async def test_nothing_more_is_asked_for_whoever_gave_up_their_key_with_that_of_another_on_the_same_account(
    db: Database, stripe: LocalStripe, processes: tuple[Process, Process]
) -> None:
    process, _ = processes
    made, promised = (make_invoice(db, f"INV-{n}", organisation_id=1) for n in range(2))
    other = db.run(organisations.ensure, "T0OTHER", "Other", "C0OTHER").team_id
    connect(db, stripe.api_key)
    db.run(stripe_keys.store, BOX, other, stripe.add_key("sk_test_second").secret, by="U0OTHER")
    await look(process)
    assert process.accounts.get(1).ledger_id == process.accounts.get(2).ledger_id
    await create(process, made)
    listed = await process.desk.open_list(EVE, shape=PAGE)
    ticked = {"displayed": {promised}, "ticked": {promised}}
    await process.desk.tick(
        EVE, listed.selection.id, revision=1, acted_at="1.000001", opened_with="", **ticked
    )
    shown = await process.desk.confirm(EVE, listed.selection.id)
    await process.desk.start_run(EVE, listed.selection.id, seal=shown.seal, submission="s", view_id=None)

    db.run(erasing.erase, EVE.team_id, "slack")
    await look(process)
    await process.creation.run_due()
    assert len(stripe.links()) == 1
    with pytest.raises(NotEligible) as refused:
        await process.desk.recheck(EVE, made)
    assert refused.value.reason is Reason.NOT_CONNECTED

    connect(db, stripe.api_key)
    await look(process)
    await run_until(process, lambda: len(stripe.links()) == 2)


async def test_a_key_of_whoever_was_forgotten_makes_nothing_for_whoever_comes_after(
    db: Database, stripe: LocalStripe, processes: tuple[Process, Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite gives ids anew, and a process that hung meanwhile has both."""
    process, _ = processes
    connect(db, stripe.api_key)
    await look(process)
    db.run(erasing.erase, EVE.team_id, "operator")
    forgetting.forget(db, EVE.team_id)
    new = Actor("T0NEW", "U0NEW")
    # As it may be there: of another organisation, with the ledger's id.
    organisation_ids = [
        db.run(organisations.ensure, team_id, "", "C0NEW").id for team_id in ("T0NOBODY", new.team_id)
    ]
    other = stripe.add_key("sk_test_other", account="acct_other").secret
    db.run(stripe_keys.store, BOX, new.team_id, other, by="U0NEW")
    invoice_id = make_invoice(db, "INV-1", organisation_id=organisation_ids[1])
    with monkeypatch.context() as patch:
        patch.setattr(process.accounts, "_drop_forgotten", nothing)
        await look(process)
    listed = await process.desk.open_list(new, shape=PAGE)
    ticked = {"displayed": {invoice_id}, "ticked": {invoice_id}}
    await process.desk.tick(
        new, listed.selection.id, revision=1, acted_at="1.000001", opened_with="", **ticked
    )
    shown = await process.desk.confirm(new, listed.selection.id)
    await process.desk.start_run(new, listed.selection.id, seal=shown.seal, submission="s", view_id=None)
    await run_until(
        process, lambda: bool(stripe.links() or stripe.objects("payment_link", account="acct_other"))
    )
    assert stripe.links() == []

    db.run(stripe_keys.store, BOX, new.team_id, other, by="U0NEW")
    await look(process)
    assert [account.organisation_id for account in process.accounts] == [organisation_ids[1]]


async def nothing() -> None:
    pass


async def run_until(process: Process, is_made: Callable[[], bool]) -> None:
    """What is put off until it is known what Stripe has is due again at once."""
    due = sa.update(Link).values(next_attempt_at=Link.reserved_at)
    async with asyncio.timeout(PATIENCE):
        while not is_made():
            process.db.run(lambda session: session.execute(due))
            await process.creation.run_due()
