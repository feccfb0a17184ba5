"""What several processes share: pace and duties."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from domain.models.base import Base, Instant


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
