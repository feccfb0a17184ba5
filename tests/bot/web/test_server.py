"""The HTTP server from outside: every path, every refusal, and no 5xx for whatever is sent."""

import asyncio
import gzip
import hashlib
import hmac
import io
import json
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlencode

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from bot.watch.health import Health
from bot.watch.metrics import Metrics
from bot.web.guard import MOST_BYTES
from bot.web.headers import HEADERS
from bot.web.intake import Intake
from bot.web.server import HttpServer, SlackEndpoint, StripeEndpoint
from bot.work.tracking import Tracker
from domain.errors import DatabaseUnavailable
from domain.payments.events import Receipt
from domain.payments.many.webhooks import Webhooks, WebhookUnknown
from domain.stripe.client import verify_webhook

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SECRETS = ("whsec_old", "whsec_new")
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Server:
    """The server with a small app behind it; what reached the app and the domain is kept."""

    session: aiohttp.ClientSession
    url: str = ""
    health: Health = field(default_factory=Health)
    metrics: Metrics = field(default_factory=Metrics)
    commands: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    begun: bool = True
    database_away: bool = False
    receipt: Receipt = Receipt.KEPT

    async def ping(self) -> None:
        if self.database_away:
            raise DatabaseUnavailable

    async def figures(self) -> bytes:
        return self.metrics.render()

    async def receive(self, event: dict[str, Any]) -> Receipt:
        await self.ping()
        if event.get("type") == "broken":
            raise KeyError("data")
        self.events.append(event)
        return self.receipt

    async def take(self, team_id: str, body: bytes, signature: str) -> Receipt:
        """What the webhooks of organisations say."""
        await self.ping()
        if team_id != "T0ACME":
            raise WebhookUnknown
        verify_webhook(body, signature, SECRETS, now=datetime.now(UTC))
        return self.receipt

    async def slack(
        self, body: bytes, headers: dict[str, str] | None = None, *, signed: bool = True
    ) -> tuple[int, str]:
        given = FORM | (sign_slack(body) if signed else {}) | (headers or {})
        async with self.session.post(
            f"{self.url}/slack/events", data=io.BytesIO(body), headers=given
        ) as answer:
            return answer.status, await answer.text()

    async def stripe(self, body: bytes, signature: str | None = None, *, team: str = "") -> tuple[int, str]:
        headers = JSON | {"Stripe-Signature": signature if signature is not None else sign_stripe(body)}
        async with self.session.post(
            f"{self.url}/stripe/webhook{team}", data=io.BytesIO(body), headers=headers
        ) as answer:
            return answer.status, await answer.text()


def sign_slack(body: bytes, timestamp: str | None = None) -> dict[str, str]:
    timestamp = timestamp or str(int(time.time()))
    mac = hmac.new(SIGNING_SECRET.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256)
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={mac.hexdigest()}"}


def sign_stripe(body: bytes, *, secret: str = SECRETS[0], at: float | None = None) -> str:
    timestamp = int(at if at is not None else time.time())
    mac = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"t={timestamp},v1={mac.hexdigest()}"


def command(text: str, **more: str) -> bytes:
    return urlencode(
        {"command": "/invoice", "text": text, "team_id": "T1", "user_id": "U1", "trigger_id": "1"} | more
    ).encode()


def event(**values: Any) -> bytes:
    return json.dumps(
        {"id": "evt_1", "object": "event", "type": "charge.refunded", "livemode": False} | values
    ).encode()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with aiohttp.ClientSession() as session:
        world = Server(session)

        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(
                enterprise_id=None, team_id="T1", bot_token="xoxb-1", bot_id="B1", bot_user_id="U0"
            )

        app = AsyncApp(authorize=authorize, request_verification_enabled=False, signing_secret="")

        @app.command("/invoice")
        async def invoice(ack: Any, body: dict[str, Any]) -> None:
            world.commands.append(body["text"])
            if body["text"] == "fail":
                raise RuntimeError("bug")
            await ack("seen")

        intake = Intake(app, Tracker(), world.metrics)
        http = HttpServer(
            0,
            slack=SlackEndpoint(
                lambda: intake if world.begun else None,
                world.metrics,
                SIGNING_SECRET,
                "http://127.0.0.1:9/api",
            ),
            stripe=StripeEndpoint(
                world.receive,
                world.metrics,
                SECRETS,
                False,
                lambda: datetime.now(UTC),
                lambda: cast(Webhooks, world) if world.begun else None,
            ),
            health=world.health,
            ping=world.ping,
            figures=world.figures,
            host="127.0.0.1",
        )
        await http.start()
        world.url = f"http://127.0.0.1:{http.port}"
        yield world
        await http.stop()


