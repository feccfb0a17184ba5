"""Files that people put into an app's forms, and files that it sends them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from sandbox.slack import check_view
from tests.contracts.slack.fixtures import (
    Json,
    Running,
    World,
    field,
    make_running,
    make_world,
    manifest,
    modal,
    refused,
)

SCOPES = ["commands", "chat:write", "files:read", "files:write", "users:read"]
MEGABYTE = 1024 * 1024


def form(**element: object) -> Json:
    return modal(field({"type": "file_input", "action_id": "f", **element}), callback_id="v")


@pytest.fixture(params=["socket", "http"])
async def run(request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    async with make_running(request.param, manifest(scopes=SCOPES)) as made:
        yield made


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with make_world(manifest(scopes=SCOPES)) as made:
        yield made


async def download(world: World, url: str, token: str | None) -> tuple[int, str, bytes]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, answer.content_type, await answer.read()


async def test_a_submission_tells_the_files_and_the_token_brings_their_bytes(run: Running) -> None:
    await run.client.views_open(trigger_id=run.trigger(), view=form(max_files=1, filetypes=["csv"]))
    view = run.work.top(run.ann)
    mine = run.work.upload(run.ann, "May Invoices.csv", b"number\nINV-1\n")
    assert not (await run.work.click(run.ann, view.id, "b", "f", [mine])).sent
    assert (await run.work.submit(run.ann, view.id)).ok
    [file] = run.got[-1]["view"]["state"]["values"]["b"]["f"]["files"]
    told = (file["id"], file["name"], file["size"], file["mimetype"], file["user"], file["file_access"])
    assert told == (mine, "May Invoices.csv", 13, "text/csv", run.ann, "visible")
    token = run.work.bot_token
    assert (await download(run, file["url_private_download"], token))[2] == b"number\nINV-1\n"
    assert (await run.client.files_info(file=mine))["file"] == file


async def test_a_token_that_may_not_read_files_gets_a_page_with_status_200(world: World) -> None:
    mine = world.work.upload(world.ann, "a.csv", b"x")
    url = (await world.client.files_info(file=mine))["file"]["url_private_download"]
    world.work.scopes.remove("files:read")
    for token in (world.work.bot_token, "xoxb-another", None):
        status, kind, body = await download(world, url, token)
        assert (status, kind) == (200, "text/html")
        assert b"Sign in" in body
    answer = await refused(world.client.files_info(file=mine))
    assert (answer["error"], answer["needed"]) == ("missing_scope", "files:read")


async def test_without_the_scope_there_is_no_such_input(world: World) -> None:
    world.work.scopes.remove("files:read")
    answer = await refused(world.client.views_open(trigger_id=world.trigger(), view=form()))
    assert "files:read" in answer["response_metadata"]["messages"][0]


@pytest.mark.parametrize("element", [{"max_files": 11}, {"max_files": 0}, {"filetypes": []}])
def test_limits_of_the_input(element: Json) -> None:
    assert check_view(form(**element))


def test_it_stands_in_modals_only() -> None:
    home = {"type": "home", "blocks": [field({"type": "file_input", "action_id": "f"})]}
    assert "unsupported element type: file_input" in check_view(home)[0]


async def test_what_a_client_takes_into_no_form(world: World) -> None:
    await world.client.views_open(trigger_id=world.trigger(), view=form(max_files=1, filetypes=["csv"]))
    view = world.work.top(world.ann)
    small = world.work.upload(world.ann, "a.csv", b"x")
    large = world.work.upload(world.ann, "b.csv", bytes(10 * MEGABYTE + 1))
    picture = world.work.upload(world.ann, "c.png", b"x")
    for ids in ([large], [picture], [small, small]):
        outcome = await world.work.click(world.ann, view.id, "b", "f", ids)
        assert outcome.errors["b"]
        assert view.values["b"]["f"]["files"] == []
    bob = world.work.add_person("bob")
    with pytest.raises(LookupError):
        await world.work.click(world.ann, view.id, "b", "f", [world.work.upload(bob, "d.csv", b"x")])
    assert (await world.work.submit(world.ann, view.id)).errors == {
        "b": "Please complete this required field."
    }


async def test_of_a_connected_workspace_s_file_a_payload_says_nothing(run: Running) -> None:
    await run.client.views_open(trigger_id=run.trigger(), view=form())
    view = run.work.top(run.ann)
    theirs = run.work.upload(run.ann, "a.csv", b"x", connected=True)
    await run.work.click(run.ann, view.id, "b", "f", [theirs])
    await run.work.submit(run.ann, view.id)
    [file] = run.got[-1]["view"]["state"]["values"]["b"]["f"]["files"]
    assert (file["file_access"], "url_private_download" in file) == ("check_file_info", False)
    assert (await run.client.files_info(file=theirs))["file"]["name"] == "a.csv"


async def test_a_file_that_was_deleted(world: World) -> None:
    mine = world.work.upload(world.ann, "a.csv", b"x")
    url = (await world.client.files_info(file=mine))["file"]["url_private_download"]
    world.work.delete_file(mine)
    assert (await refused(world.client.files_info(file=mine)))["error"] == "file_deleted"
    assert (await download(world, url, world.work.bot_token))[0] == 404
    assert (await refused(world.client.files_info(file="F0")))["error"] == "file_not_found"


async def test_files_go_to_people_with_a_message(world: World) -> None:
    place = await world.client.files_getUploadURLExternal(filename="a.csv", length=1)
    async with aiohttp.ClientSession() as session, session.post(place["upload_url"], data=b"x"):
        pass
    files = [{"id": place["file_id"], "title": "a.csv"}]
    await world.client.files_completeUploadExternal(
        files=files, channels=[world.ann], initial_comment="There"
    )
    [message] = world.work.dms(world.ann)
    assert (message.text, [file["name"] for file in message.files]) == ("There", ["a.csv"])


async def test_users_info_tells_guests(world: World) -> None:
    people = [
        world.ann,
        world.work.add_person("m", guest="multi"),
        world.work.add_person("s", guest="single"),
    ]
    told = [(await world.client.users_info(user=user))["user"] for user in people]
    restricted = [(user["is_restricted"], user["is_ultra_restricted"]) for user in told]
    assert restricted == [(False, False), (True, False), (True, True)]
