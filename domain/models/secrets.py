"""An organisation's secrets, sealed (domain/secrets/box.py), with what may be shown of them.

What is erased keeps its row without the secrets, so that every process notices.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from domain.models.base import Base, Id, Instant


class Installation(Base):
    """The app in one Slack workspace: whose bot it is there, and its tokens."""

    __tablename__ = "installations"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    enterprise_id: Mapped[str | None] = mapped_column(String(255))
    for_enterprise: Mapped[bool]
    """Installed for all workspaces of an Enterprise Grid organisation, which share one token."""
    bot_id: Mapped[str] = mapped_column(String(255))
    bot_user_id: Mapped[str] = mapped_column(String(255))
    scopes: Mapped[str] = mapped_column(Text)
    """With commas between them."""
    installed_by: Mapped[str] = mapped_column(String(255))
    sealed_bot_token: Mapped[str | None] = mapped_column(Text)
    sealed_refresh_token: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the bot token ends; None for one that doesn't."""
    installed_at: Mapped[datetime] = mapped_column(Instant)
    erased_at: Mapped[datetime | None] = mapped_column(Instant)
    refresh_owner: Mapped[str | None] = mapped_column(String(64))
    """Which process is renewing the token: a refresh token works once."""
    refresh_until: Mapped[datetime | None] = mapped_column(Instant)
    generation: Mapped[int] = mapped_column(Id, index=True)
    """The SecretGeneration of its last change."""


class StripeKey(Base):
    """The Stripe key that an organisation connected, and what its webhooks are signed with."""

    __tablename__ = "stripe_keys"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    sealed_key: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(16))
    """What it begins with: rk_live, rk_test, sk_live or sk_test."""
    last_four: Mapped[str] = mapped_column(String(4))
    livemode: Mapped[bool]
    account: Mapped[str | None] = mapped_column(String(255))
    sealed_signing_secrets: Mapped[str | None] = mapped_column(Text)
    """What a person gave: one, or several with commas between them."""
    endpoint_id: Mapped[str | None] = mapped_column(String(255))
    """The webhook endpoint that Paylink made."""
    sealed_endpoint_secret: Mapped[str | None] = mapped_column(Text)
    set_by: Mapped[str] = mapped_column(String(255))
    set_at: Mapped[datetime] = mapped_column(Instant)
    erased_at: Mapped[datetime | None] = mapped_column(Instant)
    generation: Mapped[int] = mapped_column(Id, index=True)
    """The SecretGeneration of its last change."""


class SecretGeneration(Base):
    """Counts the changes of a table of secrets. Whoever changes one holds the row until the change is committed, so that a process
    that has read it has missed nothing before it."""

    __tablename__ = "secret_generations"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(Id)
