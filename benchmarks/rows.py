"""The rows of the table: what each measurement of a filled database found, beside its target and the obvious bot."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from benchmarks import (
    announcing,
    commands,
    data,
    footprint,
    importing,
    intents,
    leak,
    links,
    queries,
    report,
)
from benchmarks.against.probes import write_lines
from benchmarks.measuring import Row, Times, duration, size
from benchmarks.services import SlackServer, StripeServer

MEBIBYTE = 1 << 20
LINES_BESIDE = 2_000_000
"""More than any import writes while the commands are measured."""


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


def fill(place: Place, file: Path) -> list[Row]:
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


def queries_rows(place: Place) -> list[Row]:
    ours = queries.measure_paylink(place.paylink, place.count)
    theirs = queries.measure_obvious(place.obvious, place.count)
    targets = {question.name: question.target for question in queries.questions(place.count, queries.NOWHERE)}
    rows = [
        report.timed(name, place.setting, times, target=targets[name], peer=theirs.get(name))
        for name, times in ours.items()
    ]
    return [*rows, report.timed("100 intents", place.setting, intents.measure(place.paylink), target=0.005)]


async def services_rows(
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


async def growth_row(plan: Plan, place: Place, stripe: StripeServer, slack: SlackServer) -> Row:
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
    write_lines(str(more), f"{LINES_BESIDE}", commands.MORE)
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
