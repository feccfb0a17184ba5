"""What handlers count on from a desk, on the real one and on the fake that their tests work with."""

import inspect

import pytest

from domain.desk import Desk
from domain.desks.programs import ProgramDesk
from domain.errors import (
    AmountChanged,
    InvoiceNotFound,
    LedgerChanged,
    NotAllowed,
    NotEligible,
    OrganisationUnknown,
    RunNotFound,
    SelectionNotFound,
)
from domain.money import Money
from domain.overview.summaries import LookedUp, Tally
from domain.reasons import Reason
from domain.states import LinkStatus
from domain.summaries import Actor
from tests.contracts.desk.fixtures import DOLLARS, Billed, Office, office
from tests.domain.factories import PAGE
from tests.handlers.fake_desk import FakeDesk
from tests.patience import PATIENCE

__all__ = ["office"]

NOTHING = Money(0, "USD")
THREE = (Billed("INV-1"), Billed("INV-2", buyer_name="Berlin Bakery"), Billed("INV-3", amount=NOTHING))


def test_the_fake_has_every_method_of_the_desk_with_the_same_parameters() -> None:
    # Programs come to the desk over HTTP, not through handlers.
    for_people = [each for each in Desk.__mro__ if each is not ProgramDesk]
    named = {name for each in for_people for name in vars(each) if not name.startswith("_")}
    for name, method in inspect.getmembers(Desk, inspect.isfunction):
        if name in named:
            assert inspect.signature(getattr(FakeDesk, name)) == inspect.signature(method), name


async def test_an_invoice_is_found_by_its_number_whatever_its_case_and_blanks(office: Office) -> None:
    office.bill(*THREE)
    found = await office.desk.find_invoice(office.ann, " inv-2 ")
    details = await office.desk.find_details(office.ann, "inv-2")
    assert found is not None
    assert (found.id, found.status, found.eligible) == (2, LinkStatus.NOT_CREATED, True)
    assert details is not None
    assert details.invoice == found
    assert await office.desk.find_invoice(office.ann, "INV-") is None
    assert await office.desk.find_details(office.ann, "INV-") is None


@pytest.mark.parametrize("typed", ["inv-2", "INV\u20112", "INV-2\u200b", "ＩＮＶ－２", "\u00a0INV–2 "])
async def test_a_number_is_looked_up_however_it_is_written(office: Office, typed: str) -> None:
    office.bill(*THREE)
    found = await office.desk.look_up(office.ann, typed)
    assert found.details is not None
    assert (found.details.invoice.number, found.options) == ("INV-2", ())
    assert await office.desk.look_up(office.ann, "X-2") == LookedUp()
    assert [one.number for one in (await office.desk.look_up(office.ann, "bak")).options] == ["INV-2"]


async def test_ids_that_nothing_has_are_not_found(office: Office) -> None:
    office.bill(*THREE)
    with pytest.raises(InvoiceNotFound):
        await office.desk.get_invoice(office.ann, 99)
    with pytest.raises(InvoiceNotFound):
        await office.desk.get_details(office.ann, 99)
    with pytest.raises(InvoiceNotFound):
        await office.desk.get_history(office.ann, 99, 0)
    with pytest.raises(InvoiceNotFound):
        await office.desk.create_link(office.ann, 99, DOLLARS, patience=PATIENCE)
    with pytest.raises(RunNotFound):
        await office.desk.get_result(office.ann, 99)
    with pytest.raises(SelectionNotFound):
        await office.desk.show_list(office.ann, 99, shape=PAGE)
    with pytest.raises(SelectionNotFound):
        await office.desk.confirm(office.ann, 99)


async def test_a_workspace_that_isnt_set_up_gets_nothing(office: Office) -> None:
    office.bill(*THREE)
    stranger = Actor("T0STRANGER", "U0ANNA")
    with pytest.raises(OrganisationUnknown):
        await office.desk.get_organisation(stranger.team_id)
    with pytest.raises(OrganisationUnknown):
        await office.desk.find_invoice(stranger, "INV-1")
    with pytest.raises(OrganisationUnknown):
        await office.desk.open_list(stranger, shape=PAGE)
    with pytest.raises(OrganisationUnknown):
        await office.desk.get_home(stranger)


