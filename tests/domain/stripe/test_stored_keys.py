"""Organisations that connected Stripe keys of their own: a process takes them into use, and out of it, by itself."""

from datetime import timedelta

import pytest

from domain.database import Database
from domain.errors import LedgerChanged, NotEligible
from domain.organisations import erasing, stripe_keys
from domain.reasons import Reason
from domain.secrets.box import Box, new_key
from domain.states import LinkStatus, PauseReason
from domain.stripe.pausing import pause
from domain.summaries import Pause
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import PAGE, make_invoice
from tests.domain.stripe.processes import EVE, Process, connect, create, look, processes

__all__ = ["processes"]


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
