"""One measurement of one tree of Paylink: `python benchmarks/probes.py NAME ARGUMENT...`, run in the directory of that tree.

What is measured is what lies there, an older version perhaps: of it only the names are used that stand in benchmarks/ since
long. Prints a JSON list of figures. CPU is this process's, so that what else the machine does matters less.
"""

import asyncio
import contextlib
import gc
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

LINKS, ASKED, BLOCKS = 100, 40, 5
PACE = (0.25, 0.75)
CHUNK = 3_000
COMMANDS = ("/invoice", "/invoices")
LIBRARIES = """aiohttp, alembic, apscheduler, cryptography.fernet, prometheus_client, slack_bolt.async_app, sqlalchemy.orm,\
stripe, structlog"""


def write_lines(file: str, count: str, mark: str) -> list[float]:
    """A file of so many invoices whose numbers begin so."""
    from benchmarks import data

    path = Path(file)
    data.write_csv(path, int(count))
    path.write_text(path.read_text(encoding="utf-8").replace("INV-", mark), encoding="utf-8")
    return []


def prepare(url: str, file: str, count: str, waiting: str = "") -> list[float]:
    """Fill an empty database as the benchmarks do; the seconds of CPU that the import took, and the seconds. ``waiting``: with
    links for so many invoices, which all wait."""
    from benchmarks import data, importing

    data.prepare_paylink(url)
    before = _children()
    seconds = importing.measure(url, Path(file), int(count)).seconds
    took = _children() - before
    data.add_links(url, int(count), *([int(waiting)] if waiting else []))
    return [took, seconds]


async def links(url: str, api_url: str, api_key: str) -> list[float]:
    """Milliseconds of CPU for each of a hundred links, from the submission to the last one recorded."""
    from benchmarks import links as hundred
    from benchmarks.services import ANNA, StripeServer, paylink

    took = 0.0
    async with paylink(url, StripeServer(api_url, api_key)) as bot:
        for _ in range(2):  # the first one looks at what happened at Stripe
            confirmed = await hundred.select(bot)
            began = time.process_time()
            run = await hundred.start(bot, confirmed)
            while not (made := await bot.desk.get_result(ANNA, run.id)).final:
                await bot.creation.run_due()
            took = time.process_time() - began
            assert sum(item.url is not None for item in made.items) == LINKS
            await asyncio.sleep(1.1)
    return [1000 * took / LINKS]


def intents(url: str) -> list[float]:
    """Milliseconds of the transaction that commits to a hundred links: the quickest of twenty, as others work here too."""
    from benchmarks import intents

    return [1000 * min(intents.measure(url).seconds)]


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


