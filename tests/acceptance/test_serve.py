"""The thin whole: from a slash command to exactly one paid message, over both transports, on both databases."""

import pytest

from tests.acceptance.conftest import Transport, World, Worlds

TRANSPORTS: list[Transport] = ["socket", "http"]


async def create_link(world: World, number: str) -> str:
    """Type /invoice, press Create Payment Link; the URL of the link."""
    workspace, alice = world.workspace, world.alice
    await workspace.command(alice, world.channel, f"/invoice {number}")
    await world.until(lambda: "Billing Invoice Details" in world.top())
    await workspace.press(alice, workspace.top(alice).id, "Create Payment Link")
    await world.until(lambda: "Pending Payment" in world.top())
    [link] = world.stripe.links()
    assert link["url"] in world.top()
    return str(link["url"])


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_paid_link_is_announced_exactly_once(worlds: Worlds, transport: Transport) -> None:
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
