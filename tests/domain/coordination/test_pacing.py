"""Turns at Stripe: evenly spaced, whoever takes them and however many at once."""

import pytest
from sqlalchemy.orm import Session

from domain.database import Database
from domain.stripe.pace import StripePace

LEDGER = 1


async def test_turns_that_are_taken_together_are_spaced_and_the_next_comes_after_them(db: Database) -> None:
    slow = StripePace(db, 0.1)
    first = await db.write(slow.take, LEDGER, 3)
    assert first == [0.0, 10.0, 20.0]
    [after] = await db.write(slow.take, LEDGER, 1)
    assert 25.0 < after <= 30.0


async def test_a_turn_is_taken_only_if_what_it_is_for_is_committed(db: Database) -> None:
    slow = StripePace(db, 0.1)

    def fail(session: Session) -> None:
        slow.take(session, LEDGER, 5)
        raise KeyError

    with pytest.raises(KeyError):
        await db.write(fail)
    assert await db.write(slow.take, LEDGER, 1) == [0.0]
