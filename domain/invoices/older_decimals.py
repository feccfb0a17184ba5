"""Invoices whose amounts a version before wrote with two decimals, in a currency that has others."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Invoice, Organisation
from domain.money import OTHER_DECIMALS


@dataclass(frozen=True)
class OlderDecimals:
    team_id: str
    currency: str
    invoices: int


def list_older_decimals(session: Session) -> tuple[OlderDecimals, ...]:
    """Those that migration 0018 didn't come upon, or couldn't count anew. Looks through all invoices."""
    found = (
        sa.select(Organisation.team_id, Invoice.currency, sa.func.count())
        .join(Organisation, Organisation.id == Invoice.organisation_id)
        # What this version writes says when.
        .where(Invoice.currency.in_(OTHER_DECIMALS), Invoice.changed_at.is_(None), Invoice.amount != 0)
        .group_by(Organisation.team_id, Invoice.currency)
        .order_by(Organisation.team_id, Invoice.currency)
    )
    return tuple(OlderDecimals(*row) for row in session.execute(found))
