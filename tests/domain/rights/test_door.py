"""Every door of the desk asks who comes in, and asks again when it matters."""

import inspect
from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import pytest
import sqlalchemy as sa

from domain.desk import Desk
from domain.errors import NotAllowed, StandingUnknown
from domain.files.exporting import Export
from domain.files.exports import Format
from domain.lists.page_shape import PageShape
from domain.models import AuditEntry, Installation, Link
from domain.money import Money
from domain.organisations import settings
from domain.organisations.settings import Settings
from domain.overview.summaries import FollowedView
from domain.states import Creators, Right, Standing
from domain.summaries import Actor
from tests.domain.factories import NOW, TEAM, make_invoice
from tests.domain.world import World
from tests.patience import PATIENCE

ADA = Actor(TEAM, "U0ADA")
SHAPE = MagicMock(spec=PageShape)
DEEDS: dict[str, Right] = {
    **dict.fromkeys(
        "find_invoice get_invoice find_details look_up get_details recheck find_nearest find_options "
        "welcome get_home get_stripe_state open_list show_list tick select_page clear_selection untick turn_page narrow "
        "refresh_list get_result is_followed list_exceptions get_exception get_import follow_longer follow_home "
        "list_invoices list_events get_set_up note_tried get_history".split(),
        Right.LOOK,
    ),
    **dict.fromkeys("create_link confirm start_run retry_failed confirm_failed".split(), Right.CREATE),
    **dict.fromkeys(
        "bring_in preview_import answer_import question_import start_import put_invoices".split(),
        Right.IMPORT,
    ),
    "resolve_exception": Right.RESOLVE,
    **dict.fromkeys("show_settings change_settings connect_stripe".split(), Right.SETTINGS),
}
"""What each of the desk's methods is for."""
UNASKED = {
    "get_organisation": "names no person, and shows none of its invoices",
    "check": "is the question itself",
    "list_homes": "tells of each person whether they may: below",
    "record_outsider": "writes a refusal down",
    "forget_welcome": "takes back what welcome did",
    "take_event": "only tells the first delivery of an event from the second",
    "list_unfinished_runs": "for the bot itself: the results are asked for",
    "list_unfinished_imports": "for the bot itself: the results are asked for",
    "list_followed": "for the bot itself: the details are asked for",
    "list_followed_teams": "for the bot itself: the details are asked for",
    "write_down_followed": "for the bot itself: of details that were shown to them",
    "mark_followed": "for the bot itself",
    "list_due_homes": "for the bot itself: Home is asked for",
    "take_home": "for the bot itself",
    "mark_home": "for the bot itself",
    "forget_view": "for the bot itself",
    "admit": "is how a program gets its rights",
}


