"""Files of invoices that people bring in, for as long as it takes, and what is remembered of their headings."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, deferred, mapped_column

from domain.models.base import Base, Code, Id, Instant
from domain.states import ImportState


class FileImport(Base):
    """A file that somebody brought in, from its preview to the end of its import.

    ``content`` is there until then: what was acknowledged happens, even if the file is deleted in Slack meanwhile, and
    with exactly what was previewed. ``refused`` is there until it was told. ``done`` records have been dealt with.
    """

    __tablename__ = "file_imports"
    __table_args__ = (
        Index("ix_file_imports_state_brought_at", "state", "brought_at"),
        Index("ix_file_imports_organisation_id_user_id_id", "organisation_id", "user_id", "id"),
        CheckConstraint("state IN ('previewed', 'confirmed', 'finished', 'failed')", name="state"),
        CheckConstraint("state != 'confirmed' OR content IS NOT NULL", name="content"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(Text)
    content: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the content."""
    reading: Mapped[str] = mapped_column(Text)
    """How it is read, as JSON."""
    state: Mapped[ImportState] = mapped_column(Code(ImportState, 10))
    brought_at: Mapped[datetime] = mapped_column(Instant)
    batch: Mapped[str] = mapped_column(String(64))
    """Names the import where its exceptions are told together."""
    previewed: Mapped[str] = mapped_column(Text)
    """What the preview counted, as JSON."""
    view_id: Mapped[str | None] = mapped_column(String(255))
    """Of the view that shows its progress."""
    done: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    bad: Mapped[int] = mapped_column(default=0)
    left_out: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    refused: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    """The file of the rows that weren't taken."""


class KnownHeading(Base):
    """How an organisation reads files with a heading that no layout knows, as somebody said it."""

    __tablename__ = "known_headings"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    heading: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the names in it."""
    reading: Mapped[str] = mapped_column(Text)
    said_by: Mapped[str] = mapped_column(String(255))
    said_at: Mapped[datetime] = mapped_column(Instant)
