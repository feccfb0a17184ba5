"""What an organisation was connected to until now: the ledger of its links."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Ledger, Link
from domain.organisations import organisations
from domain.states import LinkState
from domain.stripe.ledgers.candidates import LINKS_ASKED_ABOUT


@dataclass(frozen=True)
class Before:
    livemode: bool
    account: str | None
    key_digest: str | None
    """Of the key that was last used."""
    links: int
    """How many were asked of Stripe."""
    stripe_ids: tuple[str, ...]
    """Of the last ones."""


def find_before(session: Session, team_id: str) -> Before | None:
    """None before the first key. Raises OrganisationUnknown."""
    organisation = organisations.get_row(session, team_id)
    ledger = None if organisation.ledger_id is None else session.get(Ledger, organisation.ledger_id)
    if ledger is None:
        return None
    own = sa.and_(Link.organisation_id == organisation.id, Link.ledger_id == ledger.id)
    asked = sa.or_(Link.state != LinkState.RESERVED, Link.first_sent_at.is_not(None))
    ids = sa.select(Link.stripe_id).where(own, Link.stripe_id.is_not(None)).order_by(Link.id.desc())
    return Before(
        ledger.livemode,
        ledger.account,
        ledger.key_digest,
        session.scalar(sa.select(sa.func.count()).select_from(Link).where(own, asked)) or 0,
        tuple(filter(None, session.scalars(ids.limit(LINKS_ASKED_ABOUT)))),
    )
