"""Programs that work with an organisation's invoices: their tokens, and the feed of what happened."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.models.base import Base, Code, Id, Instant
from domain.states import FeedKind


class ApiToken(Base):
    """What a program shows to be let in: found by its ``selector``, proved by its secret, of which a hash is kept.

    ``rights`` are codes of Right with commas between them. A name is never given twice, so that the audit stays clear.
    """

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("organisation_id", "name"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(String(60))
    selector: Mapped[str] = mapped_column(String(16), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    rights: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    """To within some minutes."""


class FeedEvent(Base):
    """Something that happened, written in the transaction of the fact; ``subject`` names the fact, and is kept once.

    ``position`` is given afterwards, to what is committed (domain/feed/reading.py): ids of PostgreSQL's become visible in
    another order than they are given in. ``facts`` is a JSON object.
    """

    __tablename__ = "feed_events"
    __table_args__ = (
        UniqueConstraint("organisation_id", "subject"),
        UniqueConstraint("organisation_id", "position"),
        Index(
            "ix_feed_events_waiting",
            "organisation_id",
            "id",
            sqlite_where=text("position IS NULL"),
            postgresql_where=text("position IS NULL"),
        ),
        Index("ix_feed_events_at", "at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    ledger_id: Mapped[int] = mapped_column(ForeignKey("ledgers.id"))
    subject: Mapped[str] = mapped_column(String(255))
    kind: Mapped[FeedKind] = mapped_column(Code(FeedKind, 20))
    at: Mapped[datetime] = mapped_column(Instant)
    """When it was written down, by the database's clock."""
    invoice_number: Mapped[str | None] = mapped_column(String(255))
    facts: Mapped[str] = mapped_column(Text)
    position: Mapped[int | None] = mapped_column(Id)


class FeedHead(Base):
    """How far an organisation's feed is numbered, and how much of its beginning isn't kept any more."""

    __tablename__ = "feed_heads"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    numbered: Mapped[int] = mapped_column(Id, default=0)
    deleted: Mapped[int] = mapped_column(Id, default=0)
