"""What an import makes of links that wait for payment: exceptions, where one asks for something else than its invoice."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.exceptions.billing_changes import (
    open_amount_changed,
    open_link_deactivated,
    open_settled_elsewhere,
)
from domain.exceptions.resolving import settle_all
from domain.files.import_fields import ImportedInvoice
from domain.models import Link, Organisation
from domain.money import Money
from domain.reasons import BillingState
from domain.states import ExceptionKind, LinkState, LinkStatus, Settlement, Source
from domain.summaries import OPERATOR, PAYLINK


@dataclass(frozen=True)
class Importing:
    """One import: ``id`` names it, and what it is told by."""

    id: str
    now: datetime
    by: audit.By = OPERATOR
    source: Source | None = None


@dataclass(frozen=True)
class Difference:
    """An invoice as it was imported, and which of what its link depends on has changed."""

    invoice_id: int
    row: ImportedInvoice
    was: tuple[int, str]
    """Its amount and currency before."""
    amount_changed: bool
    state_changed: bool


def note_differences(session: Session, differences: Iterable[Difference], importing: Importing) -> None:
    """Open or end what follows from these. They are told together, when the import has ended.

    The invoices are locked, so no link of theirs is reserved meanwhile; one that is reserved already is compared when it
    is created.
    """
    by_invoice = {each.invoice_id: each for each in differences if each.amount_changed or each.state_changed}
    if not by_invoice:
        return
    other_amounts = [key for key, each in by_invoice.items() if each.amount_changed]
    touched = (
        sa.select(Link)
        .join(Organisation, Organisation.id == Link.organisation_id)
        .where(Organisation.ledger_id == Link.ledger_id, Link.invoice_id.in_(by_invoice))
        .where(Link.state == LinkState.CREATED)
        # Of one that is paid, what is still open may end; another amount is written down of each.
        .where(
            sa.or_(
                Link.status == LinkStatus.PENDING_PAYMENT, Link.exception, Link.invoice_id.in_(other_amounts)
            )
        )
        .order_by(Link.id)
    )
    links = session.scalars(touched).all()
    _record_amounts(session, [(link, by_invoice[link.invoice_id]) for link in links], importing)
    for link in links:
        difference = by_invoice[link.invoice_id]
        if difference.amount_changed:
            _compare_amounts(session, link, difference.row, importing)
        if difference.state_changed:
            _compare_states(session, link, difference.row, importing)


def _record_amounts(
    session: Session, touched: Iterable[tuple[Link, Difference]], importing: Importing
) -> None:
    for link, difference in touched:
        if difference.amount_changed:
            audit.record(
                session,
                audit.Deed.AMOUNT_CHANGED,
                by=importing.by,
                source=importing.source,
                now=importing.now,
                organisation_id=link.organisation_id,
                invoice=audit.OfInvoice(link.invoice_id, difference.row.number),
                before=str(Money(*difference.was)),
                after=str(Money(difference.row.amount, difference.row.currency)),
            )


def _compare_amounts(session: Session, link: Link, row: ImportedInvoice, importing: Importing) -> None:
    billed = Money(row.amount, row.currency)
    restored = billed == Money(link.amount, link.currency)
    if not restored and link.status is LinkStatus.PAID:
        return
    # What was told of the amount before isn't so any more.
    settle_all(
        session,
        [ExceptionKind.AMOUNT_CHANGED],
        Settlement.AMOUNT_RESTORED if restored else Settlement.SUPERSEDED,
        importing.now,
        link_id=link.id,
        by=PAYLINK,
        tell=restored,
    )
    if not restored:
        open_amount_changed(session, link, billed, importing.now, batch=importing.id)


def _compare_states(session: Session, link: Link, row: ImportedInvoice, importing: Importing) -> None:
    if row.billing_state == BillingState.OPEN:
        kinds = [ExceptionKind.SETTLED_ELSEWHERE]
        settle_all(session, kinds, Settlement.REOPENED, importing.now, link_id=link.id, by=PAYLINK)
        if link.status is LinkStatus.PENDING_PAYMENT and not link.active:
            open_link_deactivated(session, link, importing.now)
        return
    kinds, ended = [ExceptionKind.LINK_DEACTIVATED], Settlement.NOT_TO_BE_PAID
    settle_all(session, kinds, ended, importing.now, link_id=link.id, by=PAYLINK)
    if link.active and link.status is LinkStatus.PENDING_PAYMENT:
        open_settled_elsewhere(session, link, row.billing_state, importing.now, batch=importing.id)
