"""Two workspaces on one database, each with a process that has its token: no token does another workspace's work."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from sqlalchemy.orm import Session

from domain.database import make_engine
from domain.migrations import upgrade
from domain.models import Payment
from domain.organisations import organisations
from sandbox.slack import LocalSlack
from tests.acceptance.conftest import MANIFEST, World, Worlds
from tests.patience import patient

pytestmark = pytest.mark.postgres


@pytest.fixture
async def worlds(blank_postgresql_url: str, tmp_path: Path) -> AsyncIterator[Worlds]:
    engine = make_engine(blank_postgresql_url)
    upgrade(engine)
    engine.dispose()
    async with AsyncExitStack() as stack:
        yield Worlds(stack, blank_postgresql_url, tmp_path)


async def beside(worlds: Worlds, first: World) -> World:
    """Another workspace, with a bot of its own on the same database and the same Stripe account."""
    slack = LocalSlack(yaml.safe_load(MANIFEST.read_text()), team_id="T0OTHER", limits=patient())
    await slack.start()
    worlds.stack.push_async_callback(slack.stop)
    alice, channel = slack.workspace.add_person("alice"), slack.workspace.add_channel("payments")
    env = worlds.settings(slack, first.stripe, "socket", channel, PAYLINK_POLL_SECONDS="1")
    service = await worlds.start(env)
    await service.begun.wait()
    await slack.connected()
    return World(slack, first.stripe, service, alice, channel, env)


async def create_links(world: World) -> None:
    """Two invoices, and a bulk run that makes their links."""
    for number in ("INV-1", "INV-2"):
        world.add_invoice(number)
    await world.workspace.command(world.alice, world.channel, "/invoices")
    await world.until(lambda: "Billing Invoices" in world.top())
    await world.press("Select All on This Page")
    await world.until(lambda: "2 of at most 100 ticked" in world.top())
    await world.submit()
    await world.until(lambda: "Create Invoice Online Payment Links" in world.top())
    await world.submit()
    await world.until(lambda: "Created: 2" in world.top())


def count_payments(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Payment)) or 0


async def see_announcements(world: World) -> None:
    """Two in the channel, and nothing that Slack refused."""
    await world.until(lambda: len(world.announced()) == 2)
    assert [call for call in world.workspace.calls if not call.ok] == []
    assert world.db.run(organisations.get_by_team, world.workspace.team_id).channel_problem is None


async def test_each_workspace_is_told_with_its_own_token(worlds: Worlds) -> None:
    first = await worlds.make(PAYLINK_POLL_SECONDS="1")
    second = await beside(worlds, first)
    await create_links(first)
    await create_links(second)
    await second.service.stop()

    for link in first.stripe.links():
        await first.stripe.pay(link["url"])

    # What the first process sees of the second workspace's payments waits for that one's own.
    await first.until(lambda: first.db.run(count_payments) == 4)
    await first.service.bot.announcing.deliver_due()
    await see_announcements(first)
    assert second.announced() == []
    second.service = await worlds.start(second.env)
    await see_announcements(second)
    await see_announcements(first)
