"""Links as Stripe lists them."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Link
from domain.payments.stripe_links.naming import read_naming
from domain.payments.stripe_links.states import LinkFacts, read_link, record_link
from domain.payments.stripe_links.unknown import list_named
from domain.states import LinkStatus


def sort_page(session: Session, ledger_id: int, page: list[dict[str, Any]], now: datetime) -> list[str]:
    """Let the known links of a page be as Stripe says; the ids of those that aren't known although their metadata
    names an organisation of this ledger."""
    read = {facts.stripe_id: facts for facts in map(_read_or_none, page) if facts is not None}
    known = session.execute(
        sa.select(Link.stripe_id, Link.status, Link.active)
        .where(Link.ledger_id == ledger_id, Link.stripe_id.in_(read))
        .order_by(Link.id)
    ).all()
    for stripe_id, status, active in known:
        if stripe_id is not None and status is not LinkStatus.PAID and active is not read[stripe_id].active:
            record_link(session, read[stripe_id], ledger_id, now)
    ours = {stripe_id for stripe_id, *_ in known}
    named = {
        str(found["id"]): naming.team_id
        for found in page
        if found["id"] not in ours and (naming := read_naming(found.get("metadata"))) is not None
    }
    teams = list_named(session, ledger_id, set(named.values()))
    return [stripe_id for stripe_id, team_id in named.items() if team_id in teams]


def _read_or_none(found: dict[str, Any]) -> LinkFacts | None:
    try:
        return read_link(found)
    except ValueError:
        return None
