"""One organisation's huge import, and whoever else brings in a file meanwhile; and what all of it costs at rest."""

import asyncio
import threading

import pytest

from domain.database import Database
from domain.imports import claiming, reading_thread, running
from domain.imports.work import Work
from domain.states import ImportState
from domain.summaries import Actor
from tests.domain.factories import TEAM
from tests.domain.imports.files import amounts, previewed, rows
from tests.domain.world import ADA, World
from tests.patience import PATIENCE


async def test_a_small_file_doesnt_wait_for_another_organisations_large_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SMALL_BYTES", 200)
    monkeypatch.setattr(running, "LOOK_AGAIN", 0.01)
    second, third = [await world.serve(team) for team in ("T0TWO", "T0THREE")]
    gate, begun, import_claimed = threading.Event(), threading.Event(), reading_thread.import_claimed
    large: list[str] = []

    def importing_file(db: Database, claim: claiming.Claim, work: Work) -> None:
        if len(claim.content) > 200:
            large.append(claim.organisation.team_id)
            begun.set()
            assert gate.wait(PATIENCE)
        import_claimed(db, claim, work)

    monkeypatch.setattr(reading_thread, "import_claimed", importing_file)
    ids: dict[Actor, int] = {}

    async def standing(actor: Actor) -> ImportState:
        return (await world.desk.get_import(actor, ids[actor])).state

    for actor, content in ((ADA, rows(*range(1, 10))), (second.actor, rows(*range(11, 20)))):
        ids[actor] = (await previewed(world, content, actor)).import_id
        await world.desk.start_import(actor, ids[actor], view_id="V1")
    doing = asyncio.create_task(world.imports.run_due())
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    ids[third.actor] = (await previewed(world, rows(21), third.actor)).import_id
    await world.desk.start_import(third.actor, ids[third.actor], view_id="V1")
    async with asyncio.timeout(PATIENCE):
        while await standing(third.actor) is not ImportState.FINISHED:  # noqa: ASYNC110 - of a thread's work no event tells
            await asyncio.sleep(0.01)
    # Two large ones would share what there is, and hold up everybody's clicks.
    assert large == [TEAM]
    gate.set()
    await doing
    assert large == [TEAM, "T0TWO"]
    assert len(amounts(world.db)) == 19


async def test_at_rest_nothing_is_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def write(*_: object, **__: object) -> None:
        raise AssertionError("a write each second, for nothing")

    monkeypatch.setattr(world.db, "background_write", write)
    await world.imports.run_due()
