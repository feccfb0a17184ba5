"""Commit to asking Stripe for an invoice's online payment link: the intent, with the request and the key that are sent.

The database refuses a second link of an invoice in a ledger.
"""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.coordination.leases import Lease
from domain.database import database_clock, database_now
from domain.errors import AmountChanged, LedgerChanged, NotEligible
from domain.invoices.eligibility import ineligible_because
from domain.invoices.list_position import existing_reason, standing_of
from domain.links.claiming import Intent, intent_of
from domain.links.known import get_known
from domain.models import Base, Invoice, Link, Organisation
from domain.money import Money
from domain.reasons import Reason
from domain.scope import Scope
from domain.states import LinkState, LinkStatus
from domain.stripe.client import API_VERSION
from domain.stripe.ledgers import is_current
from domain.stripe.link_request import payment_link_request
from domain.summaries import Actor

_LINKS = Base.metadata.tables[Link.__tablename__]
_INVOICES = Base.metadata.tables[Invoice.__tablename__]
Columns = dict[str, Any]


@dataclass(frozen=True)
class Reservation:
    """Who asks for links and when; with a ``lease`` whoever holds it will send them at once."""

    by: Actor
    now: datetime
    clock: datetime
    """The database's."""
    lease: Lease | None = None


@dataclass(frozen=True)
class _Decision:
    """What becomes of an invoice that gets a link: one that it hadn't, or the refused one with a new request."""

    invoice: Invoice
    existing: Link | None
    intent: Columns


def reserve(
    session: Session,
    scope: Scope,
    invoices: Sequence[Invoice],
    organisation: Organisation,
    existing: Mapping[int, Link],
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
        reason = _ineligible_because(invoice, link, organisation)
        if reason is None:
            decisions.append(_decide(invoice, link, organisation))
        else:
            outcomes[invoice.id] = reason
    if decisions:
        outcomes |= _write(session, scope, organisation, decisions, reservation)
    return outcomes


def _ineligible_because(invoice: Invoice, link: Link | None, organisation: Organisation) -> Reason | None:
    money = Money(invoice.amount, invoice.currency)
    return ineligible_because(money, existing_reason(link), invoice.billing_state, add_on=organisation.add_on)


def _decide(invoice: Invoice, link: Link | None, organisation: Organisation) -> _Decision:
    """What is going to be asked for: a link that Stripe refused keeps its reference, and gets another key."""
    reference = uuid.uuid4().hex if link is None else link.reference
    intent = {
        "reference": reference,
        "amount": invoice.amount,
        "currency": invoice.currency,
        "idempotency_key": f"paylink-{uuid.uuid4()}",
        "request": json.dumps(_request(invoice, organisation, reference), ensure_ascii=False),
    }
    return _Decision(invoice, link, intent)


def _write(
    session: Session,
    scope: Scope,
    organisation: Organisation,
    decisions: Sequence[_Decision],
    reservation: Reservation,
) -> dict[int, int]:
    """In statements over all of them, which a hundred objects of the ORM take many times as long as."""
    common = _common(scope, organisation, reservation)
    made: dict[int, int] = {}
    fresh = [
        {"invoice_id": one.invoice.id, **one.intent, **common} for one in decisions if one.existing is None
    ]
    if fresh:
        session.execute(sa.insert(_LINKS), fresh)
        # Asked for afterwards: with RETURNING it is one statement of 2,000 parameters, whose making takes longer.
        ids = sa.select(_LINKS.c.invoice_id, _LINKS.c.id).where(
            _LINKS.c.ledger_id == scope.ledger_id,
            _LINKS.c.invoice_id.in_([each["invoice_id"] for each in fresh]),
        )
        made = {row[0]: row[1] for row in session.execute(ids)}
    renewed = {one.invoice.id: one.existing.id for one in decisions if one.existing is not None}
    if renewed:
        again = [
            {"link_id": renewed[one.invoice.id], **one.intent, **common}
            for one in decisions
            if one.invoice.id in renewed
        ]
        session.execute(sa.update(_LINKS).where(_LINKS.c.id == sa.bindparam("link_id")), again)
    place = sa.update(_INVOICES).where(_INVOICES.c.id == sa.bindparam("placed_id"))
    session.execute(place.values(_placing()), list(_placed(decisions)))
    audit.record_all(
        session,
        audit.Deed.LINK_ASKED,
        [(one.invoice, str(Money(one.invoice.amount, one.invoice.currency))) for one in decisions],
        by=reservation.by,
        now=reservation.now,
        organisation_id=organisation.id,
    )
    return made | renewed


def _common(scope: Scope, organisation: Organisation, reservation: Reservation) -> Columns:
    """What all links of a reservation have in common; of a refused one nothing else is left."""
    lease = reservation.lease
    return {
        "organisation_id": organisation.id,
        "ledger_id": scope.ledger_id,
        "state": LinkState.RESERVED,
        "status": LinkStatus.NOT_CREATED,
        "refusal": None,
        "api_version": API_VERSION,
        "requested_by": reservation.by.user_id,
        "reserved_at": reservation.now,
        "changed_at": reservation.now,
        "attempts": 0,
        "look_first": False,
        "first_sent_at": None,
        "last_sent_at": None,
        "next_attempt_at": reservation.clock,
        "owner": lease and lease.owner,
        "lease_until": lease and reservation.clock + lease.length,
    }


def _placing() -> Columns:
    asked: Columns = {name: sa.bindparam(name) for name in ("status", "position")}
    return asked | {"changed_at": database_clock()}


def _placed(decisions: Sequence[_Decision]) -> Iterator[Columns]:
    """Where each of the invoices stands in the list from now on."""
    for one in decisions:
        status, place = standing_of(one.invoice, LinkState.RESERVED, LinkStatus.NOT_CREATED)
        yield {"placed_id": one.invoice.id, "status": status, "position": place}


def _request(invoice: Invoice, organisation: Organisation, reference: str) -> dict[str, object]:
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
    existing = {} if link is None else {invoice.id: link}
    reservation = Reservation(actor, now, clock, lease)
    outcome = reserve(session, scope, [invoice], organisation, existing, reservation)[invoice.id]
    if isinstance(outcome, Reason):
        raise NotEligible(invoice.number, outcome)
    return intent_of(
        session.get_one(Link, outcome, populate_existing=True), clock, get_known(session, outcome)
    )
