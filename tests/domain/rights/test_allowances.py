"""How often one person may do what is costly."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from domain.errors import TooOften
from domain.files.exporting import Export
from domain.files.exports import Format
from domain.rights import allowances
from domain.rights.allowances import Allowances, Costly
from domain.summaries import Actor
from tests.domain.factories import NOW
from tests.domain.world import World

ADA, BEN = Actor("T1", "U1"), Actor("T1", "U2")


@pytest.mark.parametrize("costly", Costly)
def test_one_person_is_asked_to_wait_and_nobody_else(costly: Costly) -> None:
    most, within = costly.value
    allowed = Allowances()
    for _ in range(most):
        allowed.spend(ADA, costly, now=NOW)
    allowed.spend(BEN, costly, now=NOW)
    allowed.spend(Actor("T2", "U1"), costly, now=NOW)
    for other in set(Costly) - {costly}:
        allowed.spend(ADA, other, now=NOW)

    for _ in range(2):
        with pytest.raises(TooOften) as refused:
            allowed.spend(ADA, costly, now=NOW + timedelta(seconds=1))
        assert refused.value.wait == within - timedelta(seconds=1)
    allowed.spend(ADA, costly, now=NOW + within)


async def test_the_desk_counts_what_is_costly(world: World) -> None:
    export = Export(world.db, world.desk.door, world.clock)
    deeds: dict[Costly, Callable[[], Awaitable[object]]] = {
        Costly.RECHECK: lambda: world.desk.recheck(ADA, 1),
        Costly.IMPORT: lambda: world.desk.bring_in(ADA, "invoices.csv", b""),
        Costly.EXPORT: lambda: anext(export.export_list(ADA, filter=None, search="", format=Format.CSV)),
    }
    for costly, deed in deeds.items():
        for _ in range(costly.value[0]):
            world.desk.door.spend(ADA, costly)
        with pytest.raises(TooOften):
            await deed()
    with pytest.raises(TooOften):
        await anext(export.export_run(ADA, 1, format=Format.CSV))


def test_people_beyond_number_take_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowances, "_MOST_PEOPLE", 3)
    allowed = Allowances()
    for number in range(9):
        allowed.spend(Actor("T1", f"U{number}"), Costly.EXPORT, now=NOW)

    assert len(allowed._done) == 3
