"""Duties that one process at a time does now and then. A lease saves calls; correctness never rests on it."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import database_now, insert_into
from domain.models import EPOCH, Duty


def take_duty(session: Session, name: str, every: timedelta, lease: Lease) -> bool:
    """Whether the duty is due and now this process's: it was last begun ``every`` ago, or whoever began it died."""
    session.execute(insert_into(session, Duty).values(name=name, started_at=EPOCH).on_conflict_do_nothing())
    duty = session.scalar(sa.select(Duty).where(Duty.name == name).with_for_update())
    assert duty is not None
    now = database_now(session)
    if duty.lease_until is not None:
        if duty.lease_until > now:
            return False
    elif duty.started_at + every > now:
        return False
    duty.started_at, duty.owner, duty.lease_until = now, lease.owner, now + lease.length
    return True


def end_duty(
    session: Session, name: str, lease: Lease, *, again_in: timedelta | None = None, every: timedelta
) -> None:
    """The duty is done; or, with ``again_in``, it failed and is due again after that."""
    values: dict[str, object] = {"lease_until": None}
    if again_in is not None:
        values["started_at"] = database_now(session) - every + min(again_in, every)
    session.execute(sa.update(Duty).where(Duty.name == name, Duty.owner == lease.owner).values(**values))
