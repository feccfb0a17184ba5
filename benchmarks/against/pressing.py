"""Commands as they are pressed, for the probes: beside a bare Bolt, and while bulk runs and an import go on."""

import asyncio
import contextlib
import gc
import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

ASKED, BLOCKS = 40, 5
PACE = (0.25, 0.75)
COMMANDS = ("/invoice", "/invoices")


async def commands(url: str, api_url: str, api_key: str, slack_url: str, count: str) -> list[float]:
    """For each command the milliseconds of CPU from its delivery to the view: Paylink's, and a bare Bolt's that opens the same;
    then of both the milliseconds to an acknowledgement."""
    from slack_sdk.web.async_client import AsyncWebClient

    from benchmarks.commands import command
    from benchmarks.data import number

    shown: dict[str, Any] = {}
    opened = AsyncWebClient.views_open

    async def noting(self: AsyncWebClient, **given: Any) -> Any:
        shown["view"] = given["view"]
        return await opened(self, **given)

    found: list[float] = []
    async with _two_bots(url, api_url, api_key, slack_url, shown) as (paylink, bare, finish, settle):
        for name in COMMANDS:
            texts = [number(37 * place % int(count)) if name == "/invoice" else "" for place in range(ASKED)]
            payloads = [command(name, text) for text in texts]
            AsyncWebClient.views_open = noting  # type: ignore[method-assign]
            await _spent(paylink, payloads, finish)
            AsyncWebClient.views_open = opened  # type: ignore[method-assign]
            await _spent(bare, payloads, finish)
            blocks = [
                (await _spent(paylink, payloads, finish, settle), await _spent(bare, payloads, finish))
                for _ in range(BLOCKS)
            ]
            found += [statistics.median(side) for side in zip(*blocks, strict=True)]
        for dispatch in (paylink, bare):
            found.append(
                await _acknowledged(dispatch, [command("/invoice", number(7)) for _ in range(ASKED)], finish)
            )
    return found


async def _acknowledged(dispatch: Any, payloads: list[dict[str, Any]], finish: Any) -> float:
    """The median of the milliseconds until each is acknowledged."""
    took = []
    for payload in payloads:
        began = time.perf_counter()
        await dispatch(payload)
        took.append(1000 * (time.perf_counter() - began))
        await finish()
    return statistics.median(took)


@contextlib.asynccontextmanager
async def _two_bots(
    url: str, api_url: str, api_key: str, slack_url: str, shown: dict[str, Any]
) -> AsyncIterator[tuple[Callable[[Any], Awaitable[object]], Callable[[Any], Awaitable[object]], Any, Any]]:
    from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
    from slack_bolt.authorization import AuthorizeResult
    from slack_sdk.web.async_client import AsyncWebClient

    from benchmarks.commands import Hands, paylink_app
    from benchmarks.data import TEAM
    from benchmarks.services import SlackServer, StripeServer, paylink

    make_session = _either("bot.slack_client", "bot.slack_api").make_session
    metrics = _either("bot.watch.metrics", "bot.metrics").Metrics()

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=TEAM, bot_token="xoxb-bench", bot_user_id="U0BOT")

    async with (
        paylink(url, StripeServer(api_url, api_key)) as bot,
        make_session(metrics) as session,
    ):
        slack, hands = SlackServer(slack_url), Hands()
        client = AsyncWebClient(token="xoxb-bench", base_url=slack.api_url, session=session)
        bare = AsyncApp(
            client=client,
            authorize=authorize,
            signing_secret="x",
            request_verification_enabled=False,
            ssl_check_enabled=False,
        )

        async def answer(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=shown["view"])

        for name in COMMANDS:
            bare.command(name)(answer)

        async def dispatch(payload: dict[str, Any]) -> None:
            await bare.async_dispatch(AsyncBoltRequest(mode="socket_mode", body=payload))

        # What a version writes down with others, once a second, belongs to what it writes it down of.
        settle = getattr(bot.desk, "write_down_followed", None)
        yield paylink_app(bot, slack, session, hands), dispatch, hands.finish, settle


