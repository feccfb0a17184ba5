"""The whole: from a slash command to exactly one paid message, over both transports, on both databases."""

import asyncio
import math
from typing import Any

import aiohttp
import pytest

from bot.run import service
from domain.programs import tokens
from sandbox.stripe.faults import FaultKind
from tests.acceptance.conftest import Transport, World, Worlds, text_of
from tests.patience import PATIENCE

TRANSPORTS: list[Transport] = ["socket", "http"]


async def create_link(world: World, number: str) -> str:
    """Type /invoice, press Create Payment Link; the URL of the link."""
    await world.workspace.command(world.alice, world.channel, f"/invoice {number}")
    await world.until(lambda: "Billing Invoice Details" in world.top())
    await world.press("Create Payment Link")
    await world.until(lambda: "Pending Payment" in world.top())
    [link] = world.stripe.links()
    assert link["url"] in world.top()
    return str(link["url"])


async def start_run(world: World, count: int) -> None:
    """Add invoices, type /invoices, tick them all, create."""
    for n in range(count):
        world.add_invoice(f"INV-{1001 + n}")
    await world.workspace.command(world.alice, world.channel, "/invoices")
    await world.until(lambda: "Billing Invoices" in world.top())
    await world.press("Select All on This Page")
    await world.until(lambda: f"{count} of at most 100 ticked" in world.top())
    await world.submit()
    await world.until(lambda: "Create Invoice Online Payment Links" in world.top())
    await world.submit()


def creations(world: World) -> list[Any]:
    return [one for one in world.stripe.requests if (one.method, one.path) == ("POST", "/v1/payment_links")]


def refused_calls(world: World) -> list[Any]:
    """But for views that were shown anew meanwhile: open details follow their invoice."""
    calls = world.workspace.calls
    return [call for call in calls if not call.ok and call.error not in ("hash_conflict", "not_found")]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_paid_link_is_announced_exactly_once(
    worlds: Worlds, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "FIGURES_EVERY_SECONDS", 0.1)
    world = await worlds.make(transport, PAYLINK_POLL_SECONDS="1")
    world.add_invoice("INV-1001")

    url = await create_link(world, "inv-1001")
    await world.stripe.pay(url)

    await world.until(lambda: world.announced())
    [said] = world.announced()
    assert "INV-1001" in said
    assert "Acme Corporation" in said
    assert "USD 1,200.50" in said
    assert "Paid" in said
    await world.workspace.command(world.alice, world.channel, "/invoice INV-1001")
    await world.until(lambda: "Amount received" in world.top())
    assert len(world.announced()) == 1
    assert refused_calls(world) == []
    posted = 'paylink_outbox{kind="paid",state="posted"} 1.0'
    async with asyncio.timeout(PATIENCE):
        # Slack has the message before it is written down that it has, and figures are kept for seconds.
        while posted not in (counted := (await world.get("/metrics"))[1]):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    for line in (
        'paylink_links_settled_total{outcome="created"} 1.0',
        'paylink_payments_recorded_total{verdict="paid"} 1.0',
        'paylink_announcement_seconds_count{kind="paid"} 1.0',
        'paylink_links{state="Paid"} 1.0',
    ):
        assert line in counted


async def test_with_the_webhook_a_payment_is_announced_without_a_poll(worlds: Worlds) -> None:
    world = await worlds.make("http")
    worlds.add_webhook(world)
    world.add_invoice("INV-1001")

    url = await create_link(world, "INV-1001")
    await world.stripe.pay(url)
    await world.until(lambda: world.announced())

    await world.stripe.webhooks_settled()
    assert len(world.announced()) == 1
    assert "/v1/events" not in [one.path for one in world.stripe.requests if one.method == "GET"]


async def test_a_bulk_run_of_100_makes_each_link_with_one_request(sqlite_worlds: Worlds) -> None:
    world = await sqlite_worlds.make()
    # Bot and Stripe share one loop here: when it stalls, requests that left apart arrive together. That they leave apart
    # is tested elsewhere, and `make bench` shows it with a Stripe in its own process.
    world.stripe.limits.test = world.stripe.limits.endpoint = None

    await start_run(world, 100)
    await world.until(lambda: "Created: 100" in world.top())

    assert len({link["metadata"]["invoice_number"] for link in world.stripe.links()}) == 100
    assert [one.status for one in creations(world)] == [200] * 100
    await world.until(lambda: world.workspace.dms(world.alice))
    [message] = world.workspace.dms(world.alice)
    assert "Created: 100" in text_of(message.as_json())
    assert refused_calls(world) == []


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_restart_in_the_middle_of_a_bulk_run_loses_and_doubles_nothing(
    worlds: Worlds, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "FINISH_SECONDS", 0.2)
    world = await worlds.make(transport)
    # What comes after these is under way when the bot stops.
    hanging = world.stripe.faults.add(FaultKind.SLOW, method="POST", skip=5, times=None, seconds=math.inf)

    await start_run(world, 30)
    await world.until(lambda: hanging.fired >= 5)
    await world.service.stop()
    assert len(world.stripe.links()) == 5
    world.stripe.faults.remove(hanging)
    world.service = await worlds.start(world.env)
    await world.service.begun.wait()
    world.slack.request_url = f"http://127.0.0.1:{world.service.port}/slack/events"
    await world.until(lambda: world.workspace.dms(world.alice))

    numbers = [link["metadata"]["invoice_number"] for link in world.stripe.links()]
    assert len(numbers) == len(set(numbers)) == 30
    assert "Created: 30" in text_of(world.workspace.dms(world.alice)[0].as_json())


async def test_two_clicks_and_two_deliveries_make_one_link(worlds: Worlds) -> None:
    world = await worlds.make()
    bob = world.workspace.add_person("bob")
    world.add_invoice("INV-1001")
    for person in (world.alice, bob):
        await world.workspace.command(person, world.channel, "/invoice INV-1001")
        await world.until(lambda: "Create Payment Link" in world.top(person))  # noqa: B023 - looked at right here
    world.slack.app.faults.add(method="deliver.interactive", do="twice")

    await asyncio.gather(
        *(
            world.workspace.press(person, world.workspace.top(person).id, "Create Payment Link")
            for person in (world.alice, bob)
        )
    )
    await world.until(lambda: all("Pending Payment" in world.top(one) for one in (world.alice, bob)))

    assert len(world.stripe.links()) == 1
    assert len(creations(world)) == 1


async def test_a_program_asks_for_a_link_and_hears_that_it_was_paid(worlds: Worlds) -> None:
    world = await worlds.make("socket", PAYLINK_POLL_SECONDS="1")
    token = world.db.run(tokens.add, world.workspace.team_id, "ledger")
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{world.service.port}/api/", headers={"Authorization": f"Bearer {token}"}
    ) as session:
        sent = {"number": "INV-1001", "buyer_name": "Acme", "billing_amount": "12.50", "currency": "USD"}
        async with session.put("invoices", json={"invoices": [sent]}) as answer:
            assert [one["outcome"] for one in (await answer.json())["outcomes"]] == ["new"]
        async with session.post("invoices/INV-1001/payment-link") as answer:
            assert answer.status == 201
            url = (await answer.json())["link"]["url"]
        await world.stripe.pay(url)
        await world.until(lambda: world.announced())
        async with session.get("events") as answer:
            events = (await answer.json())["events"]
    assert [(one["type"], one["invoice_number"]) for one in events] == [
        ("link_created", "INV-1001"),
        ("paid", "INV-1001"),
    ]
