"""Payments and links at Stripe that Paylink doesn't know although they name one of its organisations.

A database restored from a backup, a link copied by hand in the Dashboard or a second installation makes them. Metadata is
text that anybody with the account may write: it leads to an invoice, and to nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.exceptions.opening import Opening, open_once
from domain.exceptions.resolving import settle
from domain.invoices.list_position import number_key, place
from domain.links.happened import note_created
from domain.models import Invoice, Ledger, Link, Organisation, PaymentException
from domain.money import Money
from domain.payments.recording import SessionFacts
from domain.payments.stripe_links.states import LinkFacts
from domain.states import ExceptionKind, LinkState, LinkStatus, Settlement
from domain.stripe.client import API_VERSION, amount_of, id_of, read_payment_link
from domain.stripe.ledgers import is_current

MOST_NUMBER = 255
MOST_TEAM = 255


@dataclass(frozen=True)
class Naming:
    """What an object's metadata names."""

    team_id: str
    number: str | None
    """One line of text, as far as any database keeps it."""
    reference: str | None


@dataclass(frozen=True)
class Offer:
    """What an unknown link asks for; ``money`` is None where that is more than one line of one price."""

    facts: LinkFacts
    url: str
    livemode: bool
    naming: Naming | None
    money: Money | None


def read_naming(metadata: object) -> Naming | None:
    """None for metadata that names no organisation."""
    if not isinstance(metadata, dict):
        return None
    team_id, number = id_of(metadata.get("organization")), metadata.get("invoice_number")
    if team_id is None:
        return None
    shown = "".join(char if char.isprintable() else " " for char in number) if isinstance(number, str) else ""
    return Naming(team_id, shown.strip()[:MOST_NUMBER] or None, id_of(metadata.get("paylink_reference")))


def read_offer(found: dict[str, Any], facts: LinkFacts) -> Offer:
    """Read a payment link with its ``line_items``. Raises StripeUnreadable for one without a web address."""
    _, url = read_payment_link(found)
    return Offer(
        facts, url, found.get("livemode") is True, read_naming(found.get("metadata")), _money_of(found)
    )


def _money_of(found: dict[str, Any]) -> Money | None:
    items = found.get("line_items")
    lines = items.get("data") if isinstance(items, dict) and not items.get("has_more") else None
    if not isinstance(lines, list) or len(lines) != 1 or not isinstance(lines[0], dict):
        return None
    total, currency = lines[0].get("amount_total"), lines[0].get("currency")
    try:
        amount = amount_of(total)
    except ValueError:
        return None
    if not isinstance(currency, str) or not (
        currency.isascii() and currency.isalpha() and len(currency) == 3
    ):
        return None
    return Money(amount, currency.upper())


def find_unknown(
    session: Session, ledger_id: int, sessions: Iterable[tuple[SessionFacts, Naming | None]]
) -> list[tuple[SessionFacts, Naming]]:
    """Those paid sessions that name an organisation of this ledger, of links that aren't known, and weren't told of yet."""
    livemode = session.scalar(sa.select(Ledger.livemode).where(Ledger.id == ledger_id))
    named = [
        (facts, naming)
        for facts, naming in sessions
        if naming and facts.complete and facts.paid and facts.livemode == livemode
    ]
    if not named:
        return []
    teams = list_named(session, ledger_id, {naming.team_id for _, naming in named})
    links = set(
        session.scalars(
            sa.select(Link.stripe_id).where(
                Link.ledger_id == ledger_id, Link.stripe_id.in_([facts.stripe_link_id for facts, _ in named])
            )
        )
    )
    keys = {_payment_key(facts.session_id) for facts, _ in named}
    told = set(
        session.scalars(
            sa.select(PaymentException.key).where(
                PaymentException.ledger_id == ledger_id, PaymentException.key.in_(keys)
            )
        )
    )
    return [
        (facts, naming)
        for facts, naming in named
        if naming.team_id in teams
        and facts.stripe_link_id not in links
        and _payment_key(facts.session_id) not in told
        and not _is_reserved(session, ledger_id, naming.reference)
    ]


def list_named(session: Session, ledger_id: int, team_ids: set[str]) -> set[str]:
    """Which of these workspaces are organisations of this ledger."""
    return set(
        session.scalars(
            sa.select(Organisation.team_id).where(
                Organisation.ledger_id == ledger_id, Organisation.team_id.in_(team_ids)
            )
        )
    )


def is_being_created(session: Session, ledger_id: int, offer: Offer) -> bool:
    """Whether it may be the link that is promised here: its creation settles first."""
    return offer.naming is not None and _is_reserved(session, ledger_id, offer.naming.reference)


