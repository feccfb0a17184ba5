"""One measurement of one tree of Paylink: `python benchmarks/against/probes.py NAME ARGUMENT...`, run in the directory of that tree.

What is measured is what lies there, an older version perhaps: of it only the names are used that stand in benchmarks/ since
long. Prints a JSON list of figures. CPU is this process's, so that what else the machine does matters less.
"""

import asyncio
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LINKS = 100
CHUNK = 3_000
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


def _own(name: str) -> Any:
    """A module of the benchmarks as it lies beside this file, whatever the tree has."""
    spec = importlib.util.spec_from_file_location(f"own_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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


def commands(*arguments: str) -> Any:
    return _own("pressing").commands(*arguments)


def pressed(*arguments: str) -> Any:
    return _own("pressing").pressed(*arguments)


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
