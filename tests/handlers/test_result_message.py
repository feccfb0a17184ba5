"""The direct message with a bulk run's result, and the channel's messages: their buttons lead somewhere."""

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from domain.messages.summaries import Announcement
from domain.states import AnnouncementKind
from domain.summaries import Actor
from handlers.poster import SlackPoster
from handlers.views.listing import PAGE
from tests.handlers.conftest import ANNA, Bench
from tests.handlers.samples import NOW, TEAM, invoice, paid


async def post(bench: Bench, announcement: Announcement) -> None:
    async with aiohttp.ClientSession() as session:
        token, url = bench.workspace.bot_token, bench.slack.api_url
        await SlackPoster(AsyncWebClient(token=token, base_url=url, session=session)).post(announcement)


async def run_of_two(bench: Bench) -> int:
    bench.invoices(invoice(1), invoice(2))
    actor = Actor(TEAM, ANNA)
    page = await bench.desk.open_list(actor, shape=PAGE)
    await bench.desk.select_page(actor, page.selection.id, shape=PAGE)
    seal = (await bench.desk.confirm(actor, page.selection.id)).seal
    run = await bench.desk.start_run(actor, page.selection.id, seal=seal, submission="s", view_id=None)
    return run.id


async def test_show_result_opens_the_result_and_follows_it(bench: Bench) -> None:
    run_id = await run_of_two(bench)
    bulk = bench.desk.runs[run_id]
    await post(bench, Announcement(1, 1, AnnouncementKind.BULK_RESULT, "k", ANNA, 0, False, None, bulk=bulk))
    [message] = bench.workspace.dms(ANNA)
    await bench.workspace.press(ANNA, message.place, "Show Result")
    await bench.workspace.wait_for(lambda: "Being created: 2" in bench.shown if bench.tasks else False)
    bench.desk.finish(run_id)
    await bench.idle()
    assert "Created: 2" in bench.shown
    assert len(bench.workspace.views(ANNA)) == 1


async def test_show_result_of_a_run_that_is_gone_says_so_to_the_person_alone(bench: Bench) -> None:
    run_id = await run_of_two(bench)
    bulk = bench.desk.runs.pop(run_id)
    await post(bench, Announcement(1, 1, AnnouncementKind.BULK_RESULT, "k", ANNA, 0, False, None, bulk=bulk))
    [message] = bench.workspace.dms(ANNA)
    await bench.press("Show Result", message.place)
    [told] = [each.text for each in bench.workspace.dms(ANNA) if each.ephemeral_to]
    assert "doesn't exist" in told


async def test_view_invoice_opens_the_invoice_as_it_is_now(bench: Bench) -> None:
    one = paid(invoice(1))
    bench.invoices(one)
    facts = Announcement(1, 1, AnnouncementKind.PAID, "k", bench.channel, 0, False, NOW, invoice=one)
    await post(bench, facts)
    [message] = bench.workspace.messages(bench.channel)
    await bench.press("View Invoice", message.place)
    assert "Billing Invoice Details" in bench.shown
    assert "Stripe payment" in bench.shown.splitlines()
