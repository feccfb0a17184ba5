"""Several processes deliver one outbox on PostgreSQL, each asked once."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import Database
from domain.messages import announcing, transactions
from domain.messages.announcing import Announcing
from domain.models import OutboxMessage
from domain.outbox import enqueuing
from domain.states import AnnouncementKind
from tests.domain.factories import NOW, make_organisation
from tests.domain.world import FakePoster
from tests.patience import PATIENCE

PROCESSES, CHANNELS, EACH = 4, 8, 4


def enqueue(session: Session, organisation: int) -> None:
    for n in range(EACH):
        for channel in range(CHANNELS):
            enqueuing.enqueue(
                session,
                AnnouncementKind.PAID,
                f"{channel}:{n}",
                organisation_id=organisation,
                now=NOW,
                destination=f"C{channel}",
            )


def states(session: Session) -> Counter[str]:
    return Counter(session.scalars(sa.select(OutboxMessage.state)))


@pytest.mark.postgres
async def test_all_is_posted_once_in_order_without_another_wake(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "ONE_A_SECOND", timedelta(milliseconds=50))
    monkeypatch.setattr(transactions, "LEAST_APART", 0.05)
    databases = [Database(postgresql_url) for _ in range(PROCESSES)]
    organisation = make_organisation(databases[0])
    poster = FakePoster()
    processes = [
        Announcing(
            db,
            {organisation: poster},
            Lease(f"process-{n}", timedelta(seconds=20), timedelta(seconds=1)),
            clock=lambda: NOW,
        )
        for n, db in enumerate(databases)
    ]
    for _ in range(3):
        databases[0].run(lambda session: session.execute(sa.delete(OutboxMessage)))
        poster.posted.clear()
        databases[0].run(enqueue, organisation)
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(one.deliver_due() for one in processes))
        assert databases[0].run(states) == {"posted": CHANNELS * EACH}
        for channel in range(CHANNELS):
            told = [message.id for message in poster.posted if message.destination == f"C{channel}"]
            assert told == sorted(set(told))
            assert len(told) == EACH
    for db in databases:
        await db.close()
