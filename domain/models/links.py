"""Online payment links, the Stripe account that they belong to, and the bulk runs that asked for them."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from domain.models.base import STATUS, Base, Code, Id, Instant
from domain.reasons import Reason
from domain.states import LinkState, LinkStatus, Outcome, PauseReason


class Ledger(Base):
    """One Stripe account in one mode; links belong to it.

    ``account`` is None while no key could read which account it is. Organisations with the same
    account share its ledger. ``current`` is for versions before schema 0008: it marks one that is taken up.
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
    """When a pass over Stripe's events or sessions ended, by our own clock."""
    paused_because: Mapped[str | None] = mapped_column(Text)
    """The same as a sentence, for versions before 0007 alone: neither read nor written any more."""
    pause_reason: Mapped[PauseReason | None] = mapped_column(Code(PauseReason, 40))
    pause_permission: Mapped[str | None] = mapped_column(String(255))
    key_digest: Mapped[str | None] = mapped_column(String(64))
    """Of the key last used: the same key is the same account's."""
    polled_until: Mapped[datetime | None] = mapped_column(Instant)
    """When the last whole pass over the events began, by Stripe's clock: what happened since isn't known."""


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
        Index(
            "ix_links_url",
            "organisation_id",
            "ledger_id",
            "url",
            sqlite_where=text("url IS NOT NULL"),
            postgresql_where=text("url IS NOT NULL"),
        ),
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
    state: Mapped[LinkState] = mapped_column(Code(LinkState, 10), default=LinkState.RESERVED)
    status: Mapped[LinkStatus] = mapped_column(STATUS, default=LinkStatus.NOT_CREATED)
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
    refusal_code: Mapped[str | None] = mapped_column(String(100))
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
    badges: Mapped[str] = mapped_column(Text, server_default="")
    """What stands beside the status: codes of Badge, with commas between them."""
    active: Mapped[bool] = mapped_column(server_default=true())
    """Whether Stripe lets it be paid, as far as it told."""
    rechecked_at: Mapped[datetime | None] = mapped_column(Instant)


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
    outcome: Mapped[Outcome] = mapped_column(Code(Outcome, 20))
    reason: Mapped[Reason | None] = mapped_column(Code(Reason, 40))
    refusal: Mapped[str | None] = mapped_column(Text)
