"""The ``serve`` command: one running bot, what listens, what works, and in which order it all starts and stops."""

import asyncio
import contextlib
import signal
import sys
import time
from typing import Any

import structlog

from bot.api.application import Api
from bot.run.startup import begin
from bot.settings import Settings, secret
from bot.stop import Stop, connect
from bot.watch.logs import configure_logs
from bot.watch.metrics import FIGURES_EVERY_SECONDS
from bot.web.installing import InstallEndpoint
from bot.web.intake import Intake
from bot.web.server import HttpServer, SlackEndpoint, StripeEndpoint
from bot.web.socket_mode import SocketMode
from bot.wiring import Bot, build
from bot.work.timer import Timer
from bot.workspaces.registry import authorizing
from domain.coordination import abandoned_claims
from domain.errors import DatabaseUnavailable
from domain.files.exporting import Export
from domain.overview import figures
from domain.payments.events import Receipt
from domain.stripe.account import Account
from handlers.app import build_app

# Together with what the transports need to close, less than the ten seconds after which systems kill.
FINISH_SECONDS = 6.0
LAST_SECONDS = 1.0
STARTING = "Paylink is starting."
STOPPING = "Paylink is stopping."


class Service:
    """One running bot. ``start`` returns at once; ``begun`` is set when database and Slack have been reached."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self.begun = asyncio.Event()
        self._log = structlog.get_logger("bot.run.service")
        self._timer = Timer(bot.ticks)
        self._refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._beginning: asyncio.Task[None] | None = None
        self._account: Account | None = None
        self._intake: Intake | None = None
        self._socket: SocketMode | None = None
        self._stopped = False
        self._figures_read = -FIGURES_EVERY_SECONDS
        self._http = self._make_http() if bot.settings.port is not None else None

    @property
    def port(self) -> int | None:
        """Where HTTP is served, once started."""
        return self._http.port if self._http else None

    async def start(self) -> None:
        """Listen, and begin the rest as soon as database and Slack can be reached. Raises Stop if the port is taken."""
        self.bot.health.wait_for("start", STARTING)
        if self._http is not None:
            try:
                await self._http.start()
            except OSError as error:
                raise Stop(f"PORT {self.bot.settings.port} can't be used: {error.strerror}.") from None
            self._log.info("service.listening", port=self._http.port)
        self._beginning = asyncio.create_task(self._begin(), name="begin")

    async def run_until(self, told: asyncio.Event) -> None:
        """Return when told to. Raises Stop if Slack refuses a token or the schema isn't this Paylink's."""
        assert self._beginning is not None
        waiting = asyncio.ensure_future(told.wait())
        watched: set[asyncio.Future[object]] = {waiting, self._beginning, self._refused}  # type: ignore[arg-type]
        try:
            while not told.is_set():
                done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
                for future in done - {waiting}:
                    watched.discard(future)
                    future.result()
        finally:
            waiting.cancel()

    async def stop(self) -> None:
        """Stop intake, give what is under way up to ten seconds to finish, hand back the rest, let go of everything.

        Once stopped, a service stays so.
        """
        if self._stopped:
            return
        self._stopped = True
        bot = self.bot
        bot.health.wait_for("start", STOPPING)
        self._log.info("service.stopping")
        if self._beginning is not None:
            self._beginning.cancel()
            await asyncio.wait({self._beginning})
        if self._http is not None:
            await self._http.stop_listening()
        if self._socket is not None:
            self._socket.stop_intake()
        self._timer.stop()
        bot.creation.claim_no_more()
        bot.announcing.claim_no_more()
        bot.imports.claim_no_more()
        await asyncio.gather(
            bot.tracker.finish(FINISH_SECONDS), *(worker.stop(FINISH_SECONDS) for worker in bot.workers)
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(
                asyncio.gather(bot.creation.finish(), bot.announcing.finish()), LAST_SECONDS
            )
        if self.begun.is_set():
            # Another process, or the next start, needn't wait for the end of a lease.
            with contextlib.suppress(DatabaseUnavailable):
                await bot.db.write(abandoned_claims.end_claims, {bot.owner})
        if self._socket is not None:
            await self._socket.stop()
        if self._http is not None:
            await self._http.stop()
        await bot.close()
        self._log.info("service.stopped")

    async def _begin(self) -> None:
        bot = self.bot
        self._account = await begin(bot)
        app = build_app(
            bot.desk,
            client=bot.slack,
            authorize=authorizing(bot.serving.workspaces),
            # The guard has checked it by then; see Intake.
            signing_secret=None,
            export=Export(bot.db, bot.desk.door, bot.clock),
            track=bot.tracker.track,
            watch=bot.tracker.watch,
            log=structlog.get_logger("handlers"),
            people=bot.people,
            removed=bot.serving.endings.tell,
            regranted=bot.serving.regranted,
            install_url=None if bot.serving.installer is None else bot.serving.installer.install_url,
        )
        self._intake = Intake(app, bot.tracker, bot.metrics)
        for worker in bot.workers:
            worker.start()
        self._timer.start()
        bot.tracker.watch(app.take_up(bot.serving.workspaces.client_of))
        bot.followers.begin(app.office)
        if bot.settings.socket_mode:
            self._socket = SocketMode(
                secret(bot.settings.slack_app_token),
                bot.slack,
                self._intake,
                bot.health,
                bot.metrics,
                on_refused=self._refuse_app_token,
                proxies=bot.settings.proxies,
            )
            self._socket.start()
        bot.health.good("start")
        self.begun.set()
        self._log.info(
            "service.begun",
            workspaces=len(list(bot.serving.workspaces)),
            socket_mode=bot.settings.socket_mode,
        )

    def _refuse_app_token(self, code: str) -> None:
        if not self._refused.done():
            self._refused.set_exception(
                Stop(
                    f"Slack refuses SLACK_APP_TOKEN ({code}): make an app-level token with the scope connections:write "
                    "on the page Basic Information of your Slack app."
                )
            )

    def _make_http(self) -> HttpServer:
        bot = self.bot
        port = bot.settings.port
        assert port is not None
        slack = None
        if not bot.settings.socket_mode:
            slack = SlackEndpoint(
                lambda: self._intake,
                bot.metrics,
                secret(bot.settings.slack_signing_secret),
                bot.settings.slack_api_url,
            )
        stripe = StripeEndpoint(
            self._receive,
            bot.metrics,
            bot.settings.webhook_secrets,
            bot.stripe.livemode,
            bot.stripe.clock.now,
            lambda: bot.webhooks if self.begun.is_set() else None,
        )
        return HttpServer(
            port,
            slack=slack,
            stripe=stripe,
            health=bot.health,
            ping=bot.probes.database,
            figures=self._figures,
            install=self._make_install(),
            api=Api(lambda: bot.desk if self.begun.is_set() else None, bot.metrics),
        )

    def _make_install(self) -> InstallEndpoint | None:
        bot = self.bot
        if bot.serving.installer is None:
            return None
        return InstallEndpoint(
            lambda: bot.serving.installer if self.begun.is_set() else None,
            bot.db,
            bot.settings.paylink_public_url or "",
        )

    async def _receive(self, event: dict[str, Any]) -> Receipt:
        if self._account is None or not self.begun.is_set():
            raise DatabaseUnavailable
        return await self.bot.watching.receive(self._account.organisation_id, event)

    async def _figures(self) -> bytes:
        bot = self.bot
        bot.metrics.ready.set(not bot.health.reasons)
        now = time.monotonic()
        if self.begun.is_set() and now - self._figures_read >= FIGURES_EVERY_SECONDS:
            self._figures_read = now
            ledger_id = None if self._account is None else self._account.ledger_id
            with contextlib.suppress(DatabaseUnavailable):
                counted = await bot.db.background_read(figures.read, ledger_id)
                bot.metrics.show(counted, bot.clock())
        return bot.metrics.render()


def serve_until_stopped(settings: Settings, *, verbose: bool = False) -> None:
    """Return after SIGTERM or SIGINT; raise Stop if it can't start with these settings."""
    # Standard error is kept for the one sentence that says why it can't run.
    configure_logs(sys.stdout, verbose=verbose)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    service = Service(build(settings, db=connect(settings)))
    try:
        await service.start()
        await service.run_until(told)
    finally:
        await service.stop()
