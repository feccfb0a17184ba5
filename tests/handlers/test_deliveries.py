"""Whatever is delivered, however garbled: it is acknowledged, nothing is raised, and a signature is asked for over HTTP."""

import asyncio
import copy
import json
import random
import time
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from domain.errors import OrganisationUnknown
from handlers import app as handlers_app
from handlers import ids
from handlers.app import build_app
from handlers.references import (
    ConfirmedReference,
    FailedReference,
    ListReference,
    SeenInvoice,
    read_id,
)
from handlers.rejections import Unreadable
from handlers.views.blocks import Json
from handlers.views.listing import listing
from handlers.words.sentences import sentence
from tests.handlers.conftest import Notes
from tests.handlers.fake_desk import FakeDesk
from tests.handlers.samples import TEAM, invoice, with_link
from tests.handlers.shapes import page

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
JUNK: list[Any] = [
    None, "", "x", 0, -1, 10**30, True, [], {}, [None], {"id": None}, "\u202e<!channel>", "9" * 400, ["x"] * 3,
]  # fmt: skip


class Desk:
    """An app on a fake desk whose Slack can't be reached, and what came of its work."""

    def __init__(self, signing_secret: str | None = None) -> None:
        self.log = Notes()
        self.work: list[asyncio.Task[None]] = []
        desk = FakeDesk([invoice(1), with_link(invoice(2))])

        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(enterprise_id=None, team_id=TEAM, bot_token="xoxb-1", bot_user_id="U0BOT")

        self.app: AsyncApp = build_app(
            desk,  # type: ignore[arg-type]
            client=AsyncWebClient(token="xoxb-1", base_url="http://127.0.0.1:1/api/", retry_handlers=[]),
            authorize=authorize,
            signing_secret=signing_secret,
            export=None,
            track=self.track,
            log=self.log,
        )

    def track(self, work: Coroutine[Any, Any, None]) -> None:
        self.work.append(asyncio.get_running_loop().create_task(work))

    async def take(self, body: Json) -> int | None:
        """The status that Bolt answers; None for what its own parsing refuses, which the guard before it catches."""
        try:
            request = AsyncBoltRequest(mode="socket_mode", body=body)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError):
            return None
        return (await self.app.async_dispatch(request)).status

    async def done(self) -> None:
        while self.work:
            await self.work.pop()


async def test_a_workspace_that_isnt_set_up_is_told_so_in_our_own_words() -> None:
    async def authorize() -> None:
        return None

    desk = Desk()
    app = build_app(
        FakeDesk([invoice(1)]),  # type: ignore[arg-type]
        client=AsyncWebClient(token="xoxb-1", base_url="http://127.0.0.1:1/api/", retry_handlers=[]),
        authorize=authorize,  # type: ignore[arg-type]
        signing_secret=None,
        export=None,
        track=desk.track,
        log=desk.log,
    )
    of_them = {"team": {"id": "T0OTHER"}, "user": {"id": "U0EVE"}}
    words = str(sentence(OrganisationUnknown("T0OTHER")))

    async def answered(body: Json) -> Any:
        answer = await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=body | of_them))
        assert answer.status == 200
        return json.loads(answer.body) if str(answer.body).startswith("{") else answer.body

    assert await answered({"command": "/invoice", "team_id": "T0OTHER", "user_id": "U0EVE"}) == words
    # Slack takes no mere words for a modal's answer, nor for a click's.
    shown = view("list")
    refused = await answered({"type": "view_submission", "view": shown})
    [said] = refused["errors"].values()
    assert said == words
    shown["blocks"] = [block for block in shown["blocks"] if block["type"] != "input"]
    refused = await answered({"type": "view_submission", "view": shown})
    assert words in str(refused["view"])
    assert await answered({"type": "block_suggestion", "action_id": "a", "value": "x"}) == {"options": []}
    click = {"type": "block_actions", "actions": [{"type": "button", "action_id": "a", "block_id": "b"}]}
    assert await answered(click) == ""


def view(callback_id: str) -> Json:
    shown = listing(page([invoice(1), with_link(invoice(2))]))
    return shown | {
        "id": "V1",
        "hash": "1.a",
        "root_view_id": "V0",
        "callback_id": callback_id,
        "state": {"values": {"choose_invoice": {"choose_invoice": {"selected_option": {"value": "1"}}}}},
    }


def common() -> Json:
    return {"team": {"id": TEAM}, "user": {"id": "U0ANNA"}, "trigger_id": "1.2.3", "api_app_id": "A1"}


def deliveries() -> Iterator[Json]:
    """One of everything that the app is registered for."""
    for command in handlers_app.COMMANDS:
        yield {
            "command": command,
            "text": "INV-1",
            "team_id": TEAM,
            "user_id": "U0ANNA",
            "trigger_id": "1.2.3",
        }
    for callback_id in handlers_app.SHORTCUTS:
        yield {"type": "shortcut", "callback_id": callback_id, **common()}
    for action_id in (*handlers_app.ACTIONS, *handlers_app.COMMITTING_ACTIONS, ids.OPEN_LINK):
        action = {"type": "button", "action_id": action_id, "block_id": "b", "value": "1", "action_ts": "1.2"}
        yield {"type": "block_actions", "actions": [action], "view": view(ids.LIST_VIEW), **common()}
    for callback_id in (*handlers_app.SUBMISSIONS, ids.COPY_VIEW):
        yield {"type": "view_submission", "view": view(callback_id), **common()}
    for action_id in handlers_app.OPTIONS:
        yield {"type": "block_suggestion", "action_id": action_id, "block_id": "b", "value": "a", **common()}
    for event in (
        {"type": "app_home_opened", "user": "U0ANNA", "tab": "home"},
        {"type": "app_mention", "user": "U0ANNA", "channel": "C1", "text": "<@U0BOT>", "ts": "1.2"},
        {
            "type": "message",
            "user": "U0ANNA",
            "channel": "D1",
            "channel_type": "im",
            "text": "hi",
            "ts": "1.2",
        },
    ):
        yield {
            "type": "event_callback",
            "team_id": TEAM,
            "event": event,
            "event_id": "Ev1",
            "authorizations": [],
        }


