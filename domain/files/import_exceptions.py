"""What an import makes of links that wait for payment: exceptions, where one asks for something else than its invoice."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.exceptions.opening import Opening, open_state
from domain.exceptions.resolving import PAYLINK, settle_all
from domain.files.import_fields import ImportedInvoice
from domain.models import Link, Organisation
from domain.money import Money
from domain.reasons import BillingState
from domain.states import ExceptionKind, LinkState, LinkStatus, Settlement
from domain.summaries import ExceptionFacts


@dataclass(frozen=True)
class Importing:
    """One import: ``id`` names it, and what it is told by."""

    id: str
    now: datetime


@dataclass(frozen=True)
class Difference:
    """An invoice as it was imported, and which of what its link depends on has changed."""

    invoice_id: int
    row: ImportedInvoice
    amount_changed: bool
    state_changed: bool


def note_differences(session: Session, differences: Iterable[Difference], importing: Importing) -> None:
    """Open or end what follows from these. They are told together, when the import has ended.

    The invoices are locked, so no link of theirs is reserved meanwhile.
    """
    by_invoice = {each.invoice_id: each for each in differences if each.amount_changed or each.state_changed}
    if not by_invoice:
        return
    payable = (
        sa.select(Link)
        .join(Organisation, Organisation.id == Link.organisation_id)
        .where(Organisation.ledger_id == Link.ledger_id, Link.invoice_id.in_(by_invoice))
        .where(Link.state == LinkState.CREATED, Link.status == LinkStatus.PENDING_PAYMENT)
        .order_by(Link.id)
    )
    for link in session.scalars(payable).all():
        difference = by_invoice[link.invoice_id]
        if difference.amount_changed:
            _compare_amounts(session, link, difference.row, importing)
        if difference.state_changed:
            _compare_states(session, link, difference.row, importing)


def _compare_amounts(session: Session, link: Link, row: ImportedInvoice, importing: Importing) -> None:
    kind, asked = ExceptionKind.AMOUNT_CHANGED, Money(link.amount, link.currency)
    now = Money(row.amount, row.currency)
    # What was told of the amount before isn't so any more.
    end = Settlement.AMOUNT_RESTORED if now == asked else Settlement.SUPERSEDED
    settle_all(
        session,
        [kind],
        end,
        importing.now,
        link_id=link.id,
        by=PAYLINK,
        tell=end is Settlement.AMOUNT_RESTORED,
    )
    if now != asked:
        _open(session, kind, link, now, ExceptionFacts(expected=asked), importing)


def _compare_states(session: Session, link: Link, row: ImportedInvoice, importing: Importing) -> None:
    kind = ExceptionKind.SETTLED_ELSEWHERE
    if row.billing_state == BillingState.OPEN:
        settle_all(session, [kind], Settlement.REOPENED, importing.now, link_id=link.id, by=PAYLINK)
    elif link.active:
        asked = Money(link.amount, link.currency)
        facts = ExceptionFacts(expected=asked, state=row.billing_state)
        _open(session, kind, link, asked, facts, importing)


def _open(
    session: Session,
    kind: ExceptionKind,
    link: Link,
    amount: Money,
    facts: ExceptionFacts,
    importing: Importing,
) -> None:
    opening = Opening(
        kind,
        f"{kind}:{link.id}",
        link.ledger_id,
        amount,
        link=link,
        stripe_object=link.stripe_id or "",
        facts=facts,
        batch=importing.id,
    )
    open_state(session, opening, importing.now)
