"""Duties that one process at a time does now and then. A lease saves calls; correctness never rests on it."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import database_now, insert_into
from domain.models import EPOCH, Duty


def is_due(
    started_at: datetime,
    lease_until: datetime | None,
    now: datetime,
    every: timedelta,
    place: float | None = None,
) -> bool:
    """Whether a duty is due that was last begun at ``started_at``, and is held, or held back, until ``lease_until``.

    Without a ``place`` it is due an interval after it was begun. With one (from 0 to below 1) it is due when its place in the
    interval comes round, so that many with places of their own are never due together.
    """
    if lease_until is not None:
        return lease_until <= now
    since = now - started_at
    if place is None or since >= every:
        return since >= every
    # Begun late the last time, it isn't due again right after that.
    return since >= every / 2 and _round(now, every, place) > _round(started_at, every, place)


def _round(moment: datetime, every: timedelta, place: float) -> int:
    return (moment - EPOCH - place * every) // every


def take_duty(
    session: Session, name: str, every: timedelta, lease: Lease, place: float | None = None
) -> bool:
    """Whether the duty is due (see is_due) and now this process's; also if whoever began it died."""
    session.execute(insert_into(session, Duty).values(name=name, started_at=EPOCH).on_conflict_do_nothing())
    duty = session.scalar(sa.select(Duty).where(Duty.name == name).with_for_update())
    assert duty is not None
    now = database_now(session)
    if not is_due(duty.started_at, duty.lease_until, now, every, place):
        return False
    duty.started_at, duty.owner, duty.lease_until = now, lease.owner, now + lease.length
    return True


def end_duty(
    session: Session,
    name: str,
    lease: Lease,
    *,
    again_in: timedelta | None = None,
    every: timedelta,
) -> None:
    """The duty is done; or, with ``again_in``, it failed and is due again after that."""
    values: dict[str, object] = {"lease_until": None}
    if again_in is not None:
        values["lease_until"] = database_now(session) + min(again_in, every)
    session.execute(sa.update(Duty).where(Duty.name == name, Duty.owner == lease.owner).values(**values))
