"""Announcements to one channel, against Slack's one message a second."""

import asyncio
from datetime import timedelta

import sqlalchemy as sa
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from benchmarks.data import CHANNEL, NOW
from benchmarks.services import SlackServer, now
from domain.coordination.leases import Lease
from domain.database import Database
from domain.messages.announcing import Announcing
from domain.models import Link, Organisation, Payment
from domain.outbox import enqueuing
from domain.states import AnnouncementKind, LinkStatus
from handlers.poster import SlackPoster

TICK = 1.0


async def measure(url: str, slack: SlackServer, count: int) -> list[float]:
    """When each of ``count`` paid messages reached Slack, in seconds since the first."""
    db = Database(url)
    try:
        organisation = db.run(_enqueue, count)
        await slack.calls()
        poster = SlackPoster(AsyncWebClient(token="xoxb-bench", base_url=slack.api_url))
        minute = timedelta(seconds=60)
        announcing = Announcing(db, {organisation: poster}, Lease("bench", minute, minute), clock=now)
        at: list[float] = []
        while len(at) < count:
            # As often as the bot's own clock asks for it.
            await asyncio.gather(announcing.deliver_due(), asyncio.sleep(TICK))
            calls = await slack.calls()
            at += [moment for method, to, moment in calls if (method, to) == ("chat.postMessage", CHANNEL)]
        return [moment - at[0] for moment in at]
    finally:
        await db.close()


def _enqueue(session: Session, count: int) -> int:
    organisation = session.scalar(sa.select(Organisation).limit(1))
    assert organisation is not None
    links = session.scalars(
        sa.select(Link).where(Link.status == LinkStatus.PAID).order_by(Link.id).limit(count)
    ).all()
    for link in links:
        payment = Payment(
            link_id=link.id,
            ledger_id=link.ledger_id,
            session_id=f"cs_{link.id}",
            amount=link.amount,
            currency=link.currency,
            verdict="paid",
            paid_at=NOW,
            seen_at=NOW,
        )
        session.add(payment)
        session.flush()
        enqueuing.enqueue(
            session,
            AnnouncementKind.PAID,
            f"payment:{payment.id}",
            organisation_id=organisation.id,
            now=NOW,
            payment_id=payment.id,
        )
    return organisation.id
