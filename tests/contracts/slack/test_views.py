"""Views of the local Slack, through the official client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.slack import LocalSlack
from tests.contracts.slack.fixtures import (
    World,
    home,
    make_world,
    manifest,
    modal,
    plain,
    refused,
    section,
    text_field,
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with make_world() as made:
        yield made


async def test_a_trigger_works_once_and_for_three_seconds() -> None:
    now = [1000.0]
    async with LocalSlack(manifest(), clock=lambda: now[0]) as slack:
        world = World(slack)
        once, late = world.trigger(), world.trigger()
        assert (await world.client.views_open(trigger_id=once, view=modal()))["view"]["hash"]
        assert (await refused(world.client.views_open(trigger_id=once, view=modal())))["error"] == (
            "exchanged_trigger_id"
        )
        now[0] += 3.1
        assert (await refused(world.client.views_open(trigger_id=late, view=modal())))["error"] == (
            "expired_trigger_id"
        )
        assert (await refused(world.client.views_open(trigger_id="1.2.3", view=modal())))["error"] == (
            "invalid_trigger_id"
        )


async def test_an_invalid_view_is_refused_and_leaves_the_trigger_usable(world: World) -> None:
    trigger = world.trigger()
    answer = await refused(world.client.views_open(trigger_id=trigger, view=modal(title=plain("x" * 25))))
    assert answer["error"] == "invalid_arguments"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"
    ]
    await world.client.views_open(trigger_id=trigger, view=modal())


async def test_three_views_lie_on_each_other_and_no_more(world: World) -> None:
    pushed = world.client.views_push(trigger_id=world.trigger(), view=modal())
    assert (await refused(pushed))["error"] == "invalid_trigger_id"  # a push needs a modal's trigger
    root = (await world.client.views_open(trigger_id=world.trigger(), view=modal()))["view"]
    for _ in range(2):
        top = (await world.client.views_push(trigger_id=world.trigger(from_modal=True), view=modal()))["view"]
    fourth = world.client.views_push(trigger_id=world.trigger(from_modal=True), view=modal())
    assert (await refused(fourth))["error"] == "push_limit_reached"
    assert (top["root_view_id"], len(world.work.views(world.ann))) == (root["id"], 3)


async def test_updates_check_hash_existence_and_type(world: World) -> None:
    view = (await world.client.views_open(trigger_id=world.trigger(), view=modal()))["view"]
    update = world.client.views_update
    await update(view_id=view["id"], hash=view["hash"], view=modal(section("new")))
    stale = update(view_id=view["id"], hash=view["hash"], view=modal())
    assert (await refused(stale))["error"] == "hash_conflict"
    assert (await refused(update(view_id="V0NONE", view=modal())))["error"] == "not_found"
    assert (await refused(update(view_id=view["id"], view=home())))["error"] == "invalid_arguments"
    await world.work.close(world.ann, view["id"])
    assert (await refused(update(view_id=view["id"], view=modal())))["error"] == "not_found"


async def test_external_ids_are_unique_and_name_a_view(world: World) -> None:
    await world.client.views_open(trigger_id=world.trigger(), view=modal(external_id="x"))
    twin = world.client.views_push(trigger_id=world.trigger(from_modal=True), view=modal(external_id="x"))
    assert (await refused(twin))["error"] == "duplicate_external_id"
    await world.client.views_update(external_id="x", view=modal(section("named"), external_id="x"))
    assert world.work.top(world.ann).blocks[0]["text"]["text"] == "named"


async def test_a_view_of_more_than_250_kilobytes_is_too_large(world: World) -> None:
    heavy = [{"type": "section", "fields": [plain("x" * 2000) for _ in range(10)]} for _ in range(13)]
    assert (await refused(world.client.views_open(trigger_id=world.trigger(), view=modal(*heavy))))[
        "error"
    ] == ("view_too_large")


async def test_home_is_published_for_a_person_and_checks_its_hash(world: World) -> None:
    first = (await world.client.views_publish(user_id=world.ann, view=home()))["view"]
    await world.client.views_publish(user_id=world.ann, view=home(section("two")), hash=first["hash"])
    stale = world.client.views_publish(user_id=world.ann, view=home(), hash=first["hash"])
    assert (await refused(stale))["error"] == "hash_conflict"
    shown = world.work.home(world.ann)
    assert shown is not None
    assert shown.blocks[0]["text"]["text"] == "two"


async def test_home_needs_the_home_tab() -> None:
    async with LocalSlack(manifest(home=False)) as slack:
        world = World(slack)
        assert (await refused(world.client.views_publish(user_id=world.ann, view=home())))[
            "error"
        ] == "not_enabled"


async def test_an_update_keeps_what_was_typed_until_the_block_id_changes(world: World) -> None:
    def fields(block_id: str, initial: str) -> dict[str, Any]:
        block = text_field(block_id)
        block["element"]["initial_value"] = initial
        return modal(block)

    view = (await world.client.views_open(trigger_id=world.trigger(), view=fields("one", "first")))["view"]
    await world.work.type(world.ann, view["id"], "one", "a", "typed")
    await world.client.views_update(view_id=view["id"], view=fields("one", "second"))
    assert world.work.top(world.ann).values["one"]["a"]["value"] == "typed"
    await world.client.views_update(view_id=view["id"], view=fields("two", "third"))
    assert world.work.top(world.ann).values == {"two": {"a": {"type": "plain_text_input", "value": "third"}}}
