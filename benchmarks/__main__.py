"""`python -m benchmarks`: everything on SQLite and PostgreSQL, Paylink beside the obvious bot (docs/performance/figures.md)."""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from benchmarks import (
    against,
    announcing,
    commands,
    data,
    footprint,
    importing,
    intents,
    leak,
    links,
    postgres,
    probes,
    queries,
    report,
)
from benchmarks.measuring import Row, Times, duration, machine, size
from benchmarks.services import ROOT, SlackServer, StripeServer, slack_server, stripe_server

FULL, QUICK = (1_000, 100_000, 1_000_000), (1_000, 10_000)
MEBIBYTE = 1 << 20
LINES_BESIDE = 2_000_000
"""More than any import writes while the commands are measured."""
DATABASES = ("SQLite", "PostgreSQL")


@dataclass(frozen=True)
class Plan:
    """How much of each thing to do."""

    sizes: tuple[int, ...]
    runs: int
    announcements: int
    seconds: float
    asked: int
    made: int


@dataclass(frozen=True)
class Place:
    """One database of either bot, filled with so many invoices."""

    database: str
    count: int
    paylink: str
    obvious: str

    @property
    def setting(self) -> str:
        return f"{self.database}, {self.count:,} invoices"


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
        page = against.measure(given.against, given.rounds, set(filter(None, given.only.split(","))))
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
                rows += _fill(place, file)
                rows += _queries(place)
                if count == max(plan.sizes):
                    rows += asyncio.run(_services(plan, place, stripe, slack, directory))
                    if database == "SQLite" and plan.asked:
                        rows.append(asyncio.run(_growth(plan, place, stripe, slack)))
            file.unlink()
    return rows


def _place(database: str, count: int, server: str, directory: Path) -> Place:
    if database == "SQLite":
        names = [f"sqlite:///{directory}/{count}/{bot}.sqlite3" for bot in ("paylink", "obvious")]
        (directory / str(count)).mkdir()
    else:
        names = [postgres.create(server, f"{bot}{count}") for bot in ("paylink", "obvious")]
    return Place(database, count, *names)


def _fill(place: Place, file: Path) -> list[Row]:
    data.prepare_paylink(place.paylink)
    done = importing.measure(place.paylink, file, place.count)
    data.add_links(place.paylink, place.count)
    data.fill_obvious(place.obvious, place.count)
    seconds_allowed = 60 * place.count / 1_000_000
    growth = done.memory[-1] - done.memory[0]
    on_disk = footprint.bytes_per_invoice(place.paylink, place.count)
    obvious = footprint.bytes_per_invoice(place.obvious, place.count)
    return [
        Row(
            "import",
            place.setting,
            done.seconds,
            f"{duration(done.seconds)}; {size(done.memory[-1])}, {'+' if growth >= 0 else '−'}{size(abs(growth))} on the way",
            duration(seconds_allowed) if place.count >= 100_000 else "",
            done.seconds <= seconds_allowed if place.count >= 100_000 else None,
        ),
        Row(
            "on disk, an invoice",
            place.setting,
            on_disk,
            size(on_disk),
            peer=obvious,
            peer_text=size(obvious),
        ),
    ]


def _queries(place: Place) -> list[Row]:
    ours = queries.measure_paylink(place.paylink, place.count)
    theirs = queries.measure_obvious(place.obvious, place.count)
    targets = {question.name: question.target for question in queries.questions(place.count, queries.NOWHERE)}
    rows = [
        report.timed(name, place.setting, times, target=targets[name], peer=theirs.get(name))
        for name, times in ours.items()
    ]
    return [*rows, report.timed("100 intents", place.setting, intents.measure(place.paylink), target=0.005)]