async def test_the_nearest_numbers_and_the_options_of_a_text(office: Office) -> None:
    office.bill(*THREE)
    assert "INV-2" in [one.number for one in await office.desk.find_nearest(office.ann, "INV-22")]
    assert [one.number for one in await office.desk.find_options(office.ann, "bak")] == ["INV-2"]
    assert await office.desk.find_options(office.ann, "akery") == ()


async def test_a_link_is_created_once(office: Office) -> None:
    office.bill(*THREE)
    first = await office.desk.create_link(office.ann, 1, DOLLARS, patience=PATIENCE)
    assert (first.status, first.reason, first.eligible) == (
        LinkStatus.PENDING_PAYMENT,
        Reason.PENDING_PAYMENT,
        False,
    )
    assert first.link is not None
    assert first.link.amount == DOLLARS
    again = await office.desk.create_link(office.ann, 1, DOLLARS, patience=PATIENCE)
    assert again.link is not None
    assert again.link.url == first.link.url


async def test_no_link_over_another_amount_than_was_seen(office: Office) -> None:
    office.bill(*THREE)
    with pytest.raises(AmountChanged) as changed:
        await office.desk.create_link(office.ann, 1, Money(1, "USD"), patience=PATIENCE)
    assert (changed.value.number, changed.value.seen, changed.value.now) == (
        "INV-1",
        Money(1, "USD"),
        DOLLARS,
    )


async def test_no_link_for_what_isnt_eligible(office: Office) -> None:
    office.bill(*THREE)
    with pytest.raises(NotEligible) as refused:
        await office.desk.create_link(office.ann, 3, NOTHING, patience=PATIENCE)
    assert refused.value.reason is Reason.NOT_POSITIVE


async def test_home_shows_what_waits_for_payment(office: Office) -> None:
    office.bill(*THREE)
    await office.desk.create_link(office.ann, 1, DOLLARS, patience=PATIENCE)
    home = await office.desk.get_home(office.ann)
    assert [one.id for one in home.waiting] == [1]
    assert (home.pending, home.paid, home.lately_paid) == (1, 0, ())
    assert home.owed is not None
    assert home.owed.pending == Tally(1, (DOLLARS,))
    assert home.owed.not_created == Tally(1, (DOLLARS,))
    assert home.organisation == await office.desk.get_organisation(office.ann.team_id)
    assert home.stripe == await office.desk.get_stripe_state(office.ann)
    with pytest.raises(LedgerChanged):
        await office.desk.create_link(office.ann, 2, DOLLARS, patience=PATIENCE, livemode=True)


async def test_everybody_is_welcomed_once_and_each_event_is_taken_once(office: Office) -> None:
    desk = office.desk
    assert await desk.welcome(office.ann)
    assert not await desk.welcome(office.ann)
    await desk.forget_welcome(office.ann)
    assert await desk.welcome(office.ann)
    assert await desk.take_event(office.ann, "Ev1")
    assert not await desk.take_event(office.ann, "Ev1")
    assert await desk.take_event(office.ann, "Ev2")


async def test_settings_and_steps_are_kept_with_the_channel_among_them(office: Office) -> None:
    office.let_administer()
    changed = await office.desk.change_settings(office.ann, channel="C0NEW", language="de")
    shown = await office.desk.show_settings(office.ann)
    assert (shown.channel, shown.settings, changed.language) == ("C0NEW", changed, "de")
    await office.desk.note_tried(office.ann)
    found = await office.desk.get_set_up(office.ann)
    assert (found.may, found.steps.channel, found.steps.tried) == (True, True, True)


async def test_who_is_no_administrator_sees_no_settings_and_connects_nothing(office: Office) -> None:
    office.let_administer(False)
    for refused in (
        office.desk.show_settings(office.ann),
        office.desk.change_settings(office.ann, channel="C0NEW"),
        office.desk.connect_stripe(office.ann, "rk_test_0123456789", "", confirmed=""),
    ):
        with pytest.raises(NotAllowed):
            await refused
    assert (await office.desk.get_organisation(office.ann.team_id)).channel != "C0NEW"
    assert not (await office.desk.get_set_up(office.ann)).may