def mutated(body: Json, chance: random.Random) -> Json:
    """The body with one or two of its values, however deep, made junk or taken away."""
    made = copy.deepcopy(body)
    for _ in range(chance.randint(1, 2)):
        place: Any = made
        while True:
            key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if isinstance(place[key], dict | list) and place[key] and chance.random() < 0.8:
                place = place[key]
                continue
            if chance.random() < 0.3:
                del place[key]
            else:
                place[key] = copy.deepcopy(chance.choice(JUNK))
            break
    return made


async def test_everything_registered_is_acknowledged_while_slack_is_away() -> None:
    desk = Desk()
    statuses = [await desk.take(body) for body in deliveries()]
    await desk.done()
    assert set(statuses) == {200}
    assert desk.log.named("delivery.failed") == []
    assert desk.log.named("delivery.unknown") == []


async def test_a_command_is_acknowledged_without_waiting_for_any_time_to_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bolt's own way looks for the acknowledgement every 10 ms. The work goes on behind it."""
    desk, slept = Desk(), []
    body = next(one for one in deliveries() if one.get("command") == "/invoice")
    sleep = asyncio.sleep

    async def noted(seconds: float, *rest: Any) -> None:
        slept.append(seconds)
        await sleep(seconds, *rest)

    monkeypatch.setattr(asyncio, "sleep", noted)
    assert await desk.take(body) == 200

    [work] = desk.work
    assert not work.done()
    assert not slept
    await desk.done()


@pytest.mark.parametrize("seed", range(4))
async def test_garbled_deliveries_are_acknowledged_and_raise_nothing(seed: int) -> None:
    chance = random.Random(seed)
    desk = Desk()
    bodies = [mutated(body, chance) for body in deliveries() for _ in range(12)]
    statuses = await asyncio.gather(*(desk.take(body) for body in bodies))
    await desk.done()
    assert set(statuses) <= {200, None}
    assert statuses.count(200) > len(statuses) / 2
    assert desk.log.named("handler.failed") == []


@pytest.mark.parametrize(
    "value", ["", "x", "-1", "1.0", " 1", "1|", "|1", "9" * 20, "१", "1|1|1|1", "1|x|USD", "1|1|usd"]
)
def test_values_that_no_view_carries_are_unreadable(value: str) -> None:
    for reader in (read_id, SeenInvoice.read, FailedReference.read):
        with pytest.raises(Unreadable):
            reader(value)


@pytest.mark.parametrize("value", ["", "x", "1", "-1|1", "1|", "|1", "1||x", "1|1|\n", "1|1|" + "x" * 201])
def test_lists_that_no_view_carries_are_unreadable(value: str) -> None:
    with pytest.raises(Unreadable):
        ListReference.read(value)


def test_values_come_back_as_they_went_out() -> None:
    for livemode in (True, False):
        seen = SeenInvoice(7, invoice(1).amount, livemode)
        assert SeenInvoice.read(str(seen)) == seen
    for seal in ("", "0123456789abcdef"):
        assert ConfirmedReference.read(str(ConfirmedReference(7, seal))) == ConfirmedReference(7, seal)
    assert ConfirmedReference.read("7") == ConfirmedReference(7, "")
    assert ListReference.read(str(ListReference(7, 3, "a|b"))) == ListReference(7, 3, "a|b")
    assert ListReference.read("7|3") == ListReference(7, 3)
    assert FailedReference.read(str(FailedReference(7, 3))) == FailedReference(7, 3)


@pytest.mark.parametrize(("signed", "status"), [(True, 200), (False, 401)])
async def test_over_http_only_what_is_signed_is_taken(signed: bool, status: int) -> None:
    desk = Desk(SECRET)
    body = json.dumps({"type": "shortcut", "callback_id": "nobody_knows", **common()})
    stamp = str(int(time.time()))
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body)
    assert signature is not None
    headers: dict[str, str | Sequence[str]] = {
        "content-type": ["application/json"],
        "x-slack-request-timestamp": [stamp],
        "x-slack-signature": [signature if signed else "v0=" + "0" * 64],
    }
    answer = await desk.app.async_dispatch(AsyncBoltRequest(mode="http", body=body, headers=headers))
    assert answer.status == status


async def test_bolt_logs_no_body_that_it_refuses(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    desk = Desk(SECRET)
    body = json.dumps({"type": "shortcut", "callback_id": "very_private", **common()})
    await desk.app.async_dispatch(AsyncBoltRequest(mode="http", body=body, headers={}))
    await desk.app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=json.loads(body)))
    assert "very_private" not in caplog.text


async def test_other_variables_of_slacks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "x")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-other")
    desk = Desk()
    assert await desk.take({"type": "shortcut", "callback_id": "find_invoice", **common()}) == 200
    await desk.done()
    assert desk.log.named("delivery.failed") == []
