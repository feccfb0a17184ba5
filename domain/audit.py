"""Who did or tried what."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import AuditEntry, Base


def record(
    session: Session, action: str, subject: str, *, actor: str, now: datetime, organisation_id: int | None
) -> None:
    """Add one entry; ``subject`` names ids, never buyers' data."""
    record_all(session, action, [subject], actor=actor, now=now, organisation_id=organisation_id)


def record_all(
    session: Session,
    action: str,
    subjects: Iterable[str],
    *,
    actor: str,
    now: datetime,
    organisation_id: int | None,
) -> None:
    """An entry for each of the subjects."""
    same = {"organisation_id": organisation_id, "actor": actor, "action": action, "at": now}
    entries = Base.metadata.tables[AuditEntry.__tablename__]
    session.execute(sa.insert(entries), [same | {"subject": subject[:500]} for subject in subjects])
