"""The steps of setting up: what an organisation needs before Paylink is of use to it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Invoice, Organisation
from domain.organisations import organisations, settings
from domain.overview.summaries import Steps
from domain.scope import Scope


def find(session: Session, scope: Scope) -> Steps:
    organisation = organisations.get_summary(session, scope.organisation_id)
    # Whoever imports with a program, or by a version before, may have left no moment.
    any_invoice = sa.select(Invoice.id).where(Invoice.organisation_id == scope.organisation_id).limit(1)
    imported = organisation.last_imported_at is not None or session.scalar(any_invoice) is not None
    return Steps(
        stripe=scope.connected,
        channel=organisation.channel is not None,
        invoices=imported,
        tried=organisation.tried_at is not None,
    )


def find_open(session: Session, scope: Scope) -> Steps | None:
    """None when all are done."""
    found = find(session, scope)
    return None if found.done else found


def whom_to_ask(session: Session, organisation_id: int) -> tuple[str, ...]:
    """Who may take the steps, by Slack's ids: whoever installed Paylink, and the administrators who are named."""
    chosen, installer = settings.get_with_installer(session, organisation_id)
    return tuple(dict.fromkeys([*([installer] if installer else []), *chosen.administrators]))


def note_tried(session: Session, scope: Scope, now: datetime) -> None:
    """Somebody has used /invoice: the first moment is kept."""
    session.execute(
        sa.update(Organisation)
        .where(Organisation.id == scope.organisation_id, Organisation.tried_at.is_(None))
        .values(tried_at=now)
    )
