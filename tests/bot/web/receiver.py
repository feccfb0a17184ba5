"""The HTTP server with a small app behind it, and what comes to it, signed."""

import hashlib
import hmac
import io
import json
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
