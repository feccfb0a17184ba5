"""Whose messages are worked on: what waits for Slack, or for a channel, costs nothing until it is due."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import Database, database_now
from domain.messages import announcing, transactions
from domain.messages.claims import Claim
from domain.messages.due import list_due
from domain.messages.poster_port import NotPosted
from domain.models import Organisation, OutboxMessage
from domain.outbox import enqueuing
from domain.states import AnnouncementKind, MessageState
from tests.domain.factories import NOW, make_organisation
from tests.domain.world import World

LEASE = Lease("one", timedelta(seconds=60), timedelta(seconds=60))


def enqueue(session: Session, organisation_id: int, *subjects: str, destination: str = "") -> None:
    for subject in subjects:
        enqueuing.enqueue(
            session,
            AnnouncementKind.BULK_RESULT,
            f"{organisation_id}:{subject}",
            organisation_id=organisation_id,
            now=NOW,
            destination=destination,
        )


def change(session: Session, organisation_id: int, *, later: float = 0.0, **values: object) -> None:
    """The first message of the organisation."""
    now = database_now(session)
    if later:
        values["next_attempt_at"] = now + timedelta(seconds=later)
    if "lease" in values:
        lease = values.pop("lease")
        assert isinstance(lease, int)
        values |= {"state": MessageState.SENDING, "owner": "x", "lease_until": now + timedelta(seconds=lease)}
    first = sa.select(sa.func.min(OutboxMessage.id)).where(OutboxMessage.organisation_id == organisation_id)
    session.execute(
        sa.update(OutboxMessage).where(OutboxMessage.id == first.scalar_subquery()).values(values)
    )


def drop_channel(session: Session, organisation_id: int) -> None:
    session.execute(sa.update(Organisation).where(Organisation.id == organisation_id).values(channel=None))


def to_a_person(session: Session, organisation_id: int) -> None:
    enqueue(session, organisation_id, "directly", destination="U1")


def tell_together(session: Session, organisation_id: int) -> None:
    """The second is told by the first, which a version before has settled."""
    first, second = session.scalars(
        sa.select(OutboxMessage)
        .where(OutboxMessage.organisation_id == organisation_id)
        .order_by(OutboxMessage.id)
    )
    first.state = MessageState.DEAD
    second.state, second.told_by_id = MessageState.SENDING, first.id


CASES: dict[str, tuple[bool, tuple[Callable[[Session, int], None], ...]]] = {
    "due": (True, ()),
    "waits for its next attempt": (False, (partial(change, later=3600),)),
    "overtaken by what is behind it": (True, (partial(change, later=3600, stands_aside=True),)),
    "may be posted, and is waited for": (
        False,
        (partial(change, later=3600, stands_aside=True, may_be_posted=True),),
    ),
    "without a channel": (False, (drop_channel,)),
    "without a channel, to a person": (True, (drop_channel, to_a_person)),
    "under way": (False, (partial(change, lease=3600),)),
    "under way by one that died": (True, (partial(change, lease=-3600),)),
    "told by one that is settled": (True, (tell_together,)),
}


def test_only_whose_first_message_is_due_is_claimed_for(db: Database) -> None:
    ids = {case: make_organisation(db, f"T{place}") for place, case in enumerate(CASES)}
    for case, (_, acts) in CASES.items():
        db.run(enqueue, ids[case], "first", "second")
        for act in acts:
            db.run(act, ids[case])
    due = db.run(list_due)
    assert {case: one in due for case, one in ids.items()} == {case: due for case, (due, _) in CASES.items()}
    left = {"under way by one that died", "told by one that is settled"}
    assert {case for case, one in ids.items() if due.get(one)} == left

    def claim(organisation_id: int) -> list[Claim]:
        return db.run(transactions.claim_due, organisation_id, LEASE)

    # Nobody is left out of whom a claim would have found something.
    assert not [case for case, one in ids.items() if one not in due and claim(one)]
    assert [case for case, one in ids.items() if one in due and not claim(one)] == []


async def test_organisations_whose_channel_is_gone_are_left_alone_until_they_are_due(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "CHANNEL_LOST_DELAY", 3600.0)
    gone = [await world.serve(f"T0GONE{n}") for n in range(3)]
    for one in gone:
        one.poster.troubles = [NotPosted("channel_not_found", channel_lost=True)]
        world.db.run(enqueue, one.id, *(f"told {n}" for n in range(3)))
    await world.announcing.deliver_due()
    asked: list[int] = []
    claim_due = transactions.claim_due

    def counting(session: Session, organisation_id: int, lease: Lease, *, any_left: bool) -> list[Claim]:
        asked.append(organisation_id)
        return claim_due(session, organisation_id, lease, any_left=any_left)

    monkeypatch.setattr(transactions, "claim_due", counting)
    world.db.run(enqueue, world.organisation_id, "well")
    await world.announcing.deliver_due()
    assert set(asked) == {world.organisation_id}
    assert len(world.poster.posted) == 1