async def test_a_signed_command_reaches_the_app_and_its_answer_goes_back(server: Server) -> None:
    assert await server.slack(command("INV-1")) == (200, "seen")
    assert server.commands == ["INV-1"]


async def test_a_command_whose_text_says_payload_reaches_the_app(server: Server) -> None:
    assert (await server.slack(command("payload")))[0] == 200
    assert server.commands == ["payload"]


async def test_what_slack_did_not_sign_is_refused_with_401(server: Server) -> None:
    body = command("INV-1")

    assert (await server.slack(body, signed=False))[0] == 401
    assert (await server.slack(body, sign_slack(b"another")))[0] == 401
    assert (await server.slack(body, sign_slack(body, timestamp=str(int(time.time()) - 301))))[0] == 401
    assert server.commands == []


async def test_a_signed_body_without_a_shape_of_slacks_is_refused_with_400(server: Server) -> None:
    assert (await server.slack(b"payload=[]"))[0] == 400
    assert (await server.slack(b"{}", {"Content-Type": "text/plain"}))[0] == 400
    assert (await server.slack(b'{"team": 7, "type": "block_actions"}', JSON))[0] == 400
    assert (await server.slack(command("x", response_url="https://evil.example/")))[0] == 400
    assert server.commands == []


async def test_a_body_that_is_too_large_is_refused_unread(server: Server) -> None:
    assert (await server.slack(b"a" * (MOST_BYTES + 1)))[0] == 400


async def test_a_broken_transfer_is_refused(server: Server) -> None:
    head = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    for rest in (b"ZZZ\r\n\r\n", b"5\r\nab", b"5\r\nabcdefgh\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
        writer.write(head + rest)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        assert not answer or b" 40" in answer.split(b"\r\n", 1)[0], answer

    assert await server.slack(command("INV-1")) == (200, "seen")


async def test_a_compressed_body_is_refused(server: Server) -> None:
    assert (await server.slack(b"not gzip", JSON | {"Content-Encoding": "gzip"}))[0] == 400
    assert (await server.slack(gzip.compress(b"a" * 5_000_000), {"Content-Encoding": "gzip"}))[0] == 400


async def test_a_listener_that_fails_gives_no_5xx(server: Server) -> None:
    assert (await server.slack(command("fail")))[0] == 400


async def test_slacks_check_of_the_certificate_is_answered(server: Server) -> None:
    assert (await server.slack(urlencode({"ssl_check": "1", "token": "x"}).encode()))[0] == 200


async def test_slacks_check_of_the_address_is_answered(server: Server) -> None:
    status, text = await server.slack(
        json.dumps({"type": "url_verification", "challenge": "abc"}).encode(), JSON
    )

    assert status == 200
    assert "abc" in text


async def test_slack_hears_that_the_bot_is_starting(server: Server) -> None:
    server.begun = False

    assert (await server.slack(command("INV-1")))[0] == 503


async def test_mutated_requests_are_refused_or_taken_but_never_fail(server: Server) -> None:
    randomness = random.Random(7)
    view = {
        "type": "view_submission",
        "team": {"id": "T1"},
        "user": {"id": "U1", "team_id": "T1"},
        "view": {"id": "V1", "callback_id": "list", "state": {"values": {}}, "private_metadata": "1"},
    }
    action = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": "U1"},
        "actions": [{"action_id": "a", "block_id": "b", "value": "1"}],
        "response_url": "https://hooks.slack.com/actions/1",
    }
    seeds: list[dict[str, Any]] = [
        view,
        action,
        {"type": "event_callback", "event": {"type": "x"}, "team_id": "T1"},
    ]
    values: list[Any] = [None, 0, -1, 1.5, True, "", "x" * 5000, [], [[]], {}, {"id": {}}, "\u202e", [None]]
    for _ in range(400):
        payload = json.loads(json.dumps(randomness.choice(seeds)))
        place = payload
        while True:
            key = randomness.choice(list(place))
            if isinstance(place[key], dict) and place[key] and randomness.random() < 0.6:
                place = place[key]
                continue
            place[key] = randomness.choice(values)
            break
        body = urlencode({"payload": json.dumps(payload)}).encode()
        if randomness.random() < 0.2:
            cut = randomness.randrange(len(body))
            body = body[:cut] + bytes([randomness.randrange(256)]) + body[cut + 1 :]

        status, _text = await server.slack(body, signed=randomness.random() < 0.8)
        assert status < 500, payload

    assert await server.slack(command("INV-1")) == (200, "seen")


