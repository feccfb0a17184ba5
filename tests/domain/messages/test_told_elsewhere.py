"""Exceptions are told where the organisation's administrators want to hear of them, once to each."""

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.exceptions.opening import Opening, open_once
from domain.exceptions.resolving import settle
from domain.messages.poster_port import NotPosted, PostUnknown
from domain.models import OutboxMessage, PaymentException
from domain.money import Money
from domain.organisations import settings
from domain.states import ExceptionKind, Settlement
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import NOW, make_invoice, make_link
from tests.domain.world import World, world


async def at_once(seconds: float) -> None:
    """Slack's second between two messages isn't what this is about."""


@pytest.fixture
async def one(sqlite_url: str) -> AsyncIterator[World]:
    db = Database(sqlite_url)
    async with LocalStripe() as stripe, world(db, stripe) as running:
        running.announcing._pause = at_once
        make_link(db, make_invoice(db, "INV-1"), ledger_id=running.account.ledger_id)
        yield running
    db.close_now()


def tell(one: World, *told: str, key: str = "a") -> int:
    """An exception is opened, with ``told`` set."""

    def happen(session: Session) -> int | None:
        settings.change(session, one.organisation_id, by="U0ADA", now=NOW, told_of_exceptions=told)
        opening = Opening(
            ExceptionKind.SECOND_PAYMENT,
            key,
            one.account.ledger_id,
            Money(100, "USD"),
            organisation_id=one.organisation_id,
        )
        return open_once(session, opening, NOW)

    made = one.db.run(happen)
    assert made is not None
    return made


async def told(one: World) -> list[str]:
    """Where what is due is posted."""
    before = len(one.poster.posted)
    one.db.run(lambda session: session.execute(sa.update(OutboxMessage).values(next_attempt_at=NOW)))
    await one.announcing.deliver_due()
    return [announcement.destination for announcement in one.poster.posted[before:]]


async def test_a_channel_or_several_people_hear_of_it_and_of_what_became_of_it(one: World) -> None:
    in_channel, to_people = tell(one, "C0EXCEPTIONS"), tell(one, "U0ADA", "U0BEN", key="b")
    assert sorted(await told(one)) == ["C0EXCEPTIONS", "U0ADA", "U0BEN"]
    assert await told(one) == []
    for exception_id in (in_channel, to_people):
        assert one.db.run(settle, exception_id, Settlement.LINK_KNOWN, NOW, by="U0ADA")
    assert sorted(await told(one)) == ["C0EXCEPTIONS", "U0ADA", "U0BEN"]
    threads = {announcement.destination: announcement.thread for announcement in one.poster.posted[3:]}
    assert threads["C0EXCEPTIONS"] is not None
    tell(one, key="c")
    assert await told(one) == ["C0PAYMENTS"]


async def test_whoever_heard_of_it_hears_what_became_of_it_whoever_hears_of_exceptions_by_then(
    one: World,
) -> None:
    first = tell(one, "U0ADA", "U0BEN")
    assert sorted(await told(one)) == ["U0ADA", "U0BEN"]
    tell(one, "U0CAT", key="b")
    assert await told(one) == ["U0CAT"]
    assert one.db.run(settle, first, Settlement.LINK_KNOWN, NOW, by="U0CAT")
    assert sorted(await told(one)) == ["U0ADA", "U0BEN"]


async def test_after_a_lost_answer_a_channel_is_looked_at_before_it_is_told_again(one: World) -> None:
    tell(one, "C0EXCEPTIONS")
    one.poster.troubles = [PostUnknown("lost")]
    assert await told(one) == ["C0EXCEPTIONS"]
    assert await told(one) == []
    assert one.db.run(lambda session: session.scalar(sa.select(OutboxMessage.posted_channel)))


async def test_where_slack_takes_none_the_notification_channel_hears_of_it(one: World) -> None:
    tell(one, "U0GONE", "U0GONE2")
    one.poster.troubles = [NotPosted("user_disabled", channel_lost=True)] * 6
    for _ in range(4):
        await told(one)
    assert [announcement.destination for announcement in one.poster.posted] == ["C0PAYMENTS"]
    opened = one.db.run(lambda session: session.scalars(sa.select(PaymentException.kind)).all())
    assert opened == [ExceptionKind.SECOND_PAYMENT], "nothing is undeliverable"
