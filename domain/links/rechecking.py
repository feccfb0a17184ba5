"""Asking Stripe about one link because a person wants to know now: seldom, whoever asks and in whichever process."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.database import database_now
from domain.errors import NothingToRecheck, RecheckedLately
from domain.invoices import invoices
from domain.links.reserving import require_connected
from domain.models import Link
from domain.scope import Scope
from domain.states import LinkState
from domain.summaries import Actor

EVERY = timedelta(seconds=30)


def claim(session: Session, scope: Scope, by: Actor, invoice_id: int) -> str:
    """Stripe's id of the invoice's link, which nobody else may ask about for 30 seconds.

    Raises InvoiceNotFound, NotEligible with NOT_CONNECTED, NothingToRecheck for an invoice without a link, RecheckedLately.
    """
    invoice = invoices.get(session, scope, invoice_id)
    require_connected(scope)
    now = database_now(session)
    ours = (Link.invoice_id == invoice_id, Link.ledger_id == scope.ledger_id, Link.state == LinkState.CREATED)
    # One that is far ahead was written by a database whose clock was put back since.
    free = sa.or_(
        Link.rechecked_at.is_(None), Link.rechecked_at <= now - EVERY, Link.rechecked_at > now + EVERY
    )
    claimed = sa.update(Link).where(*ours, free).values(rechecked_at=now).returning(Link.stripe_id)
    stripe_id = session.scalar(claimed.execution_options(synchronize_session=False))
    if stripe_id is not None:
        audit.record(
            session,
            audit.Deed.LINK_RECHECKED,
            stripe_id,
            by=by,
            now=now,
            organisation_id=scope.organisation_id,
            invoice=invoice,
        )
        return stripe_id
    rechecked_at = session.scalar(sa.select(Link.rechecked_at).where(*ours))
    if rechecked_at is None:
        raise NothingToRecheck
    # Whoever was faster may have begun later, and then waited less.
    raise RecheckedLately(min(max(rechecked_at + EVERY - now, timedelta(seconds=1)), EVERY))
