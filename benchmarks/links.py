"""A hundred links: how near each bot comes to what Stripe's limit allows."""

import asyncio
import itertools
import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import stripe

from benchmarks import obvious_bot
from benchmarks.services import ANNA, Paylink, StripeServer, paylink
from domain.lists.page_shape import PageShape
from domain.lists.summaries import Confirmation
from domain.summaries import BulkResult

COUNT = 100
PAGE = PageShape(rows=30, ticks_in_row=10, invoices=COUNT)
LIMIT = 25.0
ANSWER_SECONDS = 0.1
FLOOR = COUNT / LIMIT
_submissions = itertools.count(1)


@dataclass(frozen=True)
class Run:
    """From the first person's click to the last link recorded."""

    seconds: float
    commit: float
    """Seconds of the transaction that commits the run, seen from the caller."""
    cpu: float
    created: int
    requests: int
    refused: int
    """How many requests Stripe answered with 429."""
    most_in_a_second: int


async def measure_paylink(url: str, server: StripeServer, answer: float) -> Run:
    async with paylink(url, server) as bot:
        await server.answer_after(answer)
        await bot.creation.run_due()
        since = len(await server.requests())
        confirmed = await select(bot)
        began, cpu = time.perf_counter(), time.process_time()
        run = await start(bot, confirmed)
        committed = time.perf_counter()
        while not (await bot.desk.get_result(ANNA, run.id)).final:
            await bot.creation.run_due()
        ended = time.perf_counter()
        made = await bot.desk.get_result(ANNA, run.id)
        return _counted(
            (await server.requests())[since:],
            seconds=ended - began,
            commit=committed - began,
            cpu=time.process_time() - cpu,
            created=sum(item.url is not None for item in made.items),
        )


async def start(bot: Paylink, confirmed: Confirmation) -> BulkResult:
    submission = f"bench:{time.time_ns()}:{next(_submissions)}"
    return await bot.desk.start_run(
        ANNA, confirmed.selection_id, seal=confirmed.seal, submission=submission, view_id=None
    )


async def select(bot: Paylink) -> Confirmation:
    shown = await bot.desk.open_list(ANNA, shape=PAGE)
    await bot.desk.tick(
        ANNA,
        shown.selection.id,
        revision=shown.selection.revision,
        displayed=set(),
        ticked=set(),
        acted_at="",
        opened_with="",
    )
    await bot.desk.select_page(ANNA, shown.selection.id, shape=PAGE)
    confirmation = await bot.desk.confirm(ANNA, shown.selection.id)
    assert len(confirmation.targets) == COUNT, len(confirmation.targets)
    return confirmation


async def measure_obvious(url: str, server: StripeServer, answer: float) -> Run:
    await server.answer_after(answer)
    since = len(await server.requests())
    began, cpu = time.perf_counter(), time.process_time()
    created = await asyncio.to_thread(_create_all, url, server)
    return _counted(
        (await server.requests())[since:],
        seconds=time.perf_counter() - began,
        commit=0,
        cpu=time.process_time() - cpu,
        created=created,
    )


def _create_all(url: str, server: StripeServer) -> int:
    """One after another; what Stripe refuses is left out, as the quickstarts' code would."""
    engine = sa.create_engine(url)
    client = stripe.StripeClient(server.api_key, base_addresses={"api": server.api_url})
    created = 0
    try:
        with engine.connect() as connection:
            bills = obvious_bot.list_unlinked(connection)[:COUNT]
        for bill in bills:
            try:
                obvious_bot.create_link(engine, client, bill)
                created += 1
            except stripe.RateLimitError:
                continue
    finally:
        engine.dispose()
    return created


def _counted(
    requests: list[dict[str, Any]], *, seconds: float, commit: float, cpu: float, created: int
) -> Run:
    at = sorted(
        request["at"] for request in requests if request["status"] != 429 and request["method"] == "POST"
    )
    most = max((sum(1 for other in at if one <= other < one + 1) for one in at), default=0)
    return Run(
        seconds=seconds,
        commit=commit,
        cpu=cpu,
        created=created,
        requests=len(requests),
        refused=sum(request["status"] == 429 for request in requests),
        most_in_a_second=most,
    )
