"""What is known of Stripe when a link is claimed, read with the claim: each more would be a transaction for each link."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.invoices.numbers.keys import number_key
from domain.invoices.numbers.twins import key_of
from domain.models import Base, Invoice, Ledger, Link, PaymentException
from domain.states import ExceptionKind, LinkState

_LINKS = Base.metadata.tables[Link.__tablename__]
_LEDGERS = Base.metadata.tables[Ledger.__tablename__]
_EXCEPTIONS = Base.metadata.tables[PaymentException.__tablename__]
# Of the link around it: in what RETURNING says SQLAlchemy leaves the tables' names out on SQLite, even within a subquery,
# where the inner column would be taken (findings/).
_ORGANISATION_ID, _LEDGER_ID = (
    sa.literal_column(f"links.{name}", sa.BigInteger) for name in ("organisation_id", "ledger_id")
)
_TOLD = sa.select(_EXCEPTIONS.c.id).where(
    _EXCEPTIONS.c.organisation_id == _ORGANISATION_ID,
    _EXCEPTIONS.c.ledger_id == _LEDGER_ID,
    _EXCEPTIONS.c.resolved_at.is_(None),
    _EXCEPTIONS.c.kind == ExceptionKind.LINK_UNKNOWN,
)
UNTIL = sa.select(_LEDGERS.c.polled_until).where(_LEDGERS.c.id == _LEDGER_ID).scalar_subquery()
"""Of a link that is selected or changed: until when it is known what happened in its account."""
ANY_TOLD = _TOLD.exists()
"""Of the same: whether people were told of any link that nobody knew, and haven't dealt with it."""


@dataclass(frozen=True)
class Known:
    """Until when, by Stripe's clock, it is known what happened in a link's account, and Stripe's ids of the links that
    people were told of and which name its invoice."""

    until: datetime | None
    told: list[str]


def get_known(session: Session, link_id: int) -> Known:
    until, any_told = session.execute(sa.select(UNTIL, ANY_TOLD).where(_LINKS.c.id == link_id)).one()
    return Known(until, list_told(session, link_id) if any_told else [])


def list_told(session: Session, link_id: int) -> list[str]:
    """Stripe's ids of links that people were told of and haven't dealt with, and which name the invoice of this one;
    none if it was asked for already."""
    link = session.get_one(Link, link_id)
    if link.state is not LinkState.RESERVED or link.first_sent_at is not None:
        return []
    told = session.execute(
        sa.select(PaymentException.stripe_object, PaymentException.invoice_number)
        .where(PaymentException.organisation_id == link.organisation_id)
        .where(PaymentException.resolved_at.is_(None), PaymentException.ledger_id == link.ledger_id)
        .where(PaymentException.kind == ExceptionKind.LINK_UNKNOWN)
        .order_by(PaymentException.id)
    ).all()
    if not told:
        return []
    invoice = session.get_one(Invoice, link.invoice_id)
    number = key_of(invoice.identity, invoice.number_key)
    return [stripe_id for stripe_id, named in told if named is not None and number_key(named) == number]
