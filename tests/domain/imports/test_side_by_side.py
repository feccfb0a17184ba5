"""Imports that are under way at once: what becomes of one is nothing to the others."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest

from domain.database import Database
from domain.errors import DatabaseUnavailable
from domain.imports import claiming, reading_thread, running
from domain.imports.work import Stopping, Work
from domain.states import ImportState
from domain.summaries import Actor
from tests.domain.factories import TEAM
from tests.domain.imports.files import amounts, previewed, rows
from tests.domain.world import ADA, World
from tests.patience import PATIENCE


class Gated:
    """What imports files: TEAM's waits for its gate, and what others' meet is said here."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.troubles: dict[str, Exception] = {}
        self.ended = queue.SimpleQueue[Exception | None]()
        self._begun = queue.SimpleQueue[str]()
        self._import: Callable[[Database, claiming.Claim, Work], None] = reading_thread.import_claimed

    def import_claimed(self, db: Database, claim: claiming.Claim, work: Work) -> None:
        team = claim.organisation.team_id
        self._begun.put(team)
        if team == TEAM:
            assert self.gate.wait(PATIENCE)
        try:
            if trouble := self.troubles.pop(team, None):
                raise trouble
            self._import(db, claim, work)
        except Exception as error:
            self.ended.put(error)
            raise
        self.ended.put(None)

    async def next_begun(self) -> str:
        """Whose is begun next."""
        return await asyncio.to_thread(self._begun.get, timeout=PATIENCE)

    async def next_ended(self) -> Exception | None:
        """How the next one ended in its thread."""
        return await asyncio.to_thread(self.ended.get, timeout=PATIENCE)


@pytest.fixture
def gated(monkeypatch: pytest.MonkeyPatch) -> Gated:
    gated = Gated()
    monkeypatch.setattr(running, "LOOK_AGAIN", 0.01)
    monkeypatch.setattr(reading_thread, "import_claimed", gated.import_claimed)
    return gated


async def start(world: World, actor: Actor, *numbers: int) -> int:
    import_id = (await previewed(world, rows(*numbers), actor)).import_id
    await world.desk.start_import(actor, import_id, view_id="V1")
    return import_id


async def test_a_look_that_fails_ends_nothing_that_is_under_way(
    world: World, gated: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SMALL_BYTES", 0)
    second = await world.serve("T0TWO")
    finished: list[ImportState] = []
    world.imports._on_finished = finished.append
    await start(world, ADA, 1)
    await start(world, second.actor, 2)
    doing = asyncio.create_task(world.imports.run_due())
    assert await gated.next_begun() == TEAM
    look, failed, again = running._look, threading.Event(), threading.Event()

    def failing(*args: object) -> tuple[bool, bool]:
        if not failed.is_set():
            failed.set()
            raise DatabaseUnavailable("away")
        again.set()
        return look(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(running, "_look", failing)
    assert await asyncio.to_thread(failed.wait, PATIENCE)
    gated.gate.set()
    await doing
    assert again.is_set()
    assert finished == [ImportState.FINISHED] * 2
    assert len(amounts(world.db)) == 2


async def test_an_import_s_error_is_raised_when_the_others_have_ended_by_themselves(
    world: World, gated: Gated
) -> None:
    second, third = [await world.serve(team) for team in ("T0TWO", "T0THREE")]
    gated.troubles["T0TWO"] = DatabaseUnavailable("away")
    for number, actor in enumerate((ADA, second.actor, third.actor)):
        await start(world, actor, number)
    doing = asyncio.create_task(world.imports.run_due())
    begun = asyncio.gather(*(gated.next_begun() for _ in range(3)))
    either: set[asyncio.Future[Any]] = {doing, begun}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    over = doing.done()
    gated.gate.set()
    assert not over, "the first one still imports"
    with pytest.raises(DatabaseUnavailable):
        await doing
    assert amounts(world.db).keys() == {"INV-0", "INV-2"}


async def test_a_cancelled_run_leaves_no_thread_that_imports(world: World, gated: Gated) -> None:
    import_id = await start(world, ADA, 1)
    doing = asyncio.create_task(world.imports.run_due())
    await gated.next_begun()
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing
    gated.gate.set()
    assert isinstance(await gated.next_ended(), Stopping)
    assert amounts(world.db) == {}
    assert (await world.desk.get_import(ADA, import_id)).state is ImportState.CONFIRMED


async def test_what_is_under_way_is_not_begun_again_when_its_lease_has_run_out(
    world: World, gated: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims: list[claiming.Claim | None] = []
    claim_next = claiming.claim_next

    def claim(*args: object) -> claiming.Claim | None:
        claims.append(claim_next(*args))  # type: ignore[arg-type]
        return claims[-1]

    monkeypatch.setattr(claiming, "claim_next", claim)
    second = await world.serve("T0TWO")
    await start(world, ADA, 1)
    doing = asyncio.create_task(world.imports.run_due())
    assert await gated.next_begun() == TEAM
    assert claims[0] is not None
    world.db.run(claiming.release, claims[0])
    # Nor is another one of its organisation, whose turn has run out with it.
    await start(world, ADA, 2)
    await start(world, second.actor, 3)
    following = await gated.next_begun()
    gated.gate.set()
    await doing
    assert following == "T0TWO"
    assert len(amounts(world.db)) == 3
