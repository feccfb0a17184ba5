"""Who did or tried what."""

from datetime import datetime

from sqlalchemy.orm import Session

from domain.models import AuditEntry


def record(
    session: Session, action: str, subject: str, *, actor: str, now: datetime, organisation_id: int | None
) -> None:
    """Add one entry; ``subject`` names ids, never buyers' data."""
    session.add(
        AuditEntry(organisation_id=organisation_id, actor=actor, action=action, subject=subject[:500], at=now)
    )