def _own(name: str) -> Any:
    """A module of the benchmarks as it lies beside this file, whatever the tree has."""
    spec = importlib.util.spec_from_file_location(f"own_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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


async def polls(url: str, api_url: str, api_key: str) -> list[float]:
    """Milliseconds of CPU of a poll that finds nothing new."""
    from benchmarks.services import StripeServer, paylink

    async with paylink(url, StripeServer(api_url, api_key)) as bot:
        await bot.watching.poll_if_due()
        took = []
        for _ in range(10):
            await asyncio.sleep(0.1)
            began = time.process_time()
            await bot.watching.poll_if_due()
            took.append(time.process_time() - began)
    return [1000 * statistics.median(took)]


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


async def memory(url: str, api_url: str, api_key: str, slack_url: str) -> list[float]:
    """MiB of a process at rest, and of one that has only imported the libraries."""
    from benchmarks.footprint import start
    from benchmarks.services import SlackServer, StripeServer

    begun = await start(url, StripeServer(api_url, api_key), SlackServer(slack_url))
    script = f"import {LIBRARIES}, time; print('there', flush=True); time.sleep(60)"
    if not url.startswith("sqlite"):
        script = f"import psycopg; {script}"
    alone = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    try:
        assert alone.stdout is not None
        await alone.stdout.readline()
        from benchmarks.measuring import resident

        return [begun.at_rest / 2**20, resident(alone.pid) / 2**20]
    finally:
        alone.kill()
        await alone.wait()


async def told(url: str, api_url: str, api_key: str, slack_url: str, obvious: str = "") -> list[float]:
    """Milliseconds from each of some payments to its message, through the webhook; with the obvious bot's database, that bot's."""
    from benchmarks.services import SlackServer, StripeServer

    server, slack, paying = StripeServer(api_url, api_key), SlackServer(slack_url), _own("paying")
    if obvious:
        return [1000 * one for one in await paying.measure_obvious(obvious, server, slack)]
    return [1000 * one for one in await paying.measure_paylink(url, server, slack)]


def fill_obvious(url: str, count: str) -> list[float]:
    from benchmarks import data

    data.fill_obvious(url, int(count))
    return []


def searches(url: str, count: str) -> list[float]:
    """Milliseconds of all searches together, and those that the server planned and worked: PostgreSQL's alone."""
    found = _own("searching").measure(url, int(count)).values()
    return [1000 * sum(side) for side in zip(*found, strict=True)]


def begin(url: str, file: str) -> list[float]:
    """Seconds of CPU of an import that has hardly anything to import: what each import takes besides its lines."""
    from benchmarks import data, importing

    data.prepare_paylink(url)
    write_lines(file, "20", "INV-")
    before = _children()
    importing.measure(url, Path(file), 20)
    return [_children() - before]


def show_help() -> list[float]:
    """Milliseconds of CPU of `paylink --help`."""
    before = _children()
    subprocess.run([sys.executable, "-m", "bot", "--help"], stdout=subprocess.DEVNULL, check=True)
    return [1000 * (_children() - before)]


def floor(filled: str, empty: str) -> list[float]:
    """Seconds of CPU, and seconds, of writing the rows of an import's tables once more with the driver alone, in its chunks:
    executemany on SQLite, COPY on PostgreSQL."""
    import sqlalchemy as sa

    from benchmarks import data

    data.prepare_paylink(empty)
    source, target = sa.create_engine(filled), sa.create_engine(empty)
    cpu = wall = 0.0
    for table in ("buyer_terms", "invoices", "search_terms"):
        with source.connect() as connection:
            found = connection.exec_driver_sql(f"SELECT * FROM {table}")
            names, rows = list(found.keys()), [tuple(row) for row in found]
        for place in range(0, len(rows), CHUNK):
            chunk = rows[place : place + CHUNK]
            began, spent = time.perf_counter(), time.process_time()
            with target.begin() as connection:
                _write(connection, table, names, chunk)
            cpu, wall = cpu + time.process_time() - spent, wall + time.perf_counter() - began
    source.dispose()
    target.dispose()
    return [cpu, wall]


def _write(connection: Any, table: str, names: list[str], rows: list[Any]) -> None:
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(names))
        connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", rows)
        return
    with connection.connection.cursor().copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copying:
        for row in rows:
            copying.write_row(row)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


PROBES: dict[str, Callable[..., Any]] = {
    "write_lines": write_lines,
    "prepare": prepare,
    "links": links,
    "intents": intents,
    "commands": commands,
    "polls": polls,
    "pressed": pressed,
    "floor": floor,
    "memory": memory,
    "help": show_help,
    "told": told,
    "fill_obvious": fill_obvious,
    "searches": searches,
    "begin": begin,
}


def main(name: str, *arguments: str) -> None:
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    found = PROBES[name](*arguments)
    sys.stdout.write(json.dumps(asyncio.run(found) if asyncio.iscoroutine(found) else found) + "\n")


if __name__ == "__main__":
    # What lies in the directory that this runs in goes before what lies beside this file.
    sys.path[0] = str(Path.cwd())
    main(*sys.argv[1:])
