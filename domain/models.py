"""The tables. What must not happen, the database itself refuses: a second link, a wrong state, a second announcement.

Instants are stored as whole milliseconds since 1970 in UTC, so that both databases order and add them alike.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as milliseconds since 1970 in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // timedelta(milliseconds=1)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + timedelta(milliseconds=value)


def milliseconds(length: timedelta) -> int:
    """A length of time, to be added to a column of Instants in SQL."""
    return length // timedelta(milliseconds=1)


Id = BigInteger().with_variant(Integer, "sqlite")
# Ordered byte by byte on both databases, so that prefixes and keys are ranges of an index.
Bytewise = Text().with_variant(Text(collation="C"), "postgresql")


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Organisation(Base):
    """One Slack workspace."""

    __tablename__ = "organisations"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    team_id: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(Text, default="")
    add_on: Mapped[bool] = mapped_column(default=True)
    channel: Mapped[str | None] = mapped_column(String(255))
    channel_problem: Mapped[str | None] = mapped_column(String(255))
    last_imported_at: Mapped[datetime | None] = mapped_column(Instant)


class Ledger(Base):
    """One Stripe account in one mode; links belong to it.

    ``account`` is None while the key may not read which account it belongs to. The ledger with ``current`` is the
    one whose links the invoices' status and position show.
    """

    __tablename__ = "ledgers"
    __table_args__ = (
        UniqueConstraint("account", "livemode"),
        Index(
            "uq_ledgers_current",
            "current",
            unique=True,
            sqlite_where=text("current"),
            postgresql_where=text("current"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account: Mapped[str | None] = mapped_column(String(255))
    livemode: Mapped[bool]
    current: Mapped[bool] = mapped_column(default=False)
    used_at: Mapped[datetime] = mapped_column(Instant)
    events_watermark: Mapped[datetime | None] = mapped_column(Instant)
    swept_until: Mapped[datetime | None] = mapped_column(Instant)
    last_checked_at: Mapped[datetime | None] = mapped_column(Instant)
    paused_because: Mapped[str | None] = mapped_column(Text)


class Invoice(Base):
    """A billing invoice. ``amount`` is in the currency's smallest unit as Stripe defines it.

    ``status`` and ``position`` are derived (domain/standing.py) and kept because a list over a million invoices
    must walk an index: ``position`` is the place in list order, eligible first, then due date, then number.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("organisation_id", "number_key"),
        Index("ix_invoices_position", "organisation_id", "position"),
        Index("ix_invoices_status_position", "organisation_id", "status", "position"),
        CheckConstraint("status IN ('Not Created', 'Pending Payment', 'Paid')", name="status"),
        CheckConstraint("length(currency) = 3", name="currency"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    number: Mapped[str] = mapped_column(String(60))
    number_key: Mapped[str] = mapped_column(Bytewise)
    buyer_name: Mapped[str] = mapped_column(Text)
    buyer_email: Mapped[str] = mapped_column(Text, default="")
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    issue_date: Mapped[date | None]
    due_date: Mapped[date | None]
    description: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(String(20), default="Not Created")
    position: Mapped[str] = mapped_column(Bytewise)


class SearchTerm(Base):
    """Where a search may begin: the number, and the buyer's name from each of its words on."""

    __tablename__ = "search_terms"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    term: Mapped[str] = mapped_column(Bytewise, primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"), primary_key=True)

    __table_args__ = (Index("ix_search_terms_invoice_id", "invoice_id"), {"sqlite_with_rowid": False})


class Link(Base):
    """An online payment link from its intent on: reserved, then created, or refused by Stripe (and reserved again).

    ``request`` is the exact body that is sent, over and over with ``idempotency_key``, until the outcome is known.
    """

    __tablename__ = "links"
    __table_args__ = (
        UniqueConstraint("invoice_id", "ledger_id"),
        UniqueConstraint("ledger_id", "stripe_id"),
        Index(
            "ix_links_due",
            "ledger_id",
            "next_attempt_at",
            sqlite_where=text("state = 'reserved'"),
            postgresql_where=text("state = 'reserved'"),
        ),
        Index("ix_links_status", "organisation_id", "ledger_id", "status", "changed_at"),
        CheckConstraint("state IN ('reserved', 'created', 'refused')", name="state"),
        CheckConstraint("status IN ('Not Created', 'Pending Payment', 'Paid')", name="status"),
        CheckConstraint(
            "(state = 'created') = (stripe_id IS NOT NULL AND url IS NOT NULL AND created_at IS NOT NULL)",
            name="created",
        ),
        CheckConstraint("(state = 'created') = (status <> 'Not Created')", name="status_of_created"),
        CheckConstraint("(status = 'Paid') = (paid_at IS NOT NULL)", name="paid"),
        CheckConstraint("amount > 0", name="amount"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"))
    ledger_id: Mapped[int] = mapped_column(ForeignKey("ledgers.id"))
    state: Mapped[str] = mapped_column(String(10), default="reserved")
    status: Mapped[str] = mapped_column(String(20), default="Not Created")
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reference: Mapped[str] = mapped_column(String(64), unique=True)
    idempotency_key: Mapped[str] = mapped_column(String(255), unique=True)
    request: Mapped[str] = mapped_column(Text)
    api_version: Mapped[str] = mapped_column(String(64))
    requested_by: Mapped[str | None] = mapped_column(String(255))
    reserved_at: Mapped[datetime] = mapped_column(Instant)
    first_sent_at: Mapped[datetime | None] = mapped_column(Instant)
    last_sent_at: Mapped[datetime | None] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime] = mapped_column(Instant)
    owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    look_first: Mapped[bool] = mapped_column(default=False)
    refusal: Mapped[str | None] = mapped_column(Text)
    stripe_id: Mapped[str | None] = mapped_column(String(255))
    url: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime | None] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    paid_at: Mapped[datetime | None] = mapped_column(Instant)
    amount_received: Mapped[int | None] = mapped_column(BigInteger)
    stripe_payment: Mapped[str | None] = mapped_column(String(255), index=True)
    refunded: Mapped[bool] = mapped_column(default=False)
    disputed: Mapped[bool] = mapped_column(default=False)
    exception: Mapped[bool] = mapped_column(default=False)


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


class BulkRun(Base):
    __tablename__ = "bulk_runs"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    ledger_id: Mapped[int] = mapped_column(ForeignKey("ledgers.id"))
    submission: Mapped[str] = mapped_column(String(255), unique=True)
    requested_by: Mapped[str] = mapped_column(String(255))
    requested_at: Mapped[datetime] = mapped_column(Instant)
    view_id: Mapped[str | None] = mapped_column(String(255))
    finished_at: Mapped[datetime | None] = mapped_column(Instant)


class BulkRunItem(Base):
    __tablename__ = "bulk_run_items"
    __table_args__ = (
        Index(
            "ix_bulk_run_items_open",
            "link_id",
            sqlite_where=text("outcome = 'being_created'"),
            postgresql_where=text("outcome = 'being_created'"),
        ),
        CheckConstraint("outcome IN ('being_created', 'created', 'skipped', 'failed')", name="outcome"),
        CheckConstraint("(outcome = 'skipped') = (reason IS NOT NULL)", name="skipped"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("bulk_runs.id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"))
    link_id: Mapped[int | None] = mapped_column(ForeignKey("links.id"))
    outcome: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(40))
    refusal: Mapped[str | None] = mapped_column(Text)


class Selection(Base):
    """The draft behind one list modal: what it shows, and what is ticked over all pages and filters."""

    __tablename__ = "selections"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[str] = mapped_column(String(255))
    filter: Mapped[str | None] = mapped_column(String(20))
    search: Mapped[str] = mapped_column(Text, default="")
    trail: Mapped[str] = mapped_column(Text, default="")
    """Where each page up to the shown one begins: positions, one a line, none for the first page."""
    revision: Mapped[int] = mapped_column(default=1)
    touched_at: Mapped[datetime] = mapped_column(Instant, index=True)
    last_action: Mapped[str] = mapped_column(String(64), default="")


class SelectionItem(Base):
    """One ticked invoice; the amount is the one on the confirmation that the person saw, once there was one."""

    __tablename__ = "selection_items"

    selection_id: Mapped[int] = mapped_column(
        ForeignKey("selections.id", ondelete="CASCADE"), primary_key=True
    )
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"), primary_key=True)
    amount: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))


