"""Which refunds and disputes are to be asked about although no event told anything: Stripe forgets events after 30 days.

``changed_at`` of a reversal is when Stripe last said what it is, so it tells how long nobody has heard of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.invoices.badges import show_badges
from domain.invoices.locking import lock_link
from domain.models import Link, Organisation, Payment, Reversal
from domain.payments.reversals import recording
from domain.payments.reversals.reversals import (
    LOST,
    REFUND_ENDED,
    REFUNDED,
    SETTLED,
    ReversalFacts,
    ReversalKind,
)
from domain.states import Badge, LinkStatus, Verdict

AT_ONCE = 100
# Events bring what changes; this is for what they didn't, and costs a read for each that isn't at its end.
UNHEARD_FOR = timedelta(days=1)
# So long a bank may send back a refund that had succeeded, and a network may overturn a loss (docs/facts/stripe.md).
_FIRM_AFTER = {REFUNDED: timedelta(days=45), LOST: timedelta(days=120)}
_FLAGS = (
    (Link.refunded, ("refunded",), Badge.REFUNDED),
    (Link.disputed, ("disputed", "inquiry", "dispute_lost"), Badge.DISPUTED),
)


@dataclass(frozen=True)
class Unheard:
    """A refund or dispute of which nothing was heard for long, and when it last was."""

    stripe_id: str
    kind: ReversalKind
    heard_at: datetime


@dataclass(frozen=True)
class Flagged:
    """A link that a version before 0004 marked as refunded or disputed without keeping of what: its payments' intents."""

    link_id: int
    intents: tuple[str, ...]


def list_unheard(session: Session, ledger_id: int, now: datetime) -> list[Unheard]:
    """Those that aren't at their end, each day; and those that are but might be reversed, once when that is over."""
    ended = [*REFUND_ENDED, *SETTLED, *_FIRM_AFTER]
    due = [sa.and_(Reversal.status.not_in(ended), Reversal.changed_at <= now - UNHEARD_FOR)]
    for status, length in _FIRM_AFTER.items():
        after = sa.type_coerce(Reversal.created_at, sa.BigInteger) + length // timedelta(milliseconds=1)
        heard_before = sa.type_coerce(Reversal.changed_at, sa.BigInteger) < after
        due.append(sa.and_(Reversal.status == status, Reversal.created_at <= now - length, heard_before))
    found = sa.select(Reversal).where(Reversal.ledger_id == ledger_id, sa.or_(*due))
    rows = session.scalars(found.order_by(Reversal.changed_at).limit(AT_ONCE))
    return [Unheard(row.stripe_id, ReversalKind(row.kind), row.changed_at) for row in rows]


def record_again(
    session: Session, facts: ReversalFacts, unheard: Unheard, ledger_id: int, now: datetime
) -> tuple[str, ...] | None:
    """As record_reversal: what Stripe says so long afterwards is so, unless something was heard of it meanwhile."""
    heard_at = session.scalar(sa.select(Reversal.changed_at).where(*_is(unheard, ledger_id)))
    return recording.record_reversal(session, facts, ledger_id, now, sure=heard_at == unheard.heard_at)


def note_asked(session: Session, ledger_id: int, unheard: Unheard, now: datetime) -> None:
    """Stripe doesn't say what it is: it isn't asked again before its time."""
    session.execute(sa.update(Reversal).where(*_is(unheard, ledger_id)).values(changed_at=now))


def list_flagged(session: Session, ledger_id: int) -> list[Flagged]:
    """Links with a flag of a version before and no badge of this one."""
    # By organisation and status, as the index is.
    paid = sa.select(Link.id).where(
        Link.organisation_id.in_(sa.select(Organisation.id)),
        Link.ledger_id == ledger_id,
        Link.status == LinkStatus.PAID,
        sa.or_(*(sa.and_(flag, *_lacks(codes)) for flag, codes, _ in _FLAGS)),
    )
    return [
        Flagged(link_id, _intents_of(session, link_id))
        for link_id in session.scalars(paid.order_by(Link.id).limit(AT_ONCE)).all()
    ]


def end_flags(session: Session, link_id: int, *, asked: bool) -> None:
    """Let the badges be what is known of its payment's refunds and disputes by now; without ``asked``, since Stripe
    wouldn't say, what the flags say."""
    link = lock_link(session, Link.id == link_id)
    assert link is not None
    payment = session.scalar(
        sa.select(Payment).where(Payment.link_id == link_id, Payment.verdict == Verdict.PAID)
    )
    if asked and payment is not None:
        recording.show_reversals(session, link, payment)
        return
    known = {Badge(code) for code in link.badges.split(",") if code}
    for flag, codes, badge in _FLAGS:
        if getattr(link, flag.key) and not known & {each for each in Badge if each.value in codes}:
            known.add(badge)
    show_badges(link, known, among=recording.OF_A_PAYMENT)


def _intents_of(session: Session, link_id: int) -> tuple[str, ...]:
    found = sa.select(Payment.payment_intent).where(Payment.link_id == link_id).order_by(Payment.id)
    return tuple(intent for intent in session.scalars(found) if intent is not None)


def _lacks(codes: tuple[str, ...]) -> list[sa.ColumnElement[bool]]:
    return [~Link.badges.contains(code, autoescape=True) for code in codes]


def _is(unheard: Unheard, ledger_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (Reversal.ledger_id == ledger_id, Reversal.stripe_id == unheard.stripe_id)
