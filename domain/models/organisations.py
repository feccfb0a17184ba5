"""Organisations, and what was told whom in them."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from domain.models.base import Base, Code, Id, Instant
from domain.states import Creators


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
    tried_at: Mapped[datetime | None] = mapped_column(Instant)
    """When somebody first used /invoice; long ago for organisations that are older than the question."""
    ledger_id: Mapped[int | None] = mapped_column(Id, deferred=True)
    """The current ledger: the one whose links the invoices' status and position show. None before the first start."""


class OrganisationSettings(Base):
    """What an organisation's administrators have set. There is no row where nobody has; ids stand with commas between."""

    __tablename__ = "organisation_settings"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    creators: Mapped[Creators] = mapped_column(Code(Creators, 10), server_default=Creators.EVERYONE)
    chosen_people: Mapped[str] = mapped_column(Text, server_default="")
    user_group: Mapped[str | None] = mapped_column(String(255))
    administrators: Mapped[str] = mapped_column(Text, server_default="")
    told_of_exceptions: Mapped[str] = mapped_column(Text, server_default="")
    """People, or one channel; empty for the notification channel."""
    language: Mapped[str] = mapped_column(String(20), server_default="en")
    zone: Mapped[str] = mapped_column(String(64), server_default="UTC")
    """A name of the IANA's."""


class Welcome(Base):
    """Somebody was told what Paylink is, or is being told: once, whoever sees them first."""

    __tablename__ = "welcomes"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)


class OpenHome(Base):
    """Somebody's Home that is looked after until ``until``, by the database's clock, and not published before ``not_before``.

    ``shown`` is what it shows, digested.
    """

    __tablename__ = "open_homes"

    organisation_id: Mapped[int] = mapped_column(
        # A version that doesn't know the table erases organisations, too.
        ForeignKey("organisations.id", ondelete="CASCADE"),
        primary_key=True,
    )
    user_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    shown: Mapped[str] = mapped_column(String(64))
    not_before: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column(Instant, index=True)


class HeardEvent(Base):
    """An event of Slack's that was answered: it may come again."""

    __tablename__ = "heard_events"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)


class InstallState(Base):
    """Somebody set out to install the app: their browser may come back with it, once. Both are digests."""

    __tablename__ = "install_states"

    state: Mapped[str] = mapped_column(String(64), primary_key=True)
    browser: Mapped[str] = mapped_column(String(64))
    issued_at: Mapped[datetime] = mapped_column(Instant, index=True)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