class OutboxMessage(Base):
    """A message that Slack must get once: unique on what it is about (``subject``), found again by ``key``."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_open",
            "organisation_id",
            "destination",
            "id",
            sqlite_where=text("state IN ('waiting', 'sending')"),
            postgresql_where=text("state IN ('waiting', 'sending')"),
        ),
        Index("ix_outbox_organisation_state", "organisation_id", "state"),
        CheckConstraint("state IN ('waiting', 'sending', 'posted', 'dead', 'unknown')", name="state"),
        CheckConstraint("(state = 'posted') = (posted_ts IS NOT NULL)", name="posted"),
        CheckConstraint("kind IN ('paid', 'exception', 'bulk_result', 'channel_lost')", name="kind"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    kind: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(255), unique=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    destination: Mapped[str] = mapped_column(String(255), default="")
    """A user id for a direct message; empty for the organisation's notification channel, whichever it is by then."""
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"))
    exception_id: Mapped[int | None] = mapped_column(ForeignKey("payment_exceptions.id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("bulk_runs.id"))
    enqueued_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    may_be_posted: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    attempted_at: Mapped[datetime | None] = mapped_column(Instant)
    last_attempted_at: Mapped[datetime | None] = mapped_column(Instant)
    attempted_channel: Mapped[str | None] = mapped_column(String(255))
    next_attempt_at: Mapped[datetime] = mapped_column(Instant)
    owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    problem: Mapped[str | None] = mapped_column(Text)
    posted_channel: Mapped[str | None] = mapped_column(String(255))
    posted_ts: Mapped[str | None] = mapped_column(String(64))


class Pace(Base):
    """The next free slot of something paced: a Stripe account's requests, a Slack channel's messages."""

    __tablename__ = "paces"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(Instant)


class Duty(Base):
    """Something that one process at a time does now and then: when it was last started and by whom."""

    __tablename__ = "duties"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Instant)
    owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None] = mapped_column(Instant)


class AuditEntry(Base):
    """Who did or tried what: links asked for, ids refused, settings changed."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    actor: Mapped[str] = mapped_column(String(255))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)
