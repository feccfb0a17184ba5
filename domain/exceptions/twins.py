"""Invoices whose numbers look the same, kept as two by a version before: exceptions while both could get a link."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.exceptions.opening import Opening, list_states, open_state
from domain.exceptions.resolving import settle
from domain.invoices.eligibility import own_reason
from domain.invoices.numbers import twins
from domain.models import Invoice, Link, Organisation, PaymentException
from domain.money import Money
from domain.states import ExceptionKind, LinkState, Settlement
from domain.summaries import PAYLINK, ExceptionFacts

AT_ONCE = 200
BUYER_MOST = 60
"""Characters of the other buyer's name that are kept with the exception."""


@dataclass(frozen=True)
class Twin:
    """A marked invoice, and another one whose number looks the same, if both have a link or could get one."""

    invoice_id: int
    other_id: int | None


class TwinWatch:
    """Goes through all of them bit by bit, over and over: what they could get changes by itself."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._after = 0

    async def look(self, now: datetime) -> None:
        """At the next ones. Most of the time there are none, or nothing to write."""
        page = await self._db.background_read(list_twins, self._after)
        self._after = page[-1].invoice_id if len(page) == AT_ONCE else 0
        open_ones = await self._db.background_read(_list_open, [twin.invoice_id for twin in page])
        for twin in page:
            if (twin.other_id is not None) != (twin.invoice_id in open_ones):
                await self._db.background_write(_compare, twin.invoice_id, now)


def list_twins(session: Session, after: int) -> list[Twin]:
    """The next marked invoices by id, of organisations whose Stripe account is known."""
    found: list[sa.Row[Any]] = []
    own = sa.exists().where(Invoice.organisation_id == Organisation.id, twins.is_marked())
    # Most have none, which one statement tells of all of them.
    with_any = sa.select(Organisation.id).where(Organisation.ledger_id.is_not(None), own)
    for organisation_id in session.scalars(with_any).all():
        marked = sa.select(Invoice.id, Invoice.identity, Invoice.organisation_id, Invoice.number_key)
        marked = marked.where(
            Invoice.organisation_id == organisation_id, twins.is_marked(), Invoice.id > after
        )
        found += session.execute(marked.order_by(Invoice.id).limit(AT_ONCE))
    page = sorted(found, key=lambda row: row.id)[:AT_ONCE]
    return [Twin(row.id, _find_other(session, row)) for row in page]


def _compare(session: Session, invoice_id: int, now: datetime) -> None:
    """Open the exception, bring it up to date, or end it."""
    invoice = session.get_one(Invoice, invoice_id)
    ledger_id = session.scalar(
        sa.select(Organisation.ledger_id)
        .where(Organisation.id == invoice.organisation_id)
        .with_for_update(key_share=True)
    )
    if ledger_id is None:
        return
    other_id = _find_other(session, invoice)
    opening = Opening(
        ExceptionKind.NUMBER_TWIN,
        f"{ExceptionKind.NUMBER_TWIN}:{invoice_id}",
        ledger_id,
        Money(invoice.amount, invoice.currency),
        organisation_id=invoice.organisation_id,
        invoice=invoice,
    )
    if other_id is None:
        for one in list_states(session, opening):
            settle(session, one.id, Settlement.TWIN_CLOSED, now, by=PAYLINK)
        return
    # Who said that both are meant isn't told again.
    if any(one.resolved_by not in (None, PAYLINK) for one in list_states(session, opening)):
        return
    other = session.get_one(Invoice, other_id)
    facts = ExceptionFacts(
        other=other.number,
        other_buyer=other.buyer_name[:BUYER_MOST],
        other_amount=Money(other.amount, other.currency),
    )
    open_state(session, replace(opening, facts=facts), now)


def _find_other(session: Session, invoice: Invoice | sa.Row[Any]) -> int | None:
    """The first other one with the number, if it and this one have a link, or could get one."""
    key = twins.key_of(invoice.identity, invoice.number_key)
    if not key:
        return None
    ids = session.scalars(twins.ids_of(invoice.organisation_id, key)).all()
    able = _list_able(session, {*ids, invoice.id})
    others = [each for each in able if each != invoice.id]
    return others[0] if others and invoice.id in able else None


def _list_able(session: Session, ids: Iterable[int]) -> list[int]:
    """Those of these invoices that have a link in the current ledger, or could get one."""
    rows = session.execute(
        sa.select(Invoice.id, Invoice.amount, Invoice.currency, Invoice.billing_state, Link.state)
        .join(Organisation, Organisation.id == Invoice.organisation_id)
        .outerjoin(Link, sa.and_(Link.invoice_id == Invoice.id, Link.ledger_id == Organisation.ledger_id))
        .where(Invoice.id.in_(list(ids)))
        .order_by(Invoice.id)
    )
    return [
        row.id
        for row in rows
        if row.state in (LinkState.CREATED, LinkState.RESERVED)
        or own_reason(Money(row.amount, row.currency), row.billing_state) is None
    ]


def _list_open(session: Session, invoice_ids: list[int]) -> set[int]:
    """Those of which it is told, or a person said that both are meant."""
    found = sa.select(PaymentException.invoice_id).where(
        PaymentException.invoice_id.in_(invoice_ids),
        PaymentException.kind == ExceptionKind.NUMBER_TWIN,
        sa.or_(PaymentException.resolved_at.is_(None), PaymentException.resolved_by != PAYLINK),
    )
    return {each for each in session.scalars(found) if each is not None}
