"""Opening exceptions: what doesn't fit is written down once for each fact, and told."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import insert_into
from domain.exceptions.facts import write_facts
from domain.exceptions.happened import note_opened
from domain.models import Invoice, Link, OutboxMessage, PaymentException
from domain.money import Money
from domain.outbox import telling
from domain.states import AnnouncementKind, ExceptionKind
from domain.summaries import ExceptionFacts

# They have badges of their own beside the status.
WITH_BADGE = frozenset({ExceptionKind.REFUNDED, ExceptionKind.DISPUTED, ExceptionKind.DISPUTE_LOST})
# With the batch's name behind it, what the message about all of the batch is about.
BATCH_SUBJECT = "amounts_changed:"


@dataclass(frozen=True)
class Opening:
    """An exception to be opened. ``key`` names the fact that it tells: each is written down once, ever, in a ledger.

    With ``link`` the organisation and the invoice are the link's; without one ``organisation_id`` is needed, and
    ``invoice`` and ``number`` (as it was told) are given as far as they are known.
    """

    kind: ExceptionKind
    key: str
    ledger_id: int
    amount: Money | None
    link: Link | None = None
    organisation_id: int | None = None
    invoice: Invoice | None = None
    number: str | None = None
    payment_id: int | None = None
    reversal_id: int | None = None
    stripe_object: str = ""
    facts: ExceptionFacts = field(default_factory=ExceptionFacts)
    due_by: datetime | None = None
    batch: str | None = None
    """Of what is told together later, in one message; it isn't told by itself."""
    seen_at: datetime | None = None
    """Since when, if not since now."""


def open_once(
    session: Session,
    opening: Opening,
    now: datetime,
    *,
    tell: bool = True,
    follows: int | None = None,
    broadcast: bool = False,
) -> int | None:
    """Write the exception down and tell of it; its id, or None if its key is known.

    ``follows``: an exception in the thread of whose message it is told, and with ``broadcast`` in the channel too.
    The caller has locked the link, if there is one.
    """
    exception_id = session.execute(
        insert_into(session, PaymentException)
        .values(_values(session, opening, now))
        .on_conflict_do_nothing(index_elements=["ledger_id", "key"])
        .returning(PaymentException.id)
    ).scalar_one_or_none()
    if exception_id is None:
        return None
    if opening.link is not None and opening.kind not in WITH_BADGE:
        opening.link.exception = True
    exception = session.get_one(PaymentException, exception_id)
    note_opened(session, exception, now)
    if tell and opening.batch is None:
        assert exception.organisation_id is not None
        telling.tell(
            session,
            AnnouncementKind.EXCEPTION,
            f"exception:{exception_id}",
            organisation_id=exception.organisation_id,
            now=now,
            exception_id=exception_id,
            follows_id=None if follows is None else find_message(session, follows),
            broadcast=broadcast,
        )
    return exception_id


def open_state(session: Session, opening: Opening, now: datetime, *, tell: bool = True) -> int | None:
    """As open_once, for what is so or isn't: while one is open with this ``key`` only its facts are brought up to date.

    When it has ended it may open again: the key is numbered. None if it was open.
    """
    kept = [row for row in list_states(session, opening) if row.key.startswith(f"{opening.key}:")]
    for row in kept:
        if row.resolved_at is None:
            update_facts(row, opening)
            return None
    numbered = f"{opening.key}:{len(kept) + 1}"
    return open_once(session, replace(opening, key=numbered), now, tell=tell)


def list_states(session: Session, opening: Opening) -> Sequence[PaymentException]:
    """All exceptions of this kind, open or not, that the link has; or, without one, those in the organisation's ledger."""
    of_kind = sa.select(PaymentException).where(PaymentException.kind == opening.kind)
    if opening.link is not None:
        return session.scalars(of_kind.where(PaymentException.link_id == opening.link.id)).all()
    return session.scalars(
        of_kind.where(
            PaymentException.ledger_id == opening.ledger_id,
            PaymentException.key.startswith(f"{opening.key}:", autoescape=True),
        )
    ).all()


def update_facts(exception: PaymentException, opening: Opening) -> None:
    """Let an open exception say what is so now."""
    exception.facts = write_facts(opening.facts)
    exception.due_by = opening.due_by
    if opening.amount is not None:
        exception.amount, exception.currency = opening.amount.amount, opening.amount.currency


def find_message(session: Session, exception_id: int) -> int | None:
    """The message that told of the exception, alone or together with others; None if none did."""
    exception = session.get_one(PaymentException, exception_id)
    told = sa.select(OutboxMessage.id).where(OutboxMessage.subject == subject_of(exception))
    return session.scalar(told)


def subject_of(exception: PaymentException) -> str:
    """What the message that tells of it is about: see OutboxMessage."""
    return f"exception:{exception.id}" if exception.batch is None else f"{BATCH_SUBJECT}{exception.batch}"


def _values(session: Session, opening: Opening, now: datetime) -> dict[str, object]:
    link, invoice = opening.link, opening.invoice
    if invoice is None and link is not None:
        invoice = session.get_one(Invoice, link.invoice_id)
    return {
        "kind": opening.kind,
        "key": opening.key,
        "ledger_id": opening.ledger_id,
        "organisation_id": opening.organisation_id if link is None else link.organisation_id,
        "link_id": None if link is None else link.id,
        "invoice_id": None if invoice is None else invoice.id,
        "invoice_number": opening.number if invoice is None else invoice.number,
        "payment_id": opening.payment_id,
        "reversal_id": opening.reversal_id,
        "stripe_object": opening.stripe_object,
        "amount": 0 if opening.amount is None else opening.amount.amount,
        "currency": "" if opening.amount is None else opening.amount.currency,
        "facts": write_facts(opening.facts),
        "due_by": opening.due_by,
        "batch": opening.batch,
        "seen_at": opening.seen_at or now,
    }
