"""The long campaign: `make campaign`, or `python -m tests.faults.campaign --kills 1000 --database both`.

It kills Paylink so many times on each database, then without each safeguard, runs the model and the damaged payloads
at length, and writes what it found into docs/reliability.md. The exit status is 1 if anything was doubled or lost, if a
missing safeguard went unnoticed, or if one of the long tests failed.
"""

import argparse
import asyncio
import contextlib
import json
import math
import os
import pprint
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tests.conftest import created_database, start_postgresql
from tests.faults import killing
from tests.faults.crash_points import AIMED, POINTS
from tests.faults.figures import ABLATIONS, LONG_TESTS, Row, write_figures
from tests.faults.own_server import OwnServer
from tests.faults.plan import ANY_TIME, Plan, Report
from tests.faults.processes import ROOT

PAGE = ROOT / "docs" / "reliability.md"
# Processes, transport, and the share of the kills: those that die alone take the most time.
RUNS = {
    "sqlite": ((1, "http", 0.1), (3, "socket", 0.9)),
    "postgresql": ((2, "socket", 0.4), (3, "http", 0.6)),
}
# What a process that died had made is adopted by whoever looks next. One that lives until something was told asks again.
ANSWERS_LOST = {"fresh_keys": 0.5, "blind_posts": None}

LONG = {"PAYLINK_MODEL": "long", "PAYLINK_MUTATIONS": "10000"}


@dataclass
class Found:
    """What the campaigns on one database came to."""

    rows: list[Row] = field(default_factory=list)
    ablated: list[tuple[str, str, Row]] = field(default_factory=list)
    points: set[str] = field(default_factory=set)
    """Those at which a process died."""


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign")
    parser.add_argument("--kills", type=int, default=1000, help="on each database")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument(
        "--seed", type=int, help="of a run that is to be repeated; by default another each time"
    )
    parser.add_argument("--kills-only", action="store_true", help="no ablations and no long tests")
    parser.add_argument(
        "--no-page", dest="page", action="store_false", help="leave docs/reliability.md alone"
    )
    given = parser.parse_args(argv)
    seed = random.randrange(10**9) if given.seed is None else given.seed
    _tell({"seed": seed})
    databases = ["sqlite", "postgresql"] if given.database == "both" else [given.database]
    safeguards = () if given.kills_only else tuple(ABLATIONS)
    long_tests = () if given.kills_only else tuple(LONG_TESTS)
    # All side by side: a campaign waits more than it works.
    with ProcessPoolExecutor(len(databases) + 1, mp_context=get_context("spawn")) as pool:
        campaign = partial(_campaign, kills=given.kills, safeguards=safeguards, seed=seed)
        tested = pool.submit(_run_long_tests, long_tests)
        found = list(pool.map(campaign, databases))
        tests = tested.result()
    rows = [row for one in found for row in one.rows]
    ablated = [row for one in found for row in one.ablated]
    points = set[str]().union(*(one.points for one in found))
    _tell({"never reached": sorted(set(POINTS) - points)})
    if given.page:
        write_figures(PAGE, rows, ablated, tests, points)
    return 0 if passed(rows, ablated) and all(tests.values()) else 1


def _campaign(database: str, *, kills: int, safeguards: Sequence[str], seed: int) -> Found:
    """All that is done on one database."""
    found = Found()
    for processes, transport, share in RUNS[database]:
        row, points = _kill(database, math.ceil(kills * share), processes, transport, seed)
        found.rows.append(row)
        found.points |= points
    for safeguard in safeguards:
        found.ablated.append((database, safeguard, _ablate(database, safeguard, seed)))
    return found


def passed(rows: Sequence[Row], ablated: Sequence[tuple[str, str, Row]]) -> bool:
    unseen = [row for _, safeguard, row in ablated if not _extra(safeguard, row)]
    return not unseen and all(row.faults == 0 for row in rows)


def _run_long_tests(names: Sequence[str]) -> dict[str, bool]:
    """Whether each passes."""
    return {name: _run_long_test(name) for name in names}


def _run_long_test(name: str) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", f"tests/faults/{name}"]
    if not name.startswith("test_"):
        command = [sys.executable, "-m", f"tests.faults.{name.removesuffix('.py')}"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **LONG}, check=False)
    return done.returncode == 0


def _kill(database: str, kills: int, processes: int, transport: str, seed: int) -> tuple[Row, set[str]]:
    with place_for(database) as plan:
        plan = replace(plan, kills=kills, processes=processes, transport=transport, seed=seed)
        report = asyncio.run(killing.run(plan))
        if report.faults:
            _tell({"kept": str(keep(report))})
    row = Row.of(database, report)
    _tell(row)
    _tell({"aimed at": {point: report.kills[point] for point in AIMED}})
    for fault in report.faults[:50]:
        _tell(fault)
    return row, set(report.kills) - {ANY_TIME}


def keep(report: Report) -> Path:
    """What a fault can be traced by, in a directory that stays: what the processes logged, and what was compared."""
    kept = Path(tempfile.mkdtemp(prefix="paylink-faults-"))
    for log in report.plan.directory.glob("*.log"):
        shutil.copy(log, kept)
    (kept / "evidence.txt").write_text(pprint.pformat(report.evidence, width=200), encoding="utf-8")
    return kept


def _ablate(database: str, safeguard: str, seed: int) -> Row:
    with place_for(database) as plan:
        plan = replace(
            plan,
            kills=20,
            seed=seed,
            ablation=safeguard,
            answers_lost=ANSWERS_LOST[safeguard],
            points=(ABLATIONS[safeguard][1],),
            suspensions=(),
            at_points=1.0,
            passings=(1,),
            longest_life=30,
            settle_seconds=20,
        )
        row = Row.of(database, asyncio.run(killing.run(plan)))
    _tell({"without": safeguard, "extra": _extra(safeguard, row)})
    return row


def _extra(safeguard: str, row: Row) -> int:
    return row.extra_links if safeguard == "fresh_keys" else row.extra_messages


def _tell(what: object) -> None:
    print(json.dumps(what if isinstance(what, dict | str) else vars(what)), flush=True)


@contextlib.contextmanager
def place_for(database: str) -> Iterator[Plan]:
    """A plan of no kills yet, on an empty database that goes away in the end."""
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="paylink-campaign-")))
        url, own = f"sqlite:///{directory}/paylink.sqlite3", None
        if database == "postgresql":
            server = start_postgresql(directory / "postgresql")
            stack.callback(server.cleanup)
            own = OwnServer(server)
            url = stack.enter_context(created_database(server.get_uri(driver="psycopg"), "campaign"))
        yield Plan(url, directory, kills=0, server=own)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
