"""What Stripe says of a payment link: whether it can be paid, and whose it says that it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.exceptions.billing_changes import open_link_deactivated
from domain.exceptions.resolving import settle_all
from domain.invoices.badges import show_badges
from domain.invoices.locking import lock_link, mark_changed
from domain.models import Invoice, Link, Payment, PaymentException
from domain.reasons import BillingState
from domain.states import Badge, ExceptionKind, LinkStatus, Settlement
from domain.stripe.client import id_of

_BADGE = Badge.LINK_DEACTIVATED
# Somebody who was advised to deactivate the link isn't told to reactivate it.
_ADVISED = (ExceptionKind.AMOUNT_CHANGED, ExceptionKind.SETTLED_ELSEWHERE)
# What such a payment is about is the task, until it is dealt with.
_USED = (ExceptionKind.AMOUNT_DIFFERS, ExceptionKind.CURRENCY_DIFFERS, ExceptionKind.COMPLETED_UNPAID)


@dataclass(frozen=True)
class LinkFacts:
    """What a payment link says. ``completed``: how many of its sessions were, as far as Stripe counts them."""

    stripe_id: str
    active: bool
    completed: int
    used_up: bool
    """It sold as often as it may, which is why Stripe closed it."""


def read_link(found: dict[str, Any]) -> LinkFacts:
    """Read Stripe's object. Raises ValueError for anything that is no payment link."""
    stripe_id, active = id_of(found.get("id")), found.get("active")
    if stripe_id is None or not isinstance(active, bool):
        raise ValueError("no payment link")
    count, limit = _sessions_of(found)
    return LinkFacts(stripe_id, active, count, used_up=limit is not None and count >= limit)


def _sessions_of(found: dict[str, Any]) -> tuple[int, int | None]:
    restrictions = found.get("restrictions")
    sessions = restrictions.get("completed_sessions") if isinstance(restrictions, dict) else None
    if not isinstance(sessions, dict):
        return 0, None
    count, limit = sessions.get("count"), sessions.get("limit")
    return count if isinstance(count, int) else 0, limit if isinstance(limit, int) else None


def is_settled(session: Session, ledger_id: int, stripe_id: str, *, created: bool) -> bool:
    """Whether an event of this link tells nothing that matters any more, without asking Stripe: a known link was
    ``created``, or one that is paid was updated, which is what a payment does."""
    status = session.scalar(
        sa.select(Link.status).where(Link.ledger_id == ledger_id, Link.stripe_id == stripe_id)
    )
    return status is not None and (created or status is LinkStatus.PAID)


def record_link(session: Session, facts: LinkFacts, ledger_id: int, now: datetime) -> bool | None:
    """Let the link be as Stripe says, and tell when it was switched off or on again.

    Whether that is another state than the one that was known; None for a link that isn't known.
    """
    link = lock_link(session, Link.ledger_id == ledger_id, Link.stripe_id == facts.stripe_id)
    if link is None:
        return None
    changed = link.active is not facts.active
    link.active = facts.active
    pending = link.status is LinkStatus.PENDING_PAYMENT
    # Until its payment is recorded nobody knows whether that pays for the invoice.
    used = pending and facts.used_up and _has_sold(session, link)
    off = used or (pending and not facts.active and not facts.used_up)
    show_badges(link, {_BADGE} if off else (), among=frozenset({_BADGE}))
    if changed:
        mark_changed(session, link.invoice_id)
    if off:
        _tell_off(session, link, now, used=used)
    elif facts.active:
        settle_all(session, [ExceptionKind.LINK_DEACTIVATED], Settlement.LINK_ACTIVE, now, link_id=link.id)
    session.flush()
    return changed


def end_by_payment(session: Session, link: Link, now: datetime, *, any_open: bool) -> None:
    """The link has been paid: that it is off, or asks for what its invoice doesn't say, matters no more. ``any_open``: whether
    there are open exceptions about it.

    The caller has locked its invoice too: an import might be opening something.
    """
    show_badges(link, (), among=frozenset({_BADGE}))
    if any_open:
        settle_all(session, [ExceptionKind.LINK_DEACTIVATED], Settlement.PAID, now, link_id=link.id)
        settle_all(session, _ADVISED, Settlement.LINK_PAID, now, link_id=link.id)


def end_by_other_payment(session: Session, link: Link, now: datetime) -> None:
    """What was paid through the link doesn't pay for its invoice, or has gone back: if Stripe closed it, nobody can pay
    any more. The caller has locked it."""
    if link.status is not LinkStatus.PENDING_PAYMENT or link.active:
        return
    show_badges(link, {_BADGE}, among=frozenset({_BADGE}))
    mark_changed(session, link.invoice_id)
    _tell_off(session, link, now, used=True)


def _has_sold(session: Session, link: Link) -> bool:
    return bool(session.scalar(sa.select(sa.exists().where(Payment.link_id == link.id))))


def _is_task(session: Session, link: Link) -> bool:
    open_ = sa.exists().where(
        PaymentException.link_id == link.id,
        PaymentException.resolved_at.is_(None),
        PaymentException.kind.in_(_USED),
    )
    return bool(session.scalar(sa.select(open_)))


def _tell_off(session: Session, link: Link, now: datetime, *, used: bool) -> None:
    advised = settle_all(session, _ADVISED, Settlement.LINK_CLOSED, now, link_id=link.id)
    billing_state = session.scalar(sa.select(Invoice.billing_state).where(Invoice.id == link.invoice_id))
    if advised or billing_state != BillingState.OPEN or (used and _is_task(session, link)):
        return
    open_link_deactivated(session, link, now, used=used)
