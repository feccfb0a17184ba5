"""Invoices for a campaign, and what people of other organisations ask for."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import database_now
from domain.links import reserving
from domain.links.intents import Reservation
from domain.models import Invoice, Link, Organisation
from domain.scope import Scope
from domain.summaries import Actor
from tests.domain.factories import add_invoice


def add_invoices(session: Session, organisation_id: int, numbers: list[str]) -> list[int]:
    """None for those that are there: a database that dies may have committed what it didn't answer."""
    own = sa.select(Invoice.number).where(Invoice.organisation_id == organisation_id)
    there = set(session.scalars(own.where(Invoice.number.in_(numbers))))
    return [
        add_invoice(session, number, organisation_id=organisation_id, amount=10_000 + n)
        for n, number in enumerate(numbers)
        if number not in there
    ]


def reserve_elsewhere(session: Session, organisation_id: int, ledger_id: int, numbers: list[str]) -> None:
    """New invoices of another organisation, and the intent of their links, as its people would commit it."""
    organisation = session.get_one(Organisation, organisation_id)
    scope, now = Scope(organisation_id, ledger_id, livemode=False), datetime.now(UTC)
    by = Actor(organisation.team_id, "U0ELSEWHERE")
    numbers = [f"{organisation_id}-{number}" for number in numbers]
    invoices = [session.get_one(Invoice, one) for one in add_invoices(session, organisation_id, numbers)]
    if not invoices:
        return
    clock = database_now(session)
    reserving.reserve(session, scope, invoices, organisation, {}, Reservation(by, now, clock))


def numbers_without_link(session: Session, numbers: list[str]) -> list[str]:
    """Those of the invoices that have neither a link nor the promise of one."""
    found = sa.select(Invoice.number).outerjoin(Link, Link.invoice_id == Invoice.id)
    return list(session.scalars(found.where(Invoice.number.in_(numbers), Link.id.is_(None))))
