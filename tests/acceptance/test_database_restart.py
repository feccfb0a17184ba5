"""PostgreSQL goes down and comes back in the middle of work, under two bots that stay up."""

import asyncio
import math
import tempfile
from asyncio.subprocess import DEVNULL
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import structlog

from domain.database import make_engine
from domain.migrations import upgrade
from sandbox.stripe.faults import FaultKind
from tests.acceptance.conftest import World, Worlds
from tests.acceptance.test_serve import start_run
from tests.conftest import start_postgresql
from tests.patience import PATIENCE

INVOICES = 100
PAID = 4
UNHINDERED = 20
"""So many links are made before the database goes down."""


@pytest.fixture
def server() -> Iterator[Any]:
    with tempfile.TemporaryDirectory(prefix="paylink-restart-") as directory:
        server = start_postgresql(Path(directory) / "data")
        yield server
        server.cleanup()


async def control(server: Any, *command: str) -> None:
    """Run pg_ctl, and wait until it has done what it should."""
    process = await asyncio.create_subprocess_exec(
        server.bin_path / "pg_ctl",
        *("-w", "-D", str(server.pgdata), "-l", str(server.log), *command),
        stdout=DEVNULL,
        stderr=DEVNULL,
        user=server.system_user,
    )
    assert await process.wait() == 0


def links_of(world: World) -> Counter[str]:
    return Counter(link["metadata"]["invoice_number"] for link in world.stripe.links())


async def readiness(world: World, status: int) -> dict[str, str]:
    async with asyncio.timeout(PATIENCE):
        while True:
            found, said = await world.get("/readyz")
            if found == status:
                reasons: dict[str, str] = said["reasons"]
                return reasons
            await asyncio.sleep(0.1)


@pytest.mark.postgres
@pytest.mark.parametrize("how", ["fast", "immediate"])
async def test_what_was_acknowledged_happens_once_though_the_database_restarts(
    server: Any, how: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        # Tracebacks drawn for a terminal would hold up both bots for seconds.
        stack.enter_context(structlog.testing.capture_logs())
        url = server.get_uri(driver="psycopg")
        engine = make_engine(url)
        upgrade(engine)
        engine.dispose()
        worlds = Worlds(stack, url, tmp_path)
        short = {"PAYLINK_LEASE_SECONDS": "3", "PAYLINK_MARGIN_SECONDS": "1", "PAYLINK_POLL_SECONDS": "1"}
        world = await worlds.make("socket", **short)
        second = await worlds.start(world.env)
        await second.begun.wait()
        # What comes after these is under way when the database goes down.
        hanging = world.stripe.faults.add(
            FaultKind.SLOW,
            method="POST",
            path="/v1/payment_links",
            skip=UNHINDERED,
            times=None,
            seconds=math.inf,
        )

        await start_run(world, INVOICES)
        await world.until(lambda: len(world.stripe.links()) >= PAID)
        for link in world.stripe.links()[:PAID]:
            await world.stripe.pay(link["url"])
        await world.until(lambda: world.announced() and hanging.fired)
        await control(server, "-m", how, "stop")
        assert len(world.stripe.links()) == UNHINDERED
        world.stripe.faults.remove(hanging)
        assert "database" in await readiness(world, 503)
        assert (await world.get("/healthz"))[0] == 200
        await control(server, "restart")
        assert await readiness(world, 200) == {}

        await world.until(lambda: len(links_of(world)) == INVOICES)
        await world.until(lambda: len(world.announced()) >= PAID)
        await world.until(lambda: world.workspace.dms(world.alice))
        assert f"Created: {INVOICES}" in world.workspace.dms(world.alice)[0].text
        assert set(links_of(world).values()) == {1}
        assert len(set(world.announced())) == len(world.announced()) == PAID
