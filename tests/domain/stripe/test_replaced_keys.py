"""Nothing is asked for, told or made with a key that was replaced, given up or forgotten meanwhile."""

import asyncio
import contextlib
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.errors import NotEligible
from domain.models import Link
from domain.organisations import erasing, forgetting, organisations, stripe_keys
from domain.reasons import Reason
from domain.states import LinkStatus
from domain.stripe.account import Account
from domain.summaries import Actor
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import PAGE, make_invoice
from tests.domain.stripe.processes import BOX, EVE, Process, connect, create, look, processes
from tests.patience import PATIENCE

__all__ = ["processes"]


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