def _either(name: str, before: str) -> Any:
    """A module, as it was called once."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return importlib.import_module(before)


async def _spent(dispatch: Any, payloads: list[dict[str, Any]], finish: Any, settle: Any = None) -> float:
    """Milliseconds of CPU for each; what goes on after an acknowledgement is waited for, Bolt's own tasks among it, and in the
    end ``settle``."""
    began = time.process_time()
    for payload in payloads:
        await dispatch(payload)
        await finish()
        while len(asyncio.all_tasks()) > 1:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            done, _ = await asyncio.wait(others, timeout=1)
            if not done:
                break
    if settle is not None:
        await settle()
    return 1000 * (time.process_time() - began) / len(payloads)


async def pressed(
    url: str, api_url: str, api_key: str, slack_url: str, count: str, file: str, mark: str, seconds: str
) -> list[float]:
    """The seconds that each command took to its modal, first quiet ones, then beside a bulk run and an import; between
    them a nought, and then how many lines and links were made meanwhile."""
    from benchmarks import commands
    from benchmarks.services import SlackServer, StripeServer, paylink

    make_session = _either("bot.slack_client", "bot.slack_api").make_session
    metrics = _either("bot.watch.metrics", "bot.metrics").Metrics()
    # The same for everybody, whatever the version thinks itself.
    commands.THINKING = PACE
    async with paylink(url, StripeServer(api_url, api_key)) as bot, make_session(metrics) as session:
        slack, hands = SlackServer(slack_url), commands.Hands()
        dispatch = commands.paylink_app(bot, slack, session, hands)
        gc.freeze()
        await commands.people(dispatch, slack, int(count), 2)
        quiet = await commands.people(dispatch, slack, int(count), float(seconds))
        async with beside(bot, url, Path(file), mark) as done:
            busy = await commands.people(dispatch, slack, int(count), float(seconds))
        await hands.finish()
    return [*quiet.seconds, 0.0, *busy.seconds, 0.0, done["lines"], done["links"]]


@contextlib.asynccontextmanager
async def beside(bot: Any, url: str, file: Path, mark: str) -> AsyncIterator[dict[str, int]]:
    """Bulk runs and an import go on meanwhile: how much of both was done stands there afterwards.

    ``mark``: what the numbers in the file begin with, and no others. Fails if the import ended before, or nothing was done.
    """
    from benchmarks import commands

    bulk_runs = getattr(commands, "bulk_runs", None) or getattr(commands, "_bulk_runs")  # noqa: B009 - as once
    lines, links = f"number LIKE '{mark}%'", "state = 'created'"
    before = _count(url, "invoices", lines), _count(url, "links", links)
    ended = asyncio.Event()
    runs = asyncio.create_task(bulk_runs(bot, ended))
    # The import asserts that it takes so many lines: it is stopped long before.
    importing = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.importing", url, str(file), "1000000", stdout=subprocess.DEVNULL
    )
    done = {"lines": 0, "links": 0}
    try:
        while _count(url, "invoices", lines) == before[0]:
            assert importing.returncode is None, "the import ended before it began"
            await asyncio.sleep(0.2)
        yield done
        assert importing.returncode is None, "the import ended before the commands did"
        assert not runs.done(), "the bulk runs ended before the commands did"
    finally:
        ended.set()
        with contextlib.suppress(ProcessLookupError):
            importing.terminate()
        await importing.wait()
        await runs
    done["lines"] = _count(url, "invoices", lines) - before[0]
    done["links"] = _count(url, "links", links) - before[1]
    assert all(done.values()), done


def _count(url: str, table: str, which: str) -> int:
    import sqlalchemy as sa

    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            return int(
                connection.execute(sa.text(f"SELECT count(*) FROM {table} WHERE {which}")).scalar_one()
            )
    finally:
        engine.dispose()