async def test_what_is_told_of_a_workspace_is_answered_with_nothing_else(server: Server) -> None:
    assert await server.stripe(event(), team="/T0ACME") == (200, '{"received": "kept"}')
    assert await server.stripe(event(), "t=1,v1=0", team="/T0ACME") == (400, '{"received": "signature"}')
    assert await server.stripe(event(), team="/T0NOBODY") == (404, '{"received": "unknown"}')
    for wrong in ("/t0acme", "/T0ACME/x", "/T0%2FACME", "/"):
        assert (await server.stripe(event(), team=wrong))[0] == 404
    server.database_away = True
    assert (await server.stripe(event(), team="/T0ACME"))[0] == 503
    server.begun = False
    assert (await server.stripe(event(), team="/T0ACME"))[0] == 503
    assert server.events == []


async def test_a_signed_event_is_kept(server: Server) -> None:
    assert (await server.stripe(event()))[0] == 200
    assert [one["id"] for one in server.events] == ["evt_1"]


@pytest.mark.parametrize("secret", SECRETS)
async def test_while_a_secret_rolls_both_are_taken(secret: str, server: Server) -> None:
    assert (await server.stripe(event(), sign_stripe(event(), secret=secret)))[0] == 200


async def test_what_stripe_did_not_sign_just_now_is_refused_with_400(server: Server) -> None:
    body = event()

    for signature in (
        "",
        "t=1,v1=",
        "t=abc,v1=abc",
        "v1=abc",
        "t=" + "9" * 5000 + ",v1=1",
        sign_stripe(body, secret="whsec_another"),
        sign_stripe(b"another"),
        sign_stripe(body, at=time.time() - 301),
        sign_stripe(body, at=time.time() + 360),
        sign_stripe(body).replace("v1=", "v0="),
    ):
        assert (await server.stripe(body, signature))[0] == 400, signature
    assert server.events == []


async def test_signed_bodies_that_are_no_events_are_refused_with_400(server: Server) -> None:
    for body in (b"", b"[]", b"{", b"\xff", b"[" * 100_000, event(type="broken")):
        assert (await server.stripe(body))[0] == 400


async def test_an_event_of_the_other_mode_is_taken_and_ignored(server: Server) -> None:
    assert (await server.stripe(event(livemode=True)))[0] == 200
    assert server.events == []


@pytest.mark.parametrize("receipt", Receipt)
async def test_stripe_is_told_with_200_what_became_of_an_event(server: Server, receipt: Receipt) -> None:
    server.receipt = receipt

    status, said = await server.stripe(event())

    assert (status, json.loads(said)) == (200, {"received": receipt.value})


async def test_stripe_is_asked_to_come_again_while_the_database_is_away(server: Server) -> None:
    server.database_away = True

    assert (await server.stripe(event()))[0] == 503


async def test_readiness_says_what_is_missing(server: Server) -> None:
    async with server.session.get(f"{server.url}/readyz") as answer:
        assert (answer.status, await answer.json()) == (200, {"ready": True, "reasons": {}})
    server.health.bad("slack", "Slack can't be reached.")
    server.database_away = True
    async with server.session.get(f"{server.url}/readyz") as answer:
        assert answer.status == 503
        assert (await answer.json())["reasons"] == {
            "slack": "Slack can't be reached.",
            "database": "The database can't be reached.",
        }
    async with server.session.get(f"{server.url}/healthz") as answer:
        assert answer.status == 200


async def test_metrics_are_in_prometheus_format(server: Server) -> None:
    await server.slack(command("INV-1"))
    await server.slack(command("INV-1"), signed=False)
    await server.stripe(event())

    async with server.session.get(f"{server.url}/metrics") as answer:
        text = await answer.text()
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'paylink_ack_seconds_count{transport="http"} 1.0' in text
    assert 'paylink_slack_requests_refused_total{status="401"} 1.0' in text
    assert 'paylink_webhooks_total{outcome="kept"} 1.0' in text


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/slack/events"), ("GET", "/stripe/webhook"), ("POST", "/x")]
)
async def test_other_methods_and_paths_are_refused(method: str, path: str, server: Server) -> None:
    async with server.session.request(method, server.url + path) as answer:
        assert answer.status in {404, 405}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/stripe/webhook", "/nothing"])
async def test_whatever_is_answered_no_browser_may_run_frame_guess_or_keep(path: str, server: Server) -> None:
    async with server.session.get(f"{server.url}{path}") as answer:
        told = {name: answer.headers.get(name) for name in HEADERS}
        assert told == HEADERS
        assert "Server" not in answer.headers
