"""What follows up on a message stands in its thread; what can't be delivered is an exception until it is."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.exceptions import listing, resolving
from domain.exceptions.opening import Opening, open_once
from domain.messages.poster_port import NotPosted, PostUnknown
from domain.models import Link, Organisation, OutboxMessage
from domain.money import Money
from domain.outbox import enqueuing
from domain.overview import figures
from domain.scope import Scope
from domain.states import AnnouncementKind, ExceptionKind, FollowUp, Settlement
from tests.domain.factories import NOW, make_invoice, make_link
from tests.domain.messages.test_announcing import make_due
from tests.domain.world import World

SCOPE = Scope(1, 1, False)


@pytest.fixture
def link(world: World) -> int:
    return make_link(world.db, make_invoice(world.db, "INV-1"))


def opened(world: World, link_id: int, key: str = "a") -> int:
    def work(session: Session) -> int:
        link = session.get_one(Link, link_id)
        kind = ExceptionKind.SECOND_PAYMENT
        made = open_once(session, Opening(kind, key, link.ledger_id, Money(5, "USD"), link=link), NOW)
        assert made is not None
        return made

    return world.db.run(work)


def kinds(world: World) -> list[ExceptionKind]:
    return [one.kind for one in world.db.run(listing.list_open, SCOPE).exceptions]


async def test_the_end_of_an_exception_stands_in_its_messages_thread(world: World, link: int) -> None:
    exception_id = opened(world, link)
    await world.announcing.deliver_due()
    world.db.run(resolving.resolve, 1, exception_id, "Refunded", by="U0ADA", now=NOW)
    await world.announcing.deliver_due()
    told, ended = world.poster.posted
    assert (told.thread, told.exception and told.exception.kind) == (None, ExceptionKind.SECOND_PAYMENT)
    assert (ended.kind, ended.follow_up, ended.thread) == (
        AnnouncementKind.FOLLOW_UP,
        FollowUp.RESOLVED,
        "1.0",
    )
    assert not ended.broadcast
    assert ended.exception is not None
    assert ended.exception.resolution is not None
    assert ended.exception.resolution.reason == "Refunded"


async def test_an_end_that_the_channel_is_to_read_too_says_so(world: World, link: int) -> None:
    exception_id = opened(world, link)
    world.db.run(resolving.settle, exception_id, Settlement.DISPUTE_WON, NOW, broadcast=True)
    await world.announcing.deliver_due()
    assert [message.broadcast for message in world.poster.posted] == [False, True]


async def test_in_another_channel_it_stands_by_itself(world: World, link: int) -> None:
    exception_id = opened(world, link)
    await world.announcing.deliver_due()
    world.db.run(lambda session: session.execute(sa.update(Organisation).values(channel="C0NEW")))
    world.db.run(resolving.resolve, 1, exception_id, "Refunded", by="U0ADA", now=NOW)
    await world.announcing.deliver_due()
    assert (world.poster.posted[1].destination, world.poster.posted[1].thread) == ("C0NEW", None)


async def test_a_thread_that_is_gone_doesnt_keep_it_from_the_channel(world: World, link: int) -> None:
    exception_id = opened(world, link)
    await world.announcing.deliver_due()
    world.db.run(resolving.resolve, 1, exception_id, "Refunded", by="U0ADA", now=NOW)
    world.poster.troubles.append(NotPosted("thread_not_found", thread_lost=True))
    await world.announcing.deliver_due()
    make_due(world)
    await world.announcing.deliver_due()
    assert [message.thread for message in world.poster.posted] == [None, None]


async def test_a_reply_that_was_often_put_off_is_still_tried_without_its_thread(
    world: World, link: int
) -> None:
    exception_id = opened(world, link)
    await world.announcing.deliver_due()
    world.db.run(resolving.resolve, 1, exception_id, "Refunded", by="U0ADA", now=NOW)
    world.db.run(lambda session: session.execute(sa.update(OutboxMessage).values(attempts=9)) and None)
    world.poster.troubles = [NotPosted("restricted_action_thread_locked", thread_lost=True, final=True)]
    for _ in range(2):
        make_due(world)
        await world.announcing.deliver_due()
    assert [message.thread for message in world.poster.posted] == [None, None]


async def test_a_reply_that_slack_takes_nowhere_lets_what_waits_behind_it_pass(
    world: World, link: int
) -> None:
    exception_id = opened(world, link)
    await world.announcing.deliver_due()
    world.db.run(resolving.resolve, 1, exception_id, "Refunded", by="U0ADA", now=NOW)
    opened(world, link, "b")
    world.poster.troubles = [
        NotPosted("something_new", thread_lost=True),
        NotPosted("something_new", final=True),
        NotPosted("something_new", final=True),
    ]
    for _ in range(4):
        make_due(world)
        await world.announcing.deliver_due()
    assert [message.kind for message in world.poster.posted] == [AnnouncementKind.EXCEPTION] * 2
    assert ExceptionKind.UNDELIVERABLE in kinds(world)


async def test_a_message_that_slack_refuses_is_an_exception_until_it_is_sent(world: World, link: int) -> None:
    opened(world, link)
    world.poster.troubles = [NotPosted("invalid_blocks", final=True) for _ in range(3)]
    for _ in range(3):
        make_due(world)
        await world.announcing.deliver_due()
    assert kinds(world) == [ExceptionKind.SECOND_PAYMENT, ExceptionKind.UNDELIVERABLE]
    undelivered = world.db.run(listing.list_open, SCOPE).exceptions[1]
    assert (undelivered.number, undelivered.facts.message, undelivered.facts.problem) == (
        "INV-1",
        "exception",
        "invalid_blocks",
    )
    assert world.db.run(enqueuing.resend, 1)
    await world.announcing.deliver_due()
    assert kinds(world) == [ExceptionKind.SECOND_PAYMENT]
    ended = world.db.run(listing.get, SCOPE, undelivered.id)
    assert ended.resolution is not None
    assert (ended.resolution.by, ended.resolution.reason) == ("Paylink", "delivered")
    assert len(world.poster.posted) == 1


async def test_one_of_which_nobody_knows_whether_it_stands_there_is_one_too(world: World, link: int) -> None:
    opened(world, link)
    world.poster.troubles.append(PostUnknown())
    world.poster.unreadable = "missing_scope"
    await world.announcing.deliver_due()
    make_due(world)
    await world.announcing.deliver_due()
    assert kinds(world) == [ExceptionKind.SECOND_PAYMENT, ExceptionKind.UNDELIVERABLE]


async def test_a_direct_message_that_cant_be_delivered_is_nobodys_task(world: World, link: int) -> None:
    def add(session: Session) -> None:
        enqueuing.enqueue(
            session, AnnouncementKind.CHANNEL_LOST, "x", organisation_id=1, now=NOW, destination="U0GONE"
        )

    world.db.run(add)
    world.poster.troubles = [NotPosted("user_not_found", channel_lost=True) for _ in range(3)]
    for _ in range(3):
        make_due(world)
        await world.announcing.deliver_due()
    assert world.db.run(lambda session: session.scalars(sa.select(OutboxMessage.state)).all()) == ["dead"]
    assert kinds(world) == []


async def test_what_only_a_newer_version_knows_is_left_for_it_and_holds_up_nothing(
    world: World, link: int
) -> None:
    unknown_kind, newly_said, of_new_kind, known = (opened(world, link, key) for key in "abcd")

    def write(session: Session) -> None:
        if session.get_bind().dialect.name == "sqlite":
            session.execute(sa.text("PRAGMA ignore_check_constraints = on"))
        else:
            session.execute(sa.text("ALTER TABLE outbox DROP CONSTRAINT ck_outbox_kind"))
        for statement, about in (
            ("UPDATE outbox SET kind = 'a_new_kind' WHERE exception_id = :id", unknown_kind),
            ("UPDATE outbox SET says = 'something_new' WHERE exception_id = :id", newly_said),
            ("UPDATE payment_exceptions SET kind = 'of_a_new_kind' WHERE id = :id", of_new_kind),
        ):
            session.execute(sa.text(statement), {"id": about})

    world.db.run(write)
    for _ in range(3):
        await world.announcing.deliver_due()
    assert [message.exception and message.exception.id for message in world.poster.posted] == [known]
    states = sa.text("SELECT state, attempts FROM outbox ORDER BY id")
    rows = world.db.run(lambda session: [tuple(row) for row in session.execute(states)])
    assert rows[:3] == [("waiting", 0)] * 3
    counted = world.db.run(figures.read, world.scope.ledger_id).exceptions
    assert counted == {ExceptionKind.SECOND_PAYMENT: 3}
