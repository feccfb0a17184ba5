"""From a slash command to the modal that reaches Slack, while a bulk run, an import and 20 people go on."""

import asyncio
import contextlib
import gc
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa
import structlog
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request import BoltRequest
from slack_sdk import WebClient
from slack_sdk.web.async_client import AsyncWebClient

from benchmarks import links, obvious_bot
from benchmarks.against.pressing import beside
from benchmarks.data import TEAM, number
from benchmarks.measuring import Times
from benchmarks.services import ANNA, Paylink, SlackServer, StripeServer, paylink
from bot.slack_client import make_session
from bot.watch.metrics import Metrics
from handlers.app import build_app

PEOPLE = 20
THINKING = (0.25, 0.75)
MORE = "MORE-"
"""What the numbers of the import beside begin with."""
SEARCHES = ("a", "corporation", "amber", "maple joinery", "inv-00", "nobody")
_triggers = itertools.count(1)
Dispatch = Callable[[dict[str, Any]], Awaitable[object]]


class Hands:
    """Runs what goes on after an acknowledgement, as the bot's tracker does."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def track(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        while self._tasks:
            await asyncio.gather(*self._tasks)


def command(name: str, text: str) -> dict[str, Any]:
    return {
        "command": name,
        "text": text,
        "trigger_id": f"trigger-{next(_triggers)}",
        "team_id": TEAM,
        "user_id": ANNA.user_id,
        "channel_id": "C0PAYMENTS",
        "response_url": "https://hooks.slack.com/x",
        "api_app_id": "A0",
        "token": "x",
    }


async def people(dispatch: Dispatch, slack: SlackServer, count: int, seconds: float) -> Times:
    """Twenty people, each with a second to think, for so long; how long each waited for the modal."""
    sent: dict[str, float] = {}
    chance = random.Random(1)
    await slack.calls()
    until = time.monotonic() + seconds

    async def person() -> None:
        while time.monotonic() < until:
            await asyncio.sleep(chance.uniform(*THINKING))
            if chance.random() < 0.7:
                payload = command("/invoice", number(chance.randrange(count)))
            else:
                payload = command("/invoices", chance.choice(SEARCHES))
            sent[payload["trigger_id"]] = time.monotonic()
            await dispatch(payload)

    await asyncio.gather(*(person() for _ in range(PEOPLE)))
    reached: dict[str, float] = {}
    deadline = time.monotonic() + 60
    while len(reached) < len(sent) and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        reached |= {trigger: at for method, trigger, at in await slack.calls() if method == "views.open"}
    assert reached, "Slack was never called"
    return Times(tuple(reached.get(trigger, deadline) - at for trigger, at in sent.items()))


async def measure_paylink(
    url: str, server: StripeServer, slack: SlackServer, more: Path, count: int, seconds: float
) -> tuple[Times, Times, dict[str, int]]:
    """Alone, and with bulk runs and an import, of which so many lines and links were made; both with 20 people."""
    async with paylink(url, server) as bot, make_session(Metrics()) as session:
        hands = Hands()
        dispatch = paylink_app(bot, slack, session, hands)
        # As the bot does when it has begun (bot/run/lean.py).
        gc.freeze()
        await people(dispatch, slack, count, min(seconds, 3))
        quiet = await people(dispatch, slack, count, seconds)
        await server.answer_after(links.ANSWER_SECONDS)
        async with beside(bot, url, more, MORE) as done:
            busy = await people(dispatch, slack, count, seconds)
        await hands.finish()
        return quiet, busy, done


async def bulk_runs(bot: Paylink, ended: asyncio.Event) -> None:
    """One run after another; each is left as it stands in the end."""
    while not ended.is_set():
        await links.start(bot, await links.select(bot))
        work = asyncio.create_task(bot.creation.run_due())
        stop = asyncio.create_task(ended.wait())
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
        for task in (work, stop):
            with contextlib.suppress(asyncio.CancelledError):
                task.cancel()
                await task


def paylink_app(bot: Paylink, slack: SlackServer, session: aiohttp.ClientSession, hands: Hands) -> Dispatch:
    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=TEAM, bot_token="xoxb-bench", bot_user_id="U0BOT")

    app = build_app(
        bot.desk,
        client=AsyncWebClient(token="xoxb-bench", base_url=slack.api_url, session=session),
        authorize=authorize,
        signing_secret=None,
        export=None,
        track=hands.track,
        log=structlog.get_logger(),
    )

    async def dispatch(payload: dict[str, Any]) -> None:
        await app.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=payload))

    return dispatch


async def measure_obvious(url: str, slack: SlackServer, count: int, seconds: float) -> Times:
    """Twenty people and nothing else."""
    engine = sa.create_engine(url, pool_size=30)
    app = obvious_bot.build_app(
        engine,
        WebClient(token="xoxb-bench", base_url=slack.api_url),
        authorize=lambda: AuthorizeResult(
            enterprise_id=None, team_id=TEAM, bot_token="xoxb-bench", bot_user_id="U0BOT"
        ),
        signing_secret="x",
        request_verification_enabled=False,
    )

    async def dispatch(payload: dict[str, Any]) -> None:
        await asyncio.to_thread(app.dispatch, BoltRequest(mode="socket_mode", body=payload))

    try:
        return await people(dispatch, slack, count, seconds)
    finally:
        engine.dispose()
