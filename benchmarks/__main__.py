"""`python -m benchmarks`: everything on SQLite and PostgreSQL, Paylink beside the obvious bot (docs/performance/figures.md)."""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import structlog

from benchmarks import data, postgres, report
from benchmarks.against import turns
from benchmarks.measuring import Row, machine
from benchmarks.rows import Place, Plan, fill, growth_row, queries_rows, services_rows
from benchmarks.services import ROOT, slack_server, stripe_server

FULL, QUICK = (1_000, 100_000, 1_000_000), (1_000, 10_000)
DATABASES = ("SQLite", "PostgreSQL")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, a few minutes; writes no document")
    parser.add_argument("--sizes", help="numbers of invoices, with commas between them")
    parser.add_argument(
        "--out", type=Path, help="where the pages lie (default: docs, or nowhere with --quick and --against)"
    )
    parser.add_argument(
        "--no-growth", dest="growth", action="store_false", help="without the longest of it, the leak test"
    )
    parser.add_argument(
        "--against", metavar="REV", help="only ratios: this tree beside that revision, by turns"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how many turns each has, with --against")
    parser.add_argument("--only", default="", help="with --against: which, with commas between them")
    given = parser.parse_args(argv)
    if given.against:
        page = turns.measure(given.against, given.rounds, set(filter(None, given.only.split(","))))
        sys.stdout.write(page)
        if given.out:
            report.put(given.out / "performance.md", report.RATIOS, page)
        return 0
    sizes = tuple(map(int, given.sizes.split(","))) if given.sizes else QUICK if given.quick else FULL
    plan = (
        Plan(sizes, runs=1, announcements=5, seconds=8, asked=2_000, made=1_000)
        if given.quick
        else Plan(sizes, runs=3, announcements=30, seconds=60, asked=100_000, made=10_000)
    )
    if not given.growth:
        plan = replace(plan, asked=0)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    described = machine()
    directory = Path(tempfile.mkdtemp(prefix="paylink-bench-"))
    try:
        rows = _measure(plan, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    sys.stdout.write(report.table(rows) + "\n")
    out = given.out or (None if given.quick else ROOT / "docs")
    if out is not None:
        report.write(out, rows, described)
    return 0


def _measure(plan: Plan, directory: Path) -> list[Row]:
    rows: list[Row] = []
    with ExitStack() as stack:
        server = stack.enter_context(postgres.postgresql(directory / "postgresql"))
        stripe, slack = stack.enter_context(stripe_server()), stack.enter_context(slack_server())
        for count in plan.sizes:
            file = directory / f"{count}.csv"
            data.write_csv(file, count)
            for database in DATABASES:
                place = _place(database, count, server, directory)
                _say(place.setting)
                rows += fill(place, file)
                rows += queries_rows(place)
                if count == max(plan.sizes):
                    rows += asyncio.run(services_rows(plan, place, stripe, slack, directory))
                    if database == "SQLite" and plan.asked:
                        rows.append(asyncio.run(growth_row(plan, place, stripe, slack)))
            file.unlink()
    return rows


def _place(database: str, count: int, server: str, directory: Path) -> Place:
    if database == "SQLite":
        names = [f"sqlite:///{directory}/{count}/{bot}.sqlite3" for bot in ("paylink", "obvious")]
        (directory / str(count)).mkdir()
    else:
        names = [postgres.create(server, f"{bot}{count}") for bot in ("paylink", "obvious")]
    return Place(database, count, *names)


def _say(words: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {words}\n")


if __name__ == "__main__":
    sys.exit(main())
