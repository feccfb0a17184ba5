"""Work for many at once: one that hangs keeps one place, and each has its turn."""

import asyncio

import pytest

from domain.coordination import side_by_side
from domain.coordination.side_by_side import few_at_once, for_each


async def test_one_that_hangs_keeps_one_place_and_the_others_go_on() -> None:
    hangs, running, most = asyncio.Event(), 0, 0
    done: dict[int, int] = {}
    due = set(range(20))

    async def find() -> set[int]:
        return set(due)

    async def work(one: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await (hangs.wait() if one == 7 else asyncio.sleep(0))
        running -= 1
        done[one] = done.get(one, 0) + 1
        if one != 7 and done[one] == 2:
            due.discard(one)

    rounds = asyncio.create_task(for_each(find, work, at_once=3, again=0.01))
    async with asyncio.timeout(10):
        while len(due) > 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert most == 3
    assert 7 not in done
    due.clear()
    hangs.set()
    await rounds
    assert done == {one: 1 if one == 7 else 2 for one in range(20)}


async def test_a_failure_stops_nobody_and_a_round_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "LONGEST", 0.05)
    done: list[int] = []

    async def work(one: int) -> None:
        await asyncio.sleep(0.2 if one == 3 else 0.001)
        done.append(one)
        if one == 1:
            raise ValueError("one")

    with pytest.raises(ValueError, match="one"):
        await for_each(lambda: [1, 2, 3], work, again=0.005)
    assert done.count(1) == 1
    assert done.count(2) > 1
    # It would go on for ever: the one that takes long is due again whenever it has ended.
    assert done.count(3) == 1
    done.clear()
    with pytest.raises(ValueError, match="one"):
        await few_at_once(range(100), work)
    assert sorted(done) == list(range(100))