def methods() -> dict[str, Callable[..., Any]]:
    return {
        name: method
        for name, method in inspect.getmembers(Desk, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }


def refusals(world: World) -> list[tuple[str, str]]:
    found = sa.select(AuditEntry.actor, AuditEntry.subject).where(AuditEntry.action == "act.refused")
    return world.db.run(
        lambda session: [(row.actor, row.subject) for row in session.execute(found.order_by(AuditEntry.id))]
    )


def set_up(world: World, **changes: Any) -> Settings:
    return world.db.run(settings.change, world.organisation_id, by="U0ADMIN", now=NOW, **changes)


def arguments(method: Callable[..., Any], actor: Actor) -> dict[str, Any]:
    given = {
        "to": Right.LOOK,
        "content": b"number\n",
        "shape": SHAPE,
        "patience": 0.0,
        "view": FollowedView("V1", actor, 1, "", ""),
    }
    return {
        name: actor if name == "actor" else given.get(name, 1)
        for name, parameter in inspect.signature(method).parameters.items()
        if name != "self" and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }


def test_each_door_is_for_something() -> None:
    assert set(methods()) == set(DEEDS) | set(UNASKED)
    assert not set(DEEDS) & set(UNASKED)


async def test_each_door_is_shut_for_whoever_may_not(world: World) -> None:
    """The same people come to all of them: what stands first in a method is the question."""
    await world.start()
    world.people.standings = {"U0GIL": Standing.GUEST}
    gil = Actor(TEAM, "U0GIL")
    program = Actor(TEAM, "token:books", rights=frozenset())
    for name, deed in DEEDS.items():
        for actor in (gil, program):
            method = methods()[name]
            with pytest.raises(NotAllowed) as refused:
                await method(world.desk, **arguments(method, actor))
            assert refused.value.deed is deed, name
    told = [(actor.user_id, deed.value) for deed in DEEDS.values() for actor in (gil, program)]
    assert refusals(world) == told
    world.people.standings = {"U0GIL": StandingUnknown()}
    with pytest.raises(StandingUnknown):
        await world.desk.get_invoice(gil, 1)
    assert refusals(world)[-1] == ("U0GIL", "look")


async def test_a_right_that_was_taken_away_is_noticed_at_create(world: World) -> None:
    await world.start()
    invoice_id = make_invoice(world.db, "INV-1")
    seen = Money(120_050, "USD")
    assert Right.CREATE in (await world.desk.get_details(ADA, invoice_id)).rights

    set_up(world, creators=Creators.CHOSEN, chosen_people=("U0BEN",), administrators=("U0CEO",))
    with pytest.raises(NotAllowed) as refused:
        await world.desk.create_link(ADA, invoice_id, seen, patience=PATIENCE)
    assert refused.value.ask == ("U0CEO",)
    assert world.db.run(lambda session: session.scalar(sa.select(sa.func.count(Link.id)))) == 0
    assert Right.CREATE not in (await world.desk.get_details(ADA, invoice_id)).rights
    made = await world.desk.create_link(Actor(TEAM, "U0BEN"), invoice_id, seen, patience=PATIENCE)
    assert made.link is not None


async def test_whoever_installed_paylink_administers_it(world: World) -> None:
    await world.start()
    eve = Actor(TEAM, "U0EVE")
    with pytest.raises(NotAllowed):
        await world.desk.show_settings(ADA)
    installed = Installation(
        organisation_id=world.organisation_id,
        for_enterprise=False,
        bot_id="B1",
        bot_user_id="U0BOT",
        scopes="",
        installed_by=ADA.user_id,
        installed_at=NOW,
        generation=1,
    )
    world.db.run(lambda session: session.add(installed))
    assert await world.desk.change_settings(ADA, administrators=("U0CEO",)) == Settings(
        administrators=("U0CEO",)
    )
    with pytest.raises(NotAllowed) as refused:
        await world.desk.show_settings(eve)
    assert refused.value.ask == ("U0CEO", ADA.user_id)


async def test_a_user_group_is_asked_for_only_where_it_decides(world: World) -> None:
    await world.start()
    invoice_id = make_invoice(world.db, "INV-1")
    seen = Money(120_050, "USD")
    set_up(world, creators=Creators.GROUP, user_group="S0BILLING")
    with pytest.raises(StandingUnknown):
        await world.desk.create_link(ADA, invoice_id, seen, patience=PATIENCE)
    assert Right.CREATE not in (await world.desk.get_details(ADA, invoice_id)).rights
    world.people.groups["S0BILLING"] = {"U0BEN"}
    with pytest.raises(NotAllowed):
        await world.desk.create_link(ADA, invoice_id, seen, patience=PATIENCE)
    world.people.groups["S0BILLING"].add(ADA.user_id)
    assert (await world.desk.create_link(ADA, invoice_id, seen, patience=PATIENCE)).link is not None


async def test_homes_are_drawn_anew_for_those_who_may_look(world: World) -> None:
    await world.start()
    gil, nobody = Actor(TEAM, "U0GIL"), Actor(TEAM, "U0NOBODY")
    world.people.standings = {"U0GIL": Standing.GUEST, "U0NOBODY": StandingUnknown()}
    set_up(world, creators=Creators.GROUP, user_group="S0BILLING")
    world.people.groups["S0BILLING"] = {ADA.user_id}
    homes = await world.desk.list_homes((ADA, gil, nobody))
    assert set(homes) == {ADA, gil}
    assert isinstance(homes[gil], NotAllowed)
    shown = homes[ADA]
    assert not isinstance(shown, NotAllowed)
    assert shown.rights == {Right.LOOK, Right.CREATE, Right.IMPORT, Right.RESOLVE}
    assert refusals(world) == []


async def test_files_come_to_those_who_may_look(world: World) -> None:
    await world.start()
    world.people.standings = {ADA.user_id: Standing.GUEST}
    export = Export(world.db, world.desk.door, world.clock)
    for pieces in (
        export.export_list(ADA, filter=None, search="", format=Format.CSV),
        export.export_run(ADA, 1, format=Format.CSV),
    ):
        with pytest.raises(NotAllowed):
            _ = [piece async for piece in pieces]
    assert len(refusals(world)) == 2


async def test_looks_that_nobody_asked_for_leave_nothing_in_the_audit(world: World) -> None:
    """They are taken every few seconds, for as long as somebody has the view open."""
    await world.start()
    invoice_id = make_invoice(world.db, "INV-1")
    for standing in (StandingUnknown(), Standing.GUEST):
        world.people.standings = {ADA.user_id: standing}
        for actor in (ADA.unasked, ADA):
            with pytest.raises((NotAllowed, StandingUnknown)):
                await world.desk.get_details(actor, invoice_id)
    assert refusals(world) == [(ADA.user_id, "look")] * 2
