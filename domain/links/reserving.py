"""Commit to asking Stripe for an invoice's online payment link: the intent, with the request and the key that are sent.

The database refuses a second link of an invoice in a ledger.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import database_now
from domain.errors import AmountChanged, LedgerChanged, NotEligible
from domain.invoices.eligibility import ineligible_because
from domain.invoices.list_position import existing_reason
from domain.links.claiming import Intent, intent_of
from domain.links.intents import Decision, Existing, Reservable, Reservation, write
from domain.links.known import get_known
from domain.models import Invoice, Link, Organisation
from domain.money import Money
from domain.reasons import Reason
from domain.scope import Scope
from domain.stripe.ledgers.current import is_current
from domain.stripe.link_request import payment_link_request
from domain.summaries import Actor


def reserve(
    session: Session,
    scope: Scope,
    invoices: Sequence[Reservable],
    organisation: Organisation,
    existing: Mapping[int, Existing],
    reservation: Reservation,
) -> dict[int, int | Reason]:
    """Commit to asking Stripe for these invoices' links, with the amounts that the invoices have now.

    The id of each invoice's link, or why it can't have one. ``existing`` is what there is of them in this ledger, by
    invoice. The caller holds the invoices' row locks.
    """
    outcomes: dict[int, int | Reason] = {}
    decisions = []
    for invoice in invoices:
        link = existing.get(invoice.id)
        money = Money(invoice.amount, invoice.currency)
        reason = ineligible_because(
            money, existing_reason(link), invoice.billing_state, add_on=organisation.add_on
        )
        if reason is None:
            decisions.append(_decide(invoice, money, link, organisation))
        else:
            outcomes[invoice.id] = reason
    if decisions:
        outcomes |= write(session, scope, organisation, decisions, reservation)
    return outcomes


def _decide(invoice: Reservable, money: Money, link: Existing | None, organisation: Organisation) -> Decision:
    """What is going to be asked for: a link that Stripe refused keeps its reference, and gets another key."""
    reference = secrets.token_hex(16) if link is None else link.reference
    intent = {
        "amount": money.amount,
        "currency": money.currency,
        "reference": reference,
        "idempotency_key": f"paylink-{secrets.token_hex(16)}",
        "request": _request(invoice, organisation, reference),
    }
    return Decision(invoice, money, link, intent)


def _request(invoice: Reservable, organisation: Organisation, reference: str) -> dict[str, object]:
    return payment_link_request(
        amount=invoice.amount,
        currency=invoice.currency,
        name=f"Invoice {invoice.number}",
        metadata={
            "invoice_number": invoice.number,
            "organization": organisation.team_id,
            "paylink_reference": reference,
        },
        inactive_message=f"Invoice {invoice.number} has already been paid. Thank you.",
    )


def find_link(session: Session, scope: Scope, invoice_id: int) -> Link | None:
    return session.scalar(
        sa.select(Link).where(Link.invoice_id == invoice_id, Link.ledger_id == scope.ledger_id)
    )


def require_connected(scope: Scope) -> None:
    """Raises NotEligible with NOT_CONNECTED for an organisation that has no Stripe key."""
    if not scope.connected:
        raise NotEligible("", Reason.NOT_CONNECTED)


def require_current(session: Session, scope: Scope) -> None:
    """Raises LedgerChanged when another process has put the database under another account or mode."""
    if not is_current(session, scope.organisation_id, scope.ledger_id):
        raise LedgerChanged


def reserve_one(
    session: Session,
    scope: Scope,
    actor: Actor,
    invoice: Invoice,
    organisation: Organisation,
    seen: Money,
    lease: Lease,
    now: datetime,
) -> Intent:
    """Reserve one invoice's link for the person who looked at ``seen``. Raises NotEligible, AmountChanged."""
    require_connected(scope)
    require_current(session, scope)
    money = Money(invoice.amount, invoice.currency)
    link = find_link(session, scope, invoice.id)
    if money != seen and existing_reason(link) is None:
        raise AmountChanged(invoice.number, seen, money)
    clock = database_now(session)
    existing: dict[int, Existing] = {} if link is None else {invoice.id: link}
    reservation = Reservation(actor, now, clock, lease)
    outcome = reserve(session, scope, [invoice], organisation, existing, reservation)[invoice.id]
    if isinstance(outcome, Reason):
        raise NotEligible(invoice.number, outcome)
    return intent_of(
        session.get_one(Link, outcome, populate_existing=True), clock, get_known(session, outcome)
    )
