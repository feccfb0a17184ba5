"""What is told again or later: deadlines, broken-off imports, and what the version before wrote."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import Database, database_now
from domain.exceptions import listing, reminding
from domain.exceptions.opening import Opening, open_once
from domain.exceptions.resolving import settle
from domain.messages import transactions
from domain.models import Link, OutboxMessage, Payment, PaymentException, Reversal
from domain.money import Money
from domain.scope import Scope
from domain.states import AnnouncementKind, ExceptionKind, FollowUp, MessageState, Settlement, Verdict
from tests.domain.factories import NOW, TEAM, make_invoice, make_link

HOUR = timedelta(hours=1)

SCOPE = Scope(1, 1, False)


@pytest.fixture
def link(db: Database) -> int:
    return make_link(db, make_invoice(db, "INV-1"))


def disputed(db: Database, link_id: int, due_by: datetime, *, submitted: bool = False) -> int:
    def work(session: Session) -> int:
        link = session.get_one(Link, link_id)
        payment = Payment(
            link_id=link_id,
            ledger_id=1,
            session_id="cs_1",
            amount=5,
            currency="USD",
            verdict=Verdict.SECOND_PAYMENT,
            paid_at=NOW,
            seen_at=NOW,
        )
        session.add(payment)
        session.flush()
        reversal = Reversal(
            ledger_id=1,
            payment_id=payment.id,
            stripe_id="dp_1",
            kind="dispute",
            status="needs_response",
            amount=5,
            currency="USD",
            submitted=submitted,
            created_at=NOW,
            changed_at=NOW,
        )
        session.add(reversal)
        session.flush()
        opening = Opening(
            ExceptionKind.DISPUTED,
            "disputed:dp_1:needs_response",
            1,
            Money(5, "USD"),
            link=link,
            reversal_id=reversal.id,
            due_by=due_by,
        )
        made = open_once(session, opening, NOW)
        assert made is not None
        return made

    return db.run(work)


def test_a_deadline_is_told_again_once_within_its_last_day(db: Database, link: int) -> None:
    due = NOW + 72 * HOUR
    exception_id = disputed(db, link, due)
    assert db.run(reminding.remind, due - 25 * HOUR) == 0
    assert db.run(reminding.remind, due - 24 * HOUR) == 1
    assert db.run(reminding.remind, due - 23 * HOUR) == 0
    [_, message] = db.run(lambda session: list(session.scalars(sa.select(OutboxMessage))))
    assert (message.kind, message.says, message.follows_id, message.exception_id) == (
        AnnouncementKind.FOLLOW_UP,
        FollowUp.DEADLINE,
        1,
        exception_id,
    )


@pytest.mark.parametrize("told", [0, 1])
async def test_a_deadline_is_near_when_stripes_clock_says_so(db: Database, link: int, told: int) -> None:
    due = NOW + 72 * HOUR
    disputed(db, link, due)
    await reminding.look_after(db, lambda: due - (23 + told) * HOUR, lambda: due - (25 - told) * HOUR)
    said = sa.select(sa.func.count()).where(OutboxMessage.says == FollowUp.DEADLINE)
    assert db.run(lambda session: session.scalar(said)) == told


def test_nobody_is_reminded_of_what_is_over_answered_or_just_told(db: Database, link: int) -> None:
    soon = NOW + 20 * HOUR
    exception_id = disputed(db, link, soon)
    assert db.run(reminding.remind, NOW + HOUR) == 0, "it was told within the last day"

    def later(session: Session) -> None:
        session.get_one(PaymentException, exception_id).due_by = NOW + 72 * HOUR

    db.run(later)
    assert db.run(reminding.remind, NOW + 73 * HOUR) == 0, "the deadline is over"
    db.run(lambda session: session.execute(sa.update(Reversal).values(submitted=True)))
    assert db.run(reminding.remind, NOW + 60 * HOUR) == 0, "evidence is submitted"
    db.run(lambda session: session.execute(sa.update(Reversal).values(submitted=False)))
    db.run(settle, exception_id, Settlement.DISPUTE_WON, NOW)
    assert db.run(reminding.remind, NOW + 60 * HOUR) == 0, "it has ended"


@pytest.mark.parametrize("over", ["resolved", "submitted", "past", None])
def test_a_reminder_that_waited_until_it_was_needless_isnt_posted(
    db: Database, link: int, over: str | None
) -> None:
    now = db.run(database_now)
    exception_id = disputed(db, link, now + HOUR)
    assert db.run(reminding.remind, now) == 1

    def change(session: Session) -> None:
        # As if the message that it follows up had been posted long ago.
        session.execute(sa.update(OutboxMessage).values(follows_id=None))
        session.execute(sa.delete(OutboxMessage).where(OutboxMessage.says.is_(None)))
        if over == "past":
            session.get_one(PaymentException, exception_id).due_by = now
        if over == "submitted":
            session.execute(sa.update(Reversal).values(submitted=True))

    if over == "resolved":
        db.run(settle, exception_id, Settlement.DISPUTE_WON, now, tell=False)
    db.run(change)
    lease = Lease("me", timedelta(seconds=20), timedelta(seconds=1))
    claimed = db.run(transactions.claim_due, 1, lease)
    assert [claim.announcement.follow_up for claim in claimed] == ([] if over else [FollowUp.DEADLINE])


async def test_an_import_that_broke_off_is_told_after_an_hour(db: Database, link: int) -> None:
    def work(session: Session) -> None:
        opening = Opening(
            ExceptionKind.AMOUNT_CHANGED,
            "amount_changed:1:1",
            1,
            Money(5, "USD"),
            link=session.get_one(Link, link),
            batch="import-1",
        )
        open_once(session, opening, NOW)

    db.run(work)
    await reminding.look_after(db, lambda: NOW + HOUR / 2, lambda: NOW)
    assert db.run(lambda session: session.scalars(sa.select(OutboxMessage.id)).all()) == []
    for _ in range(2):
        await reminding.look_after(db, lambda: NOW + HOUR, lambda: NOW)
    [message] = db.run(lambda session: list(session.scalars(sa.select(OutboxMessage))))
    assert (message.kind, message.batch) == (AnnouncementKind.AMOUNTS_CHANGED, "import-1")


def test_an_import_of_many_exceptions_among_many_messages_is_looked_at_in_no_time(
    db: Database, link: int
) -> None:
    def fill(session: Session) -> None:
        exception = {
            "link_id": link,
            "ledger_id": 1,
            "organisation_id": 1,
            "stripe_object": "",
            "facts": "{}",
        }
        exception |= {"kind": ExceptionKind.AMOUNT_CHANGED, "amount": 1, "currency": "USD", "seen_at": NOW}
        keys = [{"key": f"k{n}", "batch": "told" if n else "untold"} for n in range(2_000)]
        session.execute(sa.insert(PaymentException), [exception | one for one in keys])
        message = {"organisation_id": 1, "destination": "", "enqueued_at": NOW, "next_attempt_at": NOW}
        message |= {"state": MessageState.WAITING, "attempts": 0, "may_be_posted": False}
        paid = [{"subject": f"p{n}", "key": f"p{n}", "kind": AnnouncementKind.PAID} for n in range(20_000)]
        session.execute(sa.insert(OutboxMessage), [message | one for one in paid])

    db.run(fill)
    db.run(reminding.tell_batch, "told", 1, NOW)

    def look(session: Session) -> list[tuple[str, int]]:
        if db.is_sqlite:
            # To each exception going through the messages would take a hundred times as many of SQLite's steps.
            connection: Any = session.connection().connection.dbapi_connection
            connection.set_progress_handler(lambda: 1, 2_000_000)
        return reminding.list_untold_batches(session, NOW)

    assert db.run(look) == [("untold", 1)]


async def test_what_the_version_before_wrote_is_taken_up(db: Database, link: int) -> None:
    def older(session: Session) -> None:
        for key, days in (("refunded:ch_1:5", 10), ("refunded:ch_2:5", 91)):
            session.add(
                PaymentException(
                    link_id=link,
                    ledger_id=1,
                    key=key,
                    kind=ExceptionKind.REFUNDED,
                    stripe_object="ch_1",
                    amount=5,
                    currency="USD",
                    seen_at=NOW - timedelta(days=days),
                )
            )

    db.run(older)
    assert db.run(listing.count_open, SCOPE) == 0
    await reminding.look_after(db, lambda: NOW, lambda: NOW)
    [lately] = db.run(listing.list_open, SCOPE).exceptions
    assert (lately.number, lately.kind) == ("INV-1", ExceptionKind.REFUNDED)
    resolved = [one for _, one in db.run(listing.list_all, TEAM, resolved=True) if one.resolution]
    assert [one.resolution.reason for one in resolved if one.resolution] == ["before_upgrade"]


async def test_a_message_that_was_stuck_before_is_taken_up_once(db: Database, link: int) -> None:
    disputed(db, link, NOW + 72 * HOUR)
    stuck = sa.update(OutboxMessage).values(state=MessageState.DEAD, problem="invalid_blocks")
    db.run(lambda session: session.execute(stuck))
    for _ in range(2):
        await reminding.look_after(db, lambda: NOW, lambda: NOW)
    kinds = [one.kind for one in db.run(listing.list_open, SCOPE).exceptions]
    assert kinds == [ExceptionKind.DISPUTED, ExceptionKind.UNDELIVERABLE]
    last = db.run(listing.list_open, SCOPE).exceptions[1]
    db.run(settle, last.id, Settlement.DELIVERED, NOW)
    await reminding.look_after(db, lambda: NOW, lambda: NOW)
    assert db.run(listing.count_open, SCOPE) == 1, "what a person has resolved doesn't come back"
