"""Which ledgers are to be polled or swept now: one statement for all of them, and each has its own place in the interval.

Without a place of their own a thousand ledgers that were all due when a process started would be due together ever after.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.intervals import is_due
from domain.database import database_now
from domain.models import Duty, Ledger, Link, Organisation, StripeEvent
from domain.payments.events import WATCHED_AFTER_PAYMENT
from domain.states import LinkStatus

# Of the golden ratio: whatever ids there are, their places are spread evenly.
_SPREAD = 0.6180339887498949


@dataclass(frozen=True)
class Watched:
    """A ledger that some organisation uses, as its duty stands."""

    ledger_id: int
    polled_until: datetime | None
    started_at: datetime
    lease_until: datetime | None
    any_link: bool
    often: bool
    """Asked for where the shorter interval may have passed: whether a link waits, or one was paid lately."""
    now: datetime
    """By the database's clock."""

    def is_due(self, every: timedelta, *, placed: bool = True) -> bool:
        place = place_of(self.ledger_id) if placed else None
        return is_due(self.started_at, self.lease_until, self.now, every, place)


def place_of(ledger_id: int) -> float:
    """Where in an interval the ledger has its turn: from 0 to below 1, and no two are close together."""
    return ledger_id * _SPREAD % 1.0


def list_to_settle(session: Session) -> list[int]:
    """The ledgers of which there are events to settle that are nobody's."""
    now = database_now(session)
    free = sa.or_(StripeEvent.lease_until.is_(None), StripeEvent.lease_until < now)
    due = sa.select(StripeEvent.ledger_id).where(StripeEvent.settled_at.is_(None), free)
    return list(session.scalars(due.where(StripeEvent.next_attempt_at <= now).distinct()))


def list_watched(session: Session, duty: str, shortest: timedelta) -> list[Watched]:
    """Every ledger that an organisation uses. ``duty`` is "poll" or "sweep"; ``shortest``: the least interval of it."""
    now = database_now(session)
    own = sa.and_(Link.organisation_id == Organisation.id, Link.ledger_id == Ledger.id)
    pending = sa.exists().where(own, Link.status == LinkStatus.PENDING_PAYMENT)
    paid = sa.exists().where(
        own, Link.status == LinkStatus.PAID, Link.changed_at >= now - WATCHED_AFTER_PAYMENT
    )
    created = sa.exists().where(Link.ledger_id == Ledger.id, Link.stripe_id.is_not(None))
    may_be_due = sa.or_(Duty.name.is_(None), Duty.started_at <= now - shortest / 2)
    found = session.execute(
        sa.select(
            Ledger.id,
            Ledger.polled_until,
            Duty.started_at,
            Duty.lease_until,
            sa.case((may_be_due, created), else_=sa.false()).label("any_link"),
            sa.case((may_be_due, sa.or_(pending, paid)), else_=sa.false()).label("often"),
        )
        .join(Organisation, Organisation.ledger_id == Ledger.id)
        .outerjoin(Duty, Duty.name == sa.literal(f"{duty}:").concat(sa.cast(Ledger.id, sa.String)))
    )
    watched: dict[int, Watched] = {}
    for ledger_id, polled_until, started_at, lease_until, any_link, often in found:
        before = watched.get(ledger_id)
        watched[ledger_id] = Watched(
            ledger_id,
            polled_until,
            started_at or datetime.fromtimestamp(0, now.tzinfo),
            lease_until,
            bool(any_link),
            bool(often) or (before is not None and before.often),
            now,
        )
    return list(watched.values())
