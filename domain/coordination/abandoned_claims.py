"""Claims of processes that died: taken back at once where it is known, else when their leases end.

Taking back a living process's claim by mistake costs nothing but a request: a link is asked for under the same
idempotency key, and a message in doubt is looked for once the margin after its last attempt is over, even if Slack
refused it meanwhile.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import database_now
from domain.models import IS_OPEN, Duty, FileImport, Installation, Link, OutboxMessage, StripeEvent
from domain.states import ImportState, LinkState

# Only what is open can be claimed, and indexes hold only that: a start must not read a million settled links.
_CLAIMED: tuple[
    tuple[type[Link | StripeEvent | OutboxMessage | FileImport | Duty], sa.ColumnElement[bool]], ...
] = (
    (Link, Link.state == LinkState.RESERVED),
    (StripeEvent, StripeEvent.settled_at.is_(None)),
    (OutboxMessage, IS_OPEN),
    (FileImport, FileImport.state == ImportState.CONFIRMED),
    (Duty, sa.true()),
)


def list_owners(session: Session) -> set[str]:
    """Whoever holds a claim now."""
    owners: set[str] = set()
    for table, is_open in _CLAIMED:
        held = sa.select(table.owner).where(is_open, table.lease_until.is_not(None), table.owner.is_not(None))
        owners.update(owner for owner in session.scalars(held.distinct()) if owner)
    renewing = sa.select(Installation.refresh_owner).where(Installation.refresh_owner.is_not(None))
    owners.update(owner for owner in session.scalars(renewing.distinct()) if owner)
    return owners


def end_claims(session: Session, owners: set[str]) -> None:
    """End the leases of processes that are known to be gone, or of this one when it stops."""
    now = database_now(session)
    for table, is_open in _CLAIMED:
        session.execute(
            sa.update(table)
            .where(is_open, table.owner.in_(owners), table.lease_until.is_not(None))
            .values(lease_until=now)
        )
    # Slack may have answered them: it takes a refresh token that was used once more, for a short while.
    session.execute(
        sa.update(Installation).where(Installation.refresh_owner.in_(owners)).values(refresh_until=now)
    )
