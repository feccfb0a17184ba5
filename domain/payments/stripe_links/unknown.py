"""Payments and links at Stripe that Paylink doesn't know although they name one of its organisations.

A database restored from a backup, a link copied by hand in the Dashboard or a second installation makes them. Metadata is
text that anybody with the account may write: it leads to an invoice, and to nothing else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.exceptions.opening import Opening, open_once
from domain.exceptions.resolving import settle
from domain.invoices.numbers.twins import choose, ids_of
from domain.models import Invoice, Ledger, Link, Organisation, PaymentException
from domain.money import Money
from domain.payments.recording import SessionFacts
from domain.payments.stripe_links.naming import Naming, Offer
from domain.states import ExceptionKind, LinkState, Settlement


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


@dataclass(frozen=True)
class Unplaced:
    """What was told of an object of Stripe's before its invoice was known, which is there now."""

    exception_id: int
    kind: ExceptionKind
    stripe_id: str
    """The link's, or the session's."""
    seen_at: datetime


def list_unplaced(session: Session, ledger_id: int) -> list[Unplaced]:
    """Whatever became of it: a link that somebody has dealt with is the invoice's all the same."""
    found = (
        sa.select(PaymentException, Organisation.team_id)
        .join(Organisation, Organisation.id == PaymentException.organisation_id)
        .where(
            PaymentException.ledger_id == ledger_id,
            PaymentException.kind.in_([ExceptionKind.LINK_UNKNOWN, ExceptionKind.PAYMENT_UNKNOWN]),
            PaymentException.invoice_id.is_(None),
            PaymentException.invoice_number.is_not(None),
        )
    )
    return [
        Unplaced(row.id, row.kind, row.key.partition(":")[2], row.seen_at)
        for row, team_id in session.execute(found.order_by(PaymentException.id))
        if find_invoice(session, ledger_id, Naming(team_id, row.invoice_number, None)) is not None
    ]


def place_told(session: Session, unplaced: Unplaced, ledger_id: int) -> None:
    """Its exception is about the invoice from now on."""
    exception = session.get_one(PaymentException, unplaced.exception_id)
    organisation = session.get_one(Organisation, exception.organisation_id)
    naming = Naming(organisation.team_id, exception.invoice_number, None)
    invoice = find_invoice(session, ledger_id, naming)
    if invoice is not None:
        exception.invoice_id = invoice.id


def tell_link(session: Session, offer: Offer, ledger_id: int, now: datetime) -> bool:
    """Tell of a link that isn't known and is in nobody's place, once; whether this call did. One that can't be paid any
    more is nobody's task."""
    naming = offer.naming
    if naming is None or not is_mode(session, offer, ledger_id):
        return False
    if not offer.facts.active:
        # One that was paid is told of by its payment.
        tell = not offer.facts.used_up
        _settle(session, ledger_id, _link_key(offer.facts.stripe_id), now, Settlement.LINK_CLOSED, tell=tell)
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


def settle_link(session: Session, ledger_id: int, stripe_id: str, now: datetime) -> None:
    """This link is known now."""
    _settle(session, ledger_id, _link_key(stripe_id), now)


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
        invoice=find_invoice(session, ledger_id, naming),
        number=naming.number,
        stripe_object=stripe_object,
    )
    return open_once(session, opening, now) is not None


def find_invoice(session: Session, ledger_id: int, naming: Naming) -> Invoice | None:
    """Of numbers that look the same the one that is written so; None if none is."""
    if naming.number is None:
        return None
    organisation_id = session.scalar(
        sa.select(Organisation.id).where(
            Organisation.team_id == naming.team_id, Organisation.ledger_id == ledger_id
        )
    )
    if organisation_id is None:
        return None
    which = Invoice.id.in_(ids_of(organisation_id, naming.number))
    written = session.execute(sa.select(Invoice.id, Invoice.number_key).where(which))
    chosen = choose(naming.number, {row.id: row.number_key for row in written})
    return None if chosen is None else session.get(Invoice, chosen)


def is_mode(session: Session, offer: Offer, ledger_id: int) -> bool:
    return session.scalar(sa.select(Ledger.livemode).where(Ledger.id == ledger_id)) == offer.livemode


def _is_reserved(session: Session, ledger_id: int, reference: str | None) -> bool:
    reserved = sa.select(Link.id).where(
        Link.ledger_id == ledger_id, Link.reference == reference, Link.state == LinkState.RESERVED
    )
    return reference is not None and bool(session.scalar(sa.select(reserved.exists())))


def _settle(
    session: Session,
    ledger_id: int,
    key: str,
    now: datetime,
    how: Settlement = Settlement.LINK_KNOWN,
    *,
    tell: bool = True,
) -> None:
    exception_id = session.scalar(
        sa.select(PaymentException.id).where(
            PaymentException.ledger_id == ledger_id, PaymentException.key == key
        )
    )
    if exception_id is not None:
        settle(session, exception_id, how, now, tell=tell)


def _link_key(stripe_id: str) -> str:
    return f"link_unknown:{stripe_id}"


def _payment_key(session_id: str) -> str:
    return f"payment_unknown:{session_id}"