def adopt(session: Session, offer: Offer, ledger_id: int, made_at: datetime, now: datetime) -> bool:
    """Take up a link that Paylink made for an invoice that has none here, over that invoice's amount; whether it is
    the invoice's now.

    ``made_at``: a time by Stripe's clock at which it was there.
    """
    naming, money = offer.naming, offer.money
    if naming is None or naming.reference is None or money is None or not _is_mode(session, offer, ledger_id):
        return False
    invoice = _find_invoice(session, ledger_id, naming, lock=True)
    if invoice is None or (invoice.amount, invoice.currency) != (money.amount, money.currency):
        return False
    # With the invoice locked nobody reserves a link for it meanwhile.
    in_ledger = sa.select(Link).where(Link.ledger_id == ledger_id)
    link = session.scalar(in_ledger.where(Link.invoice_id == invoice.id).with_for_update())
    if link is not None and link.stripe_id == offer.facts.stripe_id:
        return True
    holder = session.scalar(sa.select(Link.id).where(Link.reference == naming.reference))
    if link is None and holder is None:
        link = Link(
            organisation_id=invoice.organisation_id,
            invoice_id=invoice.id,
            ledger_id=ledger_id,
            reference=naming.reference,
            idempotency_key=f"adopted-{naming.reference}",
            request="{}",
            api_version=API_VERSION,
            reserved_at=now,
            next_attempt_at=now,
        )
        session.add(link)
    elif link is None or link.state is not LinkState.REFUSED or holder != link.id:
        # Another link's reference: it is a copy, or the invoice has a link.
        return False
    link.state, link.status = LinkState.CREATED, LinkStatus.PENDING_PAYMENT
    link.amount, link.currency = money.amount, money.currency
    link.stripe_id, link.url, link.refusal = offer.facts.stripe_id, offer.url, None
    link.created_at, link.changed_at = made_at, now
    session.flush()
    if is_current(session, link.organisation_id, ledger_id):
        place(invoice, link)
    note_created(session, link)
    _settle(session, ledger_id, _link_key(offer.facts.stripe_id), now)
    return True


def tell_link(session: Session, offer: Offer, ledger_id: int, now: datetime) -> bool:
    """Tell of a link that isn't known and is in nobody's place, once; whether this call did."""
    naming = offer.naming
    if naming is None or not _is_mode(session, offer, ledger_id):
        return False
    return _tell(
        session,
        ExceptionKind.LINK_UNKNOWN,
        _link_key(offer.facts.stripe_id),
        ledger_id,
        naming,
        offer.money,
        offer.facts.stripe_id,
        now,
    )


def tell_payment(
    session: Session, facts: SessionFacts, naming: Naming, ledger_id: int, now: datetime
) -> bool:
    """Tell of a payment through a link that isn't known, once; whether this call did."""
    return _tell(
        session,
        ExceptionKind.PAYMENT_UNKNOWN,
        _payment_key(facts.session_id),
        ledger_id,
        naming,
        Money(facts.amount, facts.currency) if facts.currency else None,
        facts.payment_intent or facts.session_id,
        now,
    )


def settle_payments(session: Session, ledger_id: int, session_ids: Iterable[str], now: datetime) -> None:
    """These payments are of a link that is known now."""
    for session_id in session_ids:
        _settle(session, ledger_id, _payment_key(session_id), now)


def _tell(
    session: Session,
    kind: ExceptionKind,
    key: str,
    ledger_id: int,
    naming: Naming,
    money: Money | None,
    stripe_object: str,
    now: datetime,
) -> bool:
    organisation_id = session.scalar(
        sa.select(Organisation.id).where(
            Organisation.team_id == naming.team_id, Organisation.ledger_id == ledger_id
        )
    )
    if organisation_id is None:
        return False
    opening = Opening(
        kind,
        key,
        ledger_id,
        money,
        organisation_id=organisation_id,
        invoice=_find_invoice(session, ledger_id, naming),
        number=naming.number,
        stripe_object=stripe_object,
    )
    return open_once(session, opening, now) is not None


def _find_invoice(session: Session, ledger_id: int, naming: Naming, *, lock: bool = False) -> Invoice | None:
    if naming.number is None:
        return None
    found = (
        sa.select(Invoice)
        .join(Organisation, Organisation.id == Invoice.organisation_id)
        .where(Organisation.team_id == naming.team_id, Organisation.ledger_id == ledger_id)
        .where(Invoice.number_key == number_key(naming.number))
    )
    return session.scalar(found.with_for_update(of=Invoice, key_share=True) if lock else found)


def _is_mode(session: Session, offer: Offer, ledger_id: int) -> bool:
    return session.scalar(sa.select(Ledger.livemode).where(Ledger.id == ledger_id)) == offer.livemode


def _is_reserved(session: Session, ledger_id: int, reference: str | None) -> bool:
    reserved = sa.select(Link.id).where(
        Link.ledger_id == ledger_id, Link.reference == reference, Link.state == LinkState.RESERVED
    )
    return reference is not None and bool(session.scalar(sa.select(reserved.exists())))


def _settle(session: Session, ledger_id: int, key: str, now: datetime) -> None:
    exception_id = session.scalar(
        sa.select(PaymentException.id).where(
            PaymentException.ledger_id == ledger_id, PaymentException.key == key
        )
    )
    if exception_id is not None:
        settle(session, exception_id, Settlement.LINK_KNOWN, now)


def _link_key(stripe_id: str) -> str:
    return f"link_unknown:{stripe_id}"


def _payment_key(session_id: str) -> str:
    return f"payment_unknown:{session_id}"
