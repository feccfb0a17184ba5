"""This tree beside an older revision, in one run and by turns, each beside its floor where there is one.

The revision is unpacked beside, and run by this tree's interpreter with this tree's libraries; nothing is written into the
repository. CPU is that of the process that is measured.
"""

import compileall
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks import postgres
from benchmarks.measuring import machine
from benchmarks.services import ROOT, SlackServer, StripeServer, slack_server, stripe_server

INVOICES, BESIDE = 20_000, 900_000
SECONDS_OF_COMMANDS = 55
"""Of each side, over all rounds: at some 38 commands a second, more than 2,000."""
KINDS = ("help", "import", "polls", "memory", "intents", "commands", "links", "told", "searches", "pressed")
FEW, MANY, WAITING = 1_000, 100_000, 938
"""Invoices beside which the same links wait: the first ones', of which one in twenty-five can't have any."""
SIDES = ("before", "now")


@dataclass(frozen=True)
class Side:
    """A tree and its database, with a Stripe of its own."""

    tree: Path
    url: str
    stripe: StripeServer
    slack: SlackServer
    directory: Path
    probes: Path

    def probe(self, name: str, *arguments: object) -> list[float]:
        done = subprocess.run(
            [sys.executable, str(self.probes), name, *map(str, arguments)],
            cwd=self.tree,
            env={**os.environ, "PYTHONPATH": str(self.tree)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{name} in {self.tree}: {done.stderr[-2000:]}")
        found: list[float] = json.loads(done.stdout.splitlines()[-1])
        return found

    def beside(self, name: str) -> str:
        """Another database of the same kind, made anew on PostgreSQL."""
        if self.url.startswith("sqlite"):
            return f"sqlite:///{self.directory}/{name}.sqlite3"
        return postgres.create(self.url, f"{sa.make_url(self.url).database}_{name}")

    @property
    def services(self) -> tuple[str, str, str]:
        return self.url, self.stripe.api_url, self.stripe.api_key


@dataclass(frozen=True)
class Line:
    """Figures of the same thing: of the revision, of this tree, and of the least that it can take."""

    what: str
    where: str
    unit: str
    before: tuple[float, ...]
    now: tuple[float, ...]
    floor: tuple[float, ...] = ()

    def __str__(self) -> str:
        now = statistics.median(self.now)
        # Not everything can be asked of an older one.
        before = statistics.median(self.before) if self.before else None
        floor = statistics.median(self.floor) if self.floor else None
        spread = sorted(b and n / b for b, n in zip(self.before, self.now, strict=False))
        around = f" ({spread[0]:.2f}–{spread[-1]:.2f})" if len(spread) > 1 else ""
        cells = [
            self.what,
            self.where,
            "" if floor is None else f"{floor:.3g} {self.unit}",
            "" if floor is None or before is None else f"{before / floor:.2f} ×",
            "" if floor is None else f"{now / floor:.2f} ×",
            "" if before is None else f"{before:.3g} {self.unit}",
            f"{now:.3g} {self.unit}",
            "" if before is None else f"**{now / before:.2f}**{around}",
        ]
        return f"| {' | '.join(cells)} |"


def measure(revision: str, rounds: int, only: set[str]) -> str:
    """A table in Markdown. ``only``: some of KINDS; all if empty."""
    kinds = [kind for kind in KINDS if not only or kind in only]
    began, described = time.monotonic(), machine()
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="paylink-against-") as directory, ExitStack() as stack:
        before, now = (Path(directory) / name for name in SIDES)
        _unpack(revision, before)
        # As it is now, whatever is done to it meanwhile.
        shutil.copytree(ROOT, now, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        trees = {"before": before, "now": now}
        for tree in trees.values():
            # As they are once installed: a process that compiles what it imports holds a quarter more afterwards.
            compileall.compile_dir(tree, quiet=1)
        server = stack.enter_context(postgres.postgresql(Path(directory) / "postgresql"))
        slack = stack.enter_context(slack_server())
        for database in ("SQLite", "PostgreSQL"):
            sides = {}
            for name, tree in trees.items():
                place = Path(directory) / f"{database}-{name}"
                place.mkdir()
                url = (
                    f"sqlite:///{place}/paylink.sqlite3"
                    if database == "SQLite"
                    else postgres.create(server, name)
                )
                stripe = stack.enter_context(stripe_server())
                sides[name] = Side(
                    tree, url, stripe, slack, place, now / "benchmarks" / "against" / "probes.py"
                )
            empty = (
                f"sqlite:///{directory}/floor.sqlite3"
                if database == "SQLite"
                else postgres.create(server, "floor")
            )
            for line in _of_database(database, sides, empty, rounds, kinds):
                _say(str(line))
                lines.append(line)
    head = (
        "| what | where | floor | before ÷ floor | now ÷ floor | before | now | now ÷ before (least–most of the rounds) |\n"
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    )
    return (
        f"Measured on {described}: {revision} beside this tree, {rounds} rounds by turns, {INVOICES:,} invoices, "
        f"in {(time.monotonic() - began) / 60:.0f} minutes; load at the end {os.getloadavg()[0]:.1f}.\n\n"
        f"{head}{''.join(f'{line}' + chr(10) for line in lines)}"
    )


def _unpack(revision: str, into: Path) -> None:
    packed = subprocess.run(["git", "archive", revision], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(into, filter="data")


def _of_database(
    database: str, sides: dict[str, Side], empty: str, rounds: int, kinds: list[str]
) -> Iterator[Line]:
    imported: dict[str, list[float]] = {}
    for name, side in sides.items():
        _say(f"{database}: preparing {name}")
        file = side.directory / "invoices.csv"
        side.probe("write_lines", file, INVOICES, "INV-")
        imported[name] = side.probe("prepare", side.url, file, INVOICES)
        if "import" in kinds:
            [begun] = side.probe("begin", side.beside("begin"), side.directory / "few.csv")
            imported[name][0] -= begun
    if "import" in kinds:
        floor = sides["now"].probe("floor", sides["now"].url, empty)
        # COPY leaves the work to the server, whose CPU isn't this process's.
        which, unit = (0, "s of CPU") if database == "SQLite" else (1, "s")
        beside = "executemany" if database == "SQLite" else "COPY"
        yield Line(f"import, beside {beside}", database, unit, *_each(imported, which), (floor[which],))
    if "polls" in kinds:
        yield _polls(database, sides["now"], rounds)
    yield from _by_turns(database, sides, rounds, kinds)
    if "pressed" in kinds:
        yield from _pressed(database, sides, rounds)


def _by_turns(database: str, sides: dict[str, Side], rounds: int, kinds: list[str]) -> Iterator[Line]:
    asked: dict[str, Callable[[Side], list[float]]] = {
        "help": lambda side: side.probe("help"),
        "memory": lambda side: side.probe("memory", *side.services, side.slack.url),
        "intents": lambda side: side.probe("intents", side.url),
        "commands": lambda side: side.probe("commands", *side.services, side.slack.url, INVOICES),
        "links": lambda side: side.probe("links", *side.services),
        "told": lambda side: _median(side.probe("told", *side.services, side.slack.url)),
        "searches": lambda side: side.probe("searches", side.url, INVOICES),
    }
    if database == "SQLite":
        # Its server is the process itself.
        del asked["searches"]
    obvious = sides["now"].beside("obvious")
    if "told" in kinds:
        sides["now"].probe("fill_obvious", obvious, INVOICES)
    found: dict[str, dict[str, list[list[float]]]] = defaultdict(lambda: {name: [] for name in SIDES})
    for turn in range(rounds):
        for kind in kinds:
            # Once for both databases, and what takes long and hardly varies once.
            if kind not in asked or (kind == "help" and database != "SQLite") or (kind == "memory" and turn):
                continue
            _say(f"{database}: {kind}, round {turn + 1}")
            for name in SIDES if turn % 2 else reversed(SIDES):
                # Its questions are this tree's.
                if kind != "searches" or name == "now":
                    found[kind][name].append(asked[kind](sides[name]))
            if kind == "told":
                bare = sides["now"].probe("told", *sides["now"].services, sides["now"].slack.url, obvious)
                for name in SIDES:
                    found[kind][name][-1] += _median(bare)
    named: dict[str, list[tuple[str, str, int, int | None]]] = {
        "help": [("paylink --help", "ms of CPU", 0, None)],
        "memory": [("memory at rest, beside the libraries alone", "MiB", 0, 1)],
        "intents": [("100 intents", "ms", 0, None)],
        "commands": [
            ("/invoice, beside a bare Bolt", "ms of CPU", 0, 1),
            ("/invoices, beside a bare Bolt", "ms of CPU", 2, 3),
            ("acknowledgement of /invoice, beside a bare Bolt", "ms", 4, 5),
        ],
        "links": [("a link, from the submission to recorded", "ms of CPU", 0, None)],
        "told": [("payment to message by the webhook, beside the obvious bot", "ms", 0, 1)],
        "searches": [("28 searches, beside the server's own work", "ms", 0, 1)],
    }
    for kind, both in found.items():
        for what, unit, which, floor in named[kind]:
            least = () if floor is None else tuple(one[floor] for side in both.values() for one in side)
            before, now = (tuple(one[which] for one in both[name]) for name in SIDES)
            yield Line(what, database, unit, before, now, least)


def _polls(database: str, side: Side, rounds: int) -> Line:
    """Of this tree alone: a poll that finds nothing while 900 links wait, beside many invoices and beside few."""
    took: dict[int, list[float]] = {FEW: [], MANY: []}
    urls = {count: side.beside(f"polls{count}") for count in took}
    for count, url in urls.items():
        file = side.directory / f"{count}.csv"
        side.probe("write_lines", file, count, "INV-")
        side.probe("prepare", url, file, count, WAITING)
    for turn in range(rounds):
        for count in took if turn % 2 else reversed(took):
            took[count] += side.probe("polls", urls[count], side.stripe.api_url, side.stripe.api_key)
    what = f"a poll with 900 links waiting, at {MANY:,} invoices beside {FEW:,}"
    return Line(what, database, "ms of CPU", (), tuple(took[MANY]), tuple(took[FEW]))


def _median(found: list[float]) -> list[float]:
    return [statistics.median(found)]


def _pressed(database: str, sides: dict[str, Side], rounds: int) -> Iterator[Line]:
    """The 99th percentile over the commands of all rounds."""
    waited: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in SIDES}
    done: dict[str, list[float]] = {name: [0.0, 0.0] for name in SIDES}
    for turn in range(rounds):
        for name in SIDES if turn % 2 else reversed(SIDES):
            side, mark = sides[name], f"R{turn}-"
            _say(f"{database}: commands of 20 people, {name}, round {turn + 1}")
            file = side.directory / "beside.csv"
            side.probe("write_lines", file, BESIDE, mark)
            arguments = (*side.services, side.slack.url, INVOICES, file, mark, SECONDS_OF_COMMANDS / rounds)
            *figures, lines, links = side.probe("pressed", *arguments)
            first = figures.index(0.0)
            waited[name][0].extend(figures[:first])
            waited[name][1].extend(figures[first + 1 : -1])
            done[name] = [done[name][0] + lines, done[name][1] + links]
    meanwhile = "; ".join(
        f"{name} {done[name][1]:,.0f} links and {done[name][0]:,.0f} lines" for name in SIDES
    )
    for which, what in enumerate(("quiet", f"beside a bulk run and an import ({meanwhile})")):
        both: list[Any] = [waited[name][which] for name in SIDES]
        commands = " and ".join(f"{len(one):,}" for one in both)
        p99 = [(1000 * statistics.quantiles(one, n=100)[98],) for one in both]
        yield Line(f"p99 of {commands} commands, {what}", database, "ms", *p99)


def _each(found: dict[str, list[float]], which: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    before, now = ((found[name][which],) for name in SIDES)
    return before, now


def _say(words: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {words}\n")
