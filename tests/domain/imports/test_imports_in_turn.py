"""Imports that are killed, taken over, or wait for one another: each file is taken once, whoever is at it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.coordination import turns
from domain.import_results import ImportCounts
from domain.imports import claiming, reading_thread, running
from domain.imports.work import Work
from domain.states import AnnouncementKind, ImportState
from tests.domain import world as worlds
from tests.domain.factories import make_invoice
from tests.domain.imports.files import amounts, brought, confirmed, previewed, rows, small_chunks
from tests.domain.world import ADA, World

__all__ = ["small_chunks"]


async def begin(world: World, claim: claiming.Claim) -> None:
    """Import what was claimed, as a worker does."""
    work = Work(world.db.run, world.clock, lambda: False)
    await asyncio.to_thread(reading_thread.import_claimed, world.db, claim, work)


def killed(monkeypatch: pytest.MonkeyPatch, after: int) -> Callable[[], None]:
    """The process dies with the chunk after so many, before it is committed; returns what revives it."""
    note, seen = claiming.note_progress, []

    def note_or_die(*args: object) -> None:
        seen.append(args)
        if len(seen) > after:
            raise MemoryError("killed")
        note(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(claiming, "note_progress", note_or_die)
    monkeypatch.setattr(running, "AGAIN", timedelta(0))
    return lambda: monkeypatch.setattr(claiming, "note_progress", note)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("after", [0, 1, 2])
async def test_killed_in_the_middle_it_goes_on_and_takes_nothing_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    make_invoice(world.db, "INV-2", buyer_name="Acme", amount=500, currency="USD")
    content = rows(*range(1, 10)) + b"INV-10,Acme,,x,USD,,,\n"
    import_id = await confirmed(world, content)
    revive = killed(monkeypatch, after)
    claim = world.db.run(claiming.claim_next, world.lease)
    assert claim is not None
    with pytest.raises(MemoryError):
        await begin(world, claim)
    assert len(amounts(world.db)) == max(4 * after, 1)
    revive()
    # Its lease stands: nobody else takes it up meanwhile.
    await world.imports.run_due()
    assert (await world.desk.get_import(ADA, import_id)).state is ImportState.CONFIRMED
    world.db.run(claiming.release, claim)
    async with worlds.world(world.db, world.stripe, owner="two") as two:
        await two.imports.run_due()
    standing = await world.desk.get_import(ADA, import_id)
    assert (standing.state, standing.counts) == (
        ImportState.FINISHED,
        ImportCounts(new=8, changed=1, refused=1),
    )
    assert standing.as_previewed
    assert len(amounts(world.db)) == 9


@pytest.mark.usefixtures("small_chunks")
async def test_a_process_that_lost_its_claim_writes_nothing_more(world: World) -> None:
    import_id = await confirmed(world, rows(*range(1, 10)))
    late = world.db.run(claiming.claim_next, world.lease)
    assert late is not None
    world.db.run(claiming.release, late)
    async with worlds.world(world.db, world.stripe, owner="two") as two:
        await two.imports.run_due()
    with pytest.raises(claiming.ClaimLost):
        await begin(world, late)
    assert (await world.desk.get_import(ADA, import_id)).counts == ImportCounts(new=9)


async def test_two_processes_at_once_import_each_file_once(world: World) -> None:
    ids = [await confirmed(world, rows(*range(10 * each, 10 * each + 10))) for each in range(4)]
    async with worlds.world(world.db, world.stripe, owner="two") as two:
        await asyncio.gather(world.imports.run_due(), two.imports.run_due())
    for import_id in ids:
        assert (await world.desk.get_import(ADA, import_id)).counts == ImportCounts(new=10)
    assert len(amounts(world.db)) == 40


async def test_one_that_gets_nowhere_is_told_in_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await confirmed(world, rows(1))
    killed(monkeypatch, 0)
    for _ in range(claiming.ATTEMPTS):
        claim = world.db.run(claiming.claim_next, world.lease)
        assert claim is not None
        world.db.run(claiming.release, claim)
    await world.imports.run_due()
    assert (await world.desk.get_import(ADA, import_id)).state is ImportState.FAILED
    assert brought(world, import_id).content is None
    await world.announcing.deliver_due()
    assert [message.kind for message in world.poster.posted] == [AnnouncementKind.IMPORT_RESULT]


async def test_a_stop_leaves_the_rest_to_others(world: World) -> None:
    import_id = await confirmed(world, rows(1))
    claim = world.db.run(claiming.claim_next, world.lease)
    assert claim is not None
    world.imports.claim_no_more()
    await world.imports._do(claim)
    assert amounts(world.db) == {}
    async with worlds.world(world.db, world.stripe, owner="two") as two:
        await two.imports.run_due()
    assert (await world.desk.get_import(ADA, import_id)).state is ImportState.FINISHED


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("owner", ["one", "two"])
async def test_while_another_is_at_it_whoever_was_late_writes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    """``owner``: another process, or the same one, which took it up again."""
    import_id = await confirmed(world, rows(*range(1, 10)))
    late = world.db.run(claiming.claim_next, world.lease)
    assert late is not None
    world.db.run(claiming.release, late)
    at_it = world.db.run(claiming.claim_next, replace(world.lease, owner=owner))
    assert at_it is not None
    revive = killed(monkeypatch, 1)
    with pytest.raises(MemoryError):
        await begin(world, at_it)
    revive()
    with pytest.raises(claiming.ClaimLost):
        await begin(world, late)
    assert len(amounts(world.db)) == 4
    assert (await world.desk.get_import(ADA, import_id)).counts == ImportCounts(new=4)


async def test_it_waits_until_another_import_of_the_organisation_has_ended(world: World) -> None:
    import_id = (await previewed(world, rows(1))).import_id
    with turns.turn(world.db, turns.of_imports(world.scope.organisation_id), lambda: None):
        assert (await world.desk.start_import(ADA, import_id, view_id="V1")).waits
        for _ in range(claiming.ATTEMPTS + 1):
            await world.imports.run_due()
        assert amounts(world.db) == {}
        assert (await world.desk.get_import(ADA, import_id)).waits
        assert [one.waits for one in (await world.desk.get_home(ADA)).imports] == [True]
    assert [one.waits for one in (await world.desk.get_home(ADA)).imports] == [False]
    assert not (await world.desk.get_import(ADA, import_id)).waits
    await world.imports.run_due()
    assert (await world.desk.get_import(ADA, import_id)).state is ImportState.FINISHED


@pytest.mark.usefixtures("small_chunks")
async def test_while_it_is_under_way_another_import_of_the_organisation_waits(world: World) -> None:
    first = await confirmed(world, rows(*range(1, 10)))
    own = turns.of_imports(world.scope.organisation_id)
    other = replace(world.lease, owner="two")
    claim = world.db.run(claiming.claim_next, world.lease)
    assert claim is not None
    assert not world.db.run(turns.take_if_free, own, other)
    second = await confirmed(world, rows(10))
    waits = [(await world.desk.get_import(ADA, one)).waits for one in (first, second)]
    assert waits == [False, True]
    await begin(world, claim)
    assert world.db.run(turns.take_if_free, own, other)


async def test_of_another_organisation_it_goes_on_meanwhile(world: World) -> None:
    await confirmed(world, rows(1))
    with turns.turn(world.db, turns.of_imports(world.scope.organisation_id + 1), lambda: None):
        await world.imports.run_due()
    assert amounts(world.db) == {"INV-1": 1000}
