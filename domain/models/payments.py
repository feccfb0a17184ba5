"""What Stripe told: events, payments, and what people must look at."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.models.base import Base, Code, Id, Instant
from domain.states import ExceptionKind, Verdict


class Payment(Base):
    """What one completed Checkout Session of one of our links said. At most one a link is the payment."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("ledger_id", "session_id"),
        Index(
            "uq_payments_paid",
            "link_id",
            unique=True,
            sqlite_where=text("verdict = 'paid'"),
            postgresql_where=text("verdict = 'paid'"),
        ),
        Index("ix_payments_payment_intent", "ledger_id", "payment_intent"),
        CheckConstraint(
            "verdict IN ('paid', 'second_payment', 'amount_differs', 'currency_differs', 'completed_unpaid')",
            name="verdict",
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    link_id: Mapped[int] = mapped_column(ForeignKey("links.id"))
    ledger_id: Mapped[int] = mapped_column(ForeignKey("ledgers.id"))
    session_id: Mapped[str] = mapped_column(String(255))
    payment_intent: Mapped[str | None] = mapped_column(String(255))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    verdict: Mapped[Verdict] = mapped_column(Code(Verdict, 20))
    paid_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)


class Reversal(Base):
    """A refund or a dispute of a payment, as Stripe last told of it: ``status`` is Stripe's own word.

    ``amount`` is in the currency's smallest unit; ``created_at`` is Stripe's. A dispute has ``due_by`` while an answer
    is due, and is ``submitted`` once evidence is.
    """

    __tablename__ = "reversals"
    __table_args__ = (
        UniqueConstraint("ledger_id", "stripe_id"),
        CheckConstraint("kind IN ('refund', 'dispute')", name="kind"),
        CheckConstraint("amount >= 0", name="amount"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ledger_id: Mapped[int] = mapped_column(ForeignKey("ledgers.id"))
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"), index=True)
    stripe_id: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(40))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str | None] = mapped_column(Text)
    due_by: Mapped[datetime | None] = mapped_column(Instant)
    submitted: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)


class PaymentException(Base):
    """Something that people must look at, from ``seen_at`` until it is resolved; ``key`` names the fact, and is kept once.

    Of a payment or link that Paylink doesn't know there is no ``link_id``, and of an invoice no more than the
    ``invoice_number`` that was told, if any. ``facts`` is a JSON object of codes and amounts that words are made from.
    Those of one import share a ``batch`` and are told in one message. The version before writes none of what follows
    ``seen_at``.
    """

    __tablename__ = "payment_exceptions"
    __table_args__ = (
        UniqueConstraint("ledger_id", "key"),
        Index(
            "ix_payment_exceptions_open",
            "organisation_id",
            "due_by",
            "seen_at",
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
        CheckConstraint("(resolved_at IS NULL) = (resolved_by IS NULL)", name="resolved"),
        CheckConstraint("length(resolution) <= 500", name="resolution"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    link_id: Mapped[int | None] = mapped_column(ForeignKey("links.id"), index=True)
    ledger_id: Mapped[int] = mapped_column(ForeignKey("ledgers.id"))
    key: Mapped[str] = mapped_column(String(255))
    kind: Mapped[ExceptionKind] = mapped_column(Code(ExceptionKind, 20, otherwise=ExceptionKind.OTHER))
    stripe_object: Mapped[str] = mapped_column(String(255))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    seen_at: Mapped[datetime] = mapped_column(Instant)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    invoice_id: Mapped[int | None] = mapped_column(ForeignKey("invoices.id"), index=True)
    invoice_number: Mapped[str | None] = mapped_column(String(255))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"), index=True)
    reversal_id: Mapped[int | None] = mapped_column(ForeignKey("reversals.id"), index=True)
    facts: Mapped[str] = mapped_column(Text, server_default="{}")
    batch: Mapped[str | None] = mapped_column(String(64), index=True)
    due_by: Mapped[datetime | None] = mapped_column(Instant)
    resolved_at: Mapped[datetime | None] = mapped_column(Instant)
    resolved_by: Mapped[str | None] = mapped_column(String(255))
    """A person's Slack id, or who else it was."""
    resolution: Mapped[str | None] = mapped_column(Text)
    """The reason: in a person's words, or as a code where nobody wrote it."""


class StripeEvent(Base):
    """An event of Stripe's that concerns us, from its receipt (webhook or poll) until it was settled."""

    __tablename__ = "stripe_events"
    __table_args__ = (
        Index(
            "ix_stripe_events_due",
            "ledger_id",
            "next_attempt_at",
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index("ix_stripe_events_settled_at", "settled_at"),
    )

    ledger_id: Mapped[int] = mapped_column(ForeignKey("ledgers.id"), primary_key=True)
    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    type: Mapped[str] = mapped_column(String(64))
    object_id: Mapped[str] = mapped_column(String(255))
    payment_intent: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(Instant)
    owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    waits_for: Mapped[str | None] = mapped_column(String(20))
    """What Stripe doesn't show yet although it told of it: a code of domain.payments.waits.Wait."""
    status: Mapped[str | None] = mapped_column(String(40))
    """Of the refund or dispute, as the event tells it; None if it doesn't."""
    delivered: Mapped[bool | None] = mapped_column()
    """By the webhook, before a poll found it; None of what a version before 0031 kept."""


class UnusedEvent(Base):
    """A type of event that Stripe delivers to the webhook although Paylink has no use for it, as Stripe names it."""

    __tablename__ = "unused_events"

    ledger_id: Mapped[int] = mapped_column(ForeignKey("ledgers.id"), primary_key=True)
    type: Mapped[str] = mapped_column(String(100), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(Instant)
