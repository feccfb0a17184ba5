"""Claims of processes that died: taken back at once where it is known, else when their leases end.

Taking back a living process's claim by mistake costs nothing but a request: a link is asked for under the same
idempotency key, and a message in doubt is looked for once the margin after its last attempt is over, even if Slack
refused it meanwhile.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from domain.database import database_now
from domain.models import IS_OPEN, Duty, FileImport, Installation, Link, OutboxMessage, StripeEvent
from domain.states import ImportState, LinkState

Owner = InstrumentedAttribute[str | None]
Until = InstrumentedAttribute[datetime | None]

# Only what is open can be claimed, and indexes hold only that: a start must not read a million settled links. Of a token that is
# being renewed Slack may have answered: it takes a refresh token that was used once more, for a short while.
_CLAIMED: tuple[tuple[Owner, Until, sa.ColumnElement[bool]], ...] = (
    (Link.owner, Link.lease_until, Link.state == LinkState.RESERVED),
    (StripeEvent.owner, StripeEvent.lease_until, StripeEvent.settled_at.is_(None)),
    (OutboxMessage.owner, OutboxMessage.lease_until, IS_OPEN),
    (FileImport.owner, FileImport.lease_until, FileImport.state == ImportState.CONFIRMED),
    (Duty.owner, Duty.lease_until, sa.true()),
    (Installation.refresh_owner, Installation.refresh_until, sa.true()),
)


def list_owners(session: Session) -> set[str]:
    """Whoever holds a claim now."""
    owners: set[str] = set()
    for owner, until, is_open in _CLAIMED:
        held = sa.select(owner).where(is_open, until.is_not(None), owner.is_not(None))
        owners.update(one for one in session.scalars(held.distinct()) if one)
    return owners


def end_claims(session: Session, owners: set[str]) -> None:
    """End the leases of processes that are known to be gone, or of this one when it stops."""
    now = database_now(session)
    for owner, until, is_open in _CLAIMED:
        held = sa.update(owner.class_).where(is_open, owner.in_(owners), until.is_not(None))
        session.execute(held.values({until: now}))
