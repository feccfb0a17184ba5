"""How exceptions end: a person resolves one with a reason, or Stripe settles it. Who was first is kept."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.errors import AlreadyResolved, ExceptionNotFound, ReasonUnusable
from domain.exceptions.facts import read_facts, write_facts
from domain.exceptions.happened import note_resolved
from domain.exceptions.opening import WITH_BADGE, find_message
from domain.invoices.locking import lock_invoice, lock_link
from domain.models import Link, PaymentException
from domain.outbox import telling
from domain.states import AnnouncementKind, ExceptionKind, FollowUp, Settlement
from domain.summaries import STRIPE

REASON_MOST = 500
"""Characters of a reason."""


def read_reason(text: str) -> str:
    """A reason as it is kept. Raises ReasonUnusable for a blank or a longer one, and for what no database takes."""
    reason = text.strip()
    if not reason or len(reason) > REASON_MOST or "\0" in reason:
        raise ReasonUnusable
    return reason


def resolve(
    session: Session, organisation_id: int | None, exception_id: int, reason: str, *, by: str, now: datetime
) -> None:
    """End the exception in a person's name (a Slack id), or the operator's. It is told in the message's thread.

    ``organisation_id``: whose exceptions they may resolve; None for the operator, who may resolve anybody's. The same
    person with the same reason again changes nothing. Raises ExceptionNotFound, AlreadyResolved, ReasonUnusable.
    """
    exception = _lock(session, exception_id)
    if exception is None or exception.organisation_id is None:
        raise ExceptionNotFound(f"exception {exception_id}")
    if organisation_id is not None and exception.organisation_id != organisation_id:
        raise ExceptionNotFound(f"exception {exception_id}")
    reason = read_reason(reason)
    if exception.resolved_at is not None:
        if (exception.resolved_by, exception.resolution) == (by, reason):
            return
        raise AlreadyResolved(exception_id)
    _end(session, exception, reason, by=by, now=now, broadcast=False)


def settle(
    session: Session,
    exception_id: int,
    settlement: Settlement,
    now: datetime,
    *,
    by: str = STRIPE,
    broadcast: bool = False,
    tell: bool = True,
) -> bool:
    """End the exception because it has ended by itself; False if it had ended already.

    It is told in the message's thread, with ``broadcast`` in the channel too; without ``tell`` it isn't.
    """
    exception = _lock(session, exception_id)
    if exception is None or exception.resolved_at is not None:
        return False
    _end(session, exception, settlement.value, by=by, now=now, broadcast=broadcast, tell=tell)
    return True


def settle_all(
    session: Session,
    kinds: Iterable[ExceptionKind],
    settlement: Settlement,
    now: datetime,
    *,
    link_id: int | None = None,
    payment_id: int | None = None,
    reversal_id: int | None = None,
    by: str = STRIPE,
    broadcast: bool = False,
    tell: bool = True,
) -> int:
    """Settle all open exceptions of these kinds about the link, the payment, or the refund or dispute; how many."""
    about = {"link_id": link_id, "payment_id": payment_id, "reversal_id": reversal_id}
    about = {name: value for name, value in about.items() if value is not None}
    assert about
    found = sa.select(PaymentException.id).filter_by(resolved_at=None, **about)
    ids = session.scalars(
        found.where(PaymentException.kind.in_(list(kinds))).order_by(PaymentException.id)
    ).all()
    return sum(settle(session, key, settlement, now, by=by, broadcast=broadcast, tell=tell) for key in ids)


def end(session: Session, exception_id: int, settlement: Settlement, now: datetime, *, of: str) -> None:
    """Settle the exception, and tell how it ended, in the channel too: also of one that a person had resolved.

    ``of``: Stripe's id of the refund or dispute by which it ended, so that each is told once.
    """
    if settle(session, exception_id, settlement, now, broadcast=True):
        return
    exception = session.get_one(PaymentException, exception_id)
    message_id = find_message(session, exception_id)
    if message_id is None or exception.organisation_id is None:
        return
    exception.facts = write_facts(replace(read_facts(exception.facts), ended=settlement.value))
    telling.tell(
        session,
        AnnouncementKind.FOLLOW_UP,
        f"ended:{exception_id}:{settlement.value}:{of}",
        organisation_id=exception.organisation_id,
        now=now,
        exception_id=exception_id,
        follows_id=message_id,
        broadcast=True,
        says=FollowUp.ENDED,
    )


def _lock(session: Session, exception_id: int) -> PaymentException | None:
    """The exception, after what it is about."""
    about = sa.select(PaymentException.link_id, PaymentException.invoice_id)
    for link_id, invoice_id in session.execute(about.where(PaymentException.id == exception_id)):
        if link_id is not None:
            lock_link(session, Link.id == link_id)
        elif invoice_id is not None:
            lock_invoice(session, invoice_id)
    found = sa.select(PaymentException).where(PaymentException.id == exception_id).with_for_update()
    return session.scalar(found.execution_options(populate_existing=True))


def _end(
    session: Session,
    exception: PaymentException,
    resolution: str,
    *,
    by: str,
    now: datetime,
    broadcast: bool,
    tell: bool = True,
) -> None:
    exception.resolved_at, exception.resolved_by, exception.resolution = now, by, resolution
    session.flush()
    note_resolved(session, exception, now)
    if exception.link_id is not None:
        plain_again(session, exception.link_id)
    message_id = find_message(session, exception.id) if tell else None
    if message_id is None or exception.organisation_id is None:
        return
    telling.tell(
        session,
        AnnouncementKind.FOLLOW_UP,
        f"resolved:{exception.id}",
        organisation_id=exception.organisation_id,
        now=now,
        exception_id=exception.id,
        follows_id=message_id,
        broadcast=broadcast,
        says=FollowUp.RESOLVED,
    )


def plain_again(session: Session, link_id: int) -> None:
    """Take the word Exception off the link if nothing is open any more. The caller has locked the link."""
    still = sa.select(PaymentException.id).where(
        PaymentException.link_id == link_id,
        PaymentException.resolved_at.is_(None),
        PaymentException.kind.not_in(list(WITH_BADGE)),
    )
    if not session.scalar(sa.select(still.exists())):
        session.execute(sa.update(Link).where(Link.id == link_id).values(exception=False))
