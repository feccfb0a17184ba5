"""The bot's HTTP server: Slack's requests (without Socket Mode), Stripe's webhook, the API for programs, health, readiness, metrics."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response

from bot.api.application import MOST_LINE, Api
from bot.watch.health import Health, database_problem
from bot.watch.metrics import Metrics
from bot.web import guard
from bot.web.guard import Refused
from bot.web.headers import protect
from bot.web.installing import InstallEndpoint
from bot.web.intake import Intake
from bot.web.stopping import clean_up, connections_made
from domain.errors import DatabaseUnavailable
from domain.payments.events import Receipt
from domain.payments.many.webhooks import Webhooks, WebhookUnknown
from domain.stripe.client import verify_webhook
from domain.stripe.errors import SignatureInvalid

READ_SECONDS = 10.0
STRIPE_RETRIES_LATER = 503

Event = dict[str, Any]


class SlackEndpoint:
    """POST /slack/events. There is no ``intake`` before the bot has begun."""

    def __init__(
        self, intake: Callable[[], Intake | None], metrics: Metrics, signing_secret: str, api_url: str
    ) -> None:
        self._intake = intake
        self._metrics = metrics
        self._signing_secret = signing_secret
        self._api_url = api_url
        self._log = structlog.get_logger("bot.web.server")

    async def take(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await _read(request)
            guard.check_signature(body, request.headers, self._signing_secret, time.time())
            payload = guard.read_body(body, request.content_type, self._api_url)
            if "ssl_check" in payload:
                return web.Response()
            intake = self._intake()
            if intake is None:
                return web.json_response({"error": "starting"}, status=503)
            answer = await intake.dispatch(payload, "http", request.headers)
        except Refused as refused:
            self._metrics.slack_requests_refused.labels(str(refused.status)).inc()
            self._log.info("slack.request_refused", status=refused.status, reason=refused.reason)
            return web.json_response({"error": "invalid request"}, status=refused.status)
        if answer.status >= 500:
            # Bolt's word for a listener that failed, which has been logged there.
            self._metrics.slack_requests_refused.labels("400").inc()
            return web.json_response({"error": "not handled"}, status=400)
        return await to_aiohttp_response(answer)


class StripeEndpoint:
    """POST /stripe/webhook, of the workspace whose token is configured, and /stripe/webhook/TEAM_ID, of any.

    ``receive`` keeps an event of the first in the database if it is about us; ``webhooks`` has the others, once there are any.
    """

    def __init__(
        self,
        receive: Callable[[Event], Awaitable[Receipt]],
        metrics: Metrics,
        webhook_secrets: tuple[str, ...],
        livemode: bool,
        clock: Callable[[], datetime],
        webhooks: Callable[[], Webhooks | None] = lambda: None,
    ) -> None:
        self._webhooks = webhooks
        self._receive = receive
        self._metrics = metrics
        self._secrets = webhook_secrets
        self._livemode = livemode
        self._clock = clock
        self._log = structlog.get_logger("bot.web.server")

    async def take(self, request: web.Request) -> web.StreamResponse:
        return self._told(*await self._outcome(request))

    async def take_of(self, request: web.Request) -> web.StreamResponse:
        """What is told of the workspace that the path names."""
        return self._told(*await self._outcome_of(request))

    def _told(self, outcome: str, status: int) -> web.StreamResponse:
        self._metrics.webhooks.labels(outcome).inc()
        return web.json_response({"received": outcome}, status=status)

    async def _outcome_of(self, request: web.Request) -> tuple[str, int]:
        webhooks = self._webhooks()
        if webhooks is None:
            return "not now", STRIPE_RETRIES_LATER
        try:
            body = await _read(request)
            signature = request.headers.get("Stripe-Signature", "")
            return (await webhooks.take(request.match_info["team_id"], body, signature)).value, 200
        except Refused as refused:
            return refused.reason, refused.status
        except WebhookUnknown:
            return "unknown", 404
        except SignatureInvalid:
            return "signature", 400
        except DatabaseUnavailable:
            return "not now", STRIPE_RETRIES_LATER

    async def _outcome(self, request: web.Request) -> tuple[str, int]:
        if not self._secrets:
            self._log.warning("webhook.without_secret", mend="set STRIPE_WEBHOOK_SECRET")
            return "no secret configured", 400
        try:
            body = await _read(request)
            signature = request.headers.get("Stripe-Signature", "")
            event = verify_webhook(body, signature, self._secrets, now=self._clock())
        except Refused as refused:
            return refused.reason, refused.status
        except SignatureInvalid as invalid:
            self._log.warning("webhook.refused", reason=str(invalid))
            return "signature", 400
        if event.get("livemode") is not self._livemode:
            self._log.info("webhook.other_mode")
            return "other mode", 200
        try:
            return (await self._receive(event)).value, 200
        except DatabaseUnavailable:
            return "not now", STRIPE_RETRIES_LATER


class HttpServer:
    """Listens on ``port`` (0: any free one) from ``start`` to ``stop``; ``port`` then says which one."""

    def __init__(
        self,
        port: int,
        *,
        slack: SlackEndpoint | None,
        stripe: StripeEndpoint,
        health: Health,
        ping: Callable[[], Awaitable[None]],
        figures: Callable[[], Awaitable[bytes]],
        install: InstallEndpoint | None = None,
        api: Api | None = None,
        host: str = "0.0.0.0",  # noqa: S104 - Slack and Stripe come from outside
    ) -> None:
        self.port = port
        self._host = host
        self._health = health
        self._ping = ping
        self._figures = figures
        app = web.Application(client_max_size=guard.MOST_BYTES, middlewares=[_nothing_unhandled])
        app.on_response_prepare.append(protect)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_post("/stripe/webhook", stripe.take)
        app.router.add_post("/stripe/webhook/{team_id:[A-Z0-9]{1,255}}", stripe.take_of)
        if slack is not None:
            app.router.add_post("/slack/events", slack.take)
        if install is not None:
            install.add_to(app)
        if api is not None:
            api.add_to(app)
        # Neither Slack nor Stripe compresses what it sends, and what doesn't unpack would break aiohttp's own handling.
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=5.0, auto_decompress=False, max_line_size=MOST_LINE
        )
        self._site: web.TCPSite | None = None

    async def start(self) -> None:
        """Raises OSError if the port is taken or may not be used."""
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, self._host, self.port)
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    async def stop_listening(self) -> None:
        """Take no further connection; what is under way goes on."""
        if self._site is not None:
            await connections_made()
            await self._site.stop()
            self._site = None

    async def stop(self) -> None:
        await clean_up(self._runner)

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        try:
            await self._ping()
        except DatabaseUnavailable as error:
            self._health.bad("database", database_problem(error))
        else:
            self._health.good("database")
        reasons = self._health.reasons
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(
            body=await self._figures(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )


async def _read(request: web.Request) -> bytes:
    """The whole body. Raises Refused if it is too large, too slow or broken."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Refused(400, "size") from None
    except Exception as error:  # whatever the transport or a content encoding can break with
        raise Refused(400, type(error).__name__) from None


@web.middleware
async def _nothing_unhandled(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception:
        reference = secrets.token_hex(4)
        structlog.get_logger("bot.web.server").exception(
            "http.request_failed",
            path=request.match_info.route.resource and request.path,
            reference=reference,
        )
        return web.json_response({"error": "not handled", "reference": reference}, status=400)