async def _services(
    plan: Plan, place: Place, stripe: StripeServer, slack: SlackServer, directory: Path
) -> list[Row]:
    rows = await _links(plan, place, stripe)
    rows += await _commands(plan, place, stripe, slack, directory)
    at = await announcing.measure(place.paylink, slack, plan.announcements)
    floor = plan.announcements - 1
    rows.append(
        Row(
            f"{plan.announcements} announcements",
            place.setting,
            at[-1],
            f"{duration(at[-1])}, {at[-1] / floor:.3f} times the floor",
            "1.05 times",
            at[-1] <= 1.05 * floor,
        )
    )
    begun = [await footprint.start(place.paylink, stripe, slack) for _ in range(plan.runs)]
    rows.append(
        report.timed("start to ready", place.setting, Times(tuple(one.seconds for one in begun)), target=1.0)
    )
    rest = max(one.at_rest for one in begun)
    rows.append(Row("memory at rest", place.setting, rest, size(rest), "100 MiB", rest <= 100 * MEBIBYTE))
    waiting = place.count // 20 - place.count // 500
    asked = await footprint.requests_a_poll(place.paylink, stripe)
    shown = min(100, waiting)
    one_by_one = await footprint.obvious_poll(place.obvious, stripe, shown) / shown * waiting
    rows.append(
        Row(
            f"requests a poll, {waiting:,} links waiting",
            place.setting,
            asked,
            f"{asked}",
            "1",
            asked == 1,
            peer=waiting,
            peer_text=f"{waiting:,}, which take {duration(one_by_one)} and break Stripe's limit",
        )
    )
    return rows


async def _growth(plan: Plan, place: Place, stripe: StripeServer, slack: SlackServer) -> Row:
    held = await leak.measure(
        place.paylink, stripe, slack, asked=plan.asked, made=plan.made, invoices=place.count
    )
    return Row(
        f"{report.LONGEST} {plan.asked:,} commands and {plan.made:,} links",
        place.setting,
        held.growth,
        f"{held.growth / MEBIBYTE:+.1f} MiB to {size(held.links[-1])}",
        "none (5 MiB)",
        held.growth <= 5 * MEBIBYTE,
    )


async def _links(plan: Plan, place: Place, stripe: StripeServer) -> list[Row]:
    ours = [
        await links.measure_paylink(place.paylink, stripe, links.ANSWER_SECONDS) for _ in range(plan.runs)
    ]
    await asyncio.sleep(1.1)
    theirs = await links.measure_obvious(place.obvious, stripe, links.ANSWER_SECONDS)
    refused = sum(run.refused for run in ours)
    times = Times(tuple(run.seconds for run in ours))
    allowed = 1.15 * links.FLOOR
    return [
        Row(
            "100 links, answers after 0.1 s",
            place.setting,
            times.median,
            f"{times.text}, {refused} refused, {max(run.most_in_a_second for run in ours)} in the busiest second, "
            f"{duration(sum(run.cpu for run in ours) / len(ours))} of CPU",
            f"{duration(allowed)}, none refused",
            times.median <= allowed and refused == 0,
            peer=theirs.seconds,
            peer_text=f"{duration(theirs.seconds)}, {theirs.requests} requests, {theirs.refused} refused",
        )
    ]


async def _commands(
    plan: Plan, place: Place, stripe: StripeServer, slack: SlackServer, directory: Path
) -> list[Row]:
    more = directory / "more.csv"
    probes.write_lines(str(more), f"{LINES_BESIDE}", commands.MORE)
    quiet, busy, beside = await commands.measure_paylink(
        place.paylink, stripe, slack, more, place.count, plan.seconds
    )
    theirs = await commands.measure_obvious(place.obvious, slack, place.count, plan.seconds)
    more.unlink()
    rows = []
    for name, times, peer, target in (
        ("command to modal, 20 people", quiet, theirs, None),
        (
            f"the same beside {beside['links']} links and an import of {beside['lines']:,} lines",
            busy,
            None,
            0.05,
        ),
    ):
        last = times.percentile(99)
        rows.append(
            Row(
                name,
                place.setting,
                last,
                f"p99 {duration(last)}, median {duration(times.median)}",
                duration(target) if target else "",
                last <= target if target else None,
                peer=peer.percentile(99) if peer else None,
                peer_text=f"p99 {duration(peer.percentile(99))}, median {duration(peer.median)}"
                if peer
                else "",
            )
        )
    return rows


def _say(words: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {words}\n")


if __name__ == "__main__":
    sys.exit(main())
