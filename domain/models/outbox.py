"""Messages that Slack must get once."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, Text, false, literal, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.models.base import Base, Code, Id, Instant
from domain.states import OPEN, AnnouncementKind, FollowUp, MessageState


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
        CheckConstraint(
            "kind IN ('paid', 'exception', 'bulk_result', 'channel_lost', 'follow_up', 'amounts_changed', "
            "'import_result')",
            name="kind",
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    kind: Mapped[AnnouncementKind] = mapped_column(Code(AnnouncementKind, 20))
    subject: Mapped[str] = mapped_column(String(255), unique=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    destination: Mapped[str] = mapped_column(String(255), default="")
    """A user id for a direct message, the id of a channel for one that is told there; empty for the organisation's notification
    channel, whichever it is by then."""
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments.id"))
    exception_id: Mapped[int | None] = mapped_column(ForeignKey("payment_exceptions.id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("bulk_runs.id"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("file_imports.id"))
    enqueued_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[MessageState] = mapped_column(Code(MessageState, 10), default=MessageState.WAITING)
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
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"))
    """The message in whose thread it stands."""
    broadcast: Mapped[bool] = mapped_column(server_default=false())
    """Whether it stands in the channel too, and not in the thread alone."""
    says: Mapped[FollowUp | None] = mapped_column(Code(FollowUp, 20))
    """What a follow-up says."""
    stands_aside: Mapped[bool] = mapped_column(server_default=false())
    """Slack refuses it time and again, with a code that says neither that the channel is at fault nor the message: while
    it waits for its next attempt, what is behind it may be posted."""
    told_by_id: Mapped[int | None] = mapped_column(Id)
    """The message that tells this one besides its own (domain/messages/together.py), until that is settled."""
    told_in_attempt: Mapped[int | None] = mapped_column()
    """In which of that one's attempts."""
    batch: Mapped[str | None] = mapped_column(String(64))
    """Whose exceptions it tells together: those of one import."""


def is_open(message: type[OutboxMessage]) -> ColumnElement[bool]:
    """Said in the statement itself: SQLite uses the index of open messages for no value that it is only given (decision 0011)."""
    states = [literal(state, OutboxMessage.__table__.c.state.type, literal_execute=True) for state in OPEN]
    return message.state.in_(states)


IS_OPEN = is_open(OutboxMessage)
