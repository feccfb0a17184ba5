"""What Stripe told: events, payments, and what people must look at."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.models.base import Base, Id, Instant


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
    verdict: Mapped[str] = mapped_column(String(20))
    paid_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)


class PaymentException(Base):
    """Something about a link that people must look at; ``key`` names the fact, so that it is kept once."""

    __tablename__ = "payment_exceptions"
    __table_args__ = (UniqueConstraint("ledger_id", "key"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    link_id: Mapped[int] = mapped_column(ForeignKey("links.id"), index=True)
    ledger_id: Mapped[int] = mapped_column(ForeignKey("ledgers.id"))
    key: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(20))
    stripe_object: Mapped[str] = mapped_column(String(255))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    seen_at: Mapped[datetime] = mapped_column(Instant)


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
