"""The order of deaths must leave no point out: a rare one is where nobody looks."""

import random

from tests.faults.itinerary import LONGER_AT_MOST, Itinerary


def test_what_was_not_reached_comes_again_before_what_was_with_longer_to_live() -> None:
    itinerary = Itinerary(["common", "rare"], [3], 2.0, random.Random(0))
    for _ in range(2):
        stop = itinerary.next()
        assert (stop.times, stop.life) == (1, 2.0)
        itinerary.tell(stop, reached=stop.point == "common")
    lives = []
    for _ in range(LONGER_AT_MOST + 1):
        stop = itinerary.next()
        assert (stop.point, stop.times) == ("rare", 1)
        lives.append(stop.life)
        itinerary.tell(stop, reached=False)
    assert lives == [4.0, 6.0, 8.0, 10.0, 10.0, 10.0]


def test_the_first_come_first_in_each_round() -> None:
    itinerary = Itinerary(["a", "b", "c", "d"], [1], 2.0, random.Random(0), first=["c", "d"])
    for _ in range(2):
        turns = []
        for _ in range(4):
            stop = itinerary.next()
            turns.append(stop.point)
            itinerary.tell(stop, reached=True)
        assert (sorted(turns[:2]), sorted(turns[2:])) == (["c", "d"], ["a", "b"])


def test_once_all_are_reached_all_take_turns_at_later_passings_too() -> None:
    itinerary = Itinerary(["a", "b", "c"], [3], 2.0, random.Random(0))
    for times in (1, 3):
        turns = []
        for _ in range(3):
            stop = itinerary.next()
            assert stop.times == times
            turns.append(stop.point)
            itinerary.tell(stop, reached=True)
        assert sorted(turns) == ["a", "b", "c"]
