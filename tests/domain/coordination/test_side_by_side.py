"""Work for many at once: however many hang, the others have their turns."""

import asyncio

import pytest

from domain.coordination import side_by_side
from domain.coordination.side_by_side import few_at_once, for_each
from tests.patience import PATIENCE


@pytest.mark.parametrize("hanging", [1, 7])
async def test_however_many_hang_the_others_go_on(hanging: int) -> None:
    hangs, working, most = asyncio.Event(), 0, 0
    done: dict[int, int] = {}
    due = set(range(20))

    async def find() -> set[int]:
        return set(due)

    async def work(one: int) -> None:
        nonlocal working, most
        if one < hanging:
            await hangs.wait()
        else:
            working += 1
            most = max(most, working)
            await asyncio.sleep(0)
            working -= 1
        done[one] = done.get(one, 0) + 1
        if one >= hanging and done[one] == 2:
            due.discard(one)

    rounds = asyncio.create_task(for_each(find, work, at_once=3, again=0.01))
    async with asyncio.timeout(PATIENCE):
        while len(due) > hanging:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert most <= 3
    assert not set(done) & set(range(hanging))
    due.clear()
    hangs.set()
    await rounds
    assert done == {one: 1 if one < hanging else 2 for one in range(20)}


async def test_so_many_are_begun_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "MOST_LATE", 2)
    hangs, begun, asked = asyncio.Event(), 0, 0

    async def work(_one: int) -> None:
        nonlocal begun
        begun += 1
        await hangs.wait()

    def find() -> range:
        nonlocal asked
        asked += 1
        return range(0 if hangs.is_set() else 20)

    rounds = asyncio.create_task(for_each(find, work, at_once=3, again=0.001))
    async with asyncio.timeout(PATIENCE):
        while asked < 10:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    assert begun == 5
    hangs.set()
    await rounds


async def test_a_failure_stops_nobody_and_is_tried_again_while_somebody_takes_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(side_by_side, "LONGEST", 0.05)
    hangs = asyncio.Event()
    done: list[int] = []

    async def work(one: int) -> None:
        done.append(one)
        if one == 3:
            await hangs.wait()
        await asyncio.sleep(0.001)
        if one == 1:
            raise ValueError("one")

    rounds = asyncio.create_task(
        for_each(lambda: [] if hangs.is_set() else [1, 2, 3], work, at_once=2, again=0.005)
    )
    async with asyncio.timeout(PATIENCE):
        while done.count(1) < 2 or done.count(2) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    hangs.set()
    with pytest.raises(ValueError, match="one"):
        await rounds
    assert done.count(3) == 1


async def test_few_at_once_do_all_of_them_once() -> None:
    done: list[int] = []

    async def work(one: int) -> None:
        await asyncio.sleep(0)
        done.append(one)
        if one == 1:
            raise ValueError("one")

    with pytest.raises(ValueError, match="one"):
        await few_at_once(range(100), work)
    assert sorted(done) == list(range(100))
