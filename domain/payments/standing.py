"""How Paylink stands with the Stripe account in use, as far as the database tells: for doctor."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Ledger, Organisation, StripeEvent
from domain.payments import events
from domain.payments.many import unused
from domain.payments.permissions import Thing, thing_of
from domain.payments.waits import Wait
from domain.states import PauseReason

# An endpoint that is mended is forgotten soon.
UNUSED_TOLD = timedelta(days=7)


@dataclass(frozen=True)
class Standing:
    used_by: str
    """The organisations whose account it is, by their names or Slack's ids."""
    account: str | None
    """Stripe's id; None while the key may not read it."""
    livemode: bool
    last_checked_at: datetime | None
    pause_reason: PauseReason | None
    asked_often: bool
    """Whether Stripe is to be asked at each interval, and not hourly."""
    any_link: bool
    waiting: dict[str, int]
    """Events that tell of what Stripe doesn't show yet, by what they wait for."""
    forbidden: tuple[Thing, ...]
    """What the key may not read although events tell of it."""
    unused: tuple[str, ...]
    """Types of events that Stripe delivers in vain."""


def list_standings(session: Session, now: datetime) -> list[Standing]:
    """Of each account in use."""
    current = sa.select(Ledger).where(Ledger.id.in_(sa.select(Organisation.ledger_id))).order_by(Ledger.id)
    return [_standing(session, ledger, now) for ledger in session.scalars(current)]


def count_deliveries(session: Session, organisation_id: int) -> tuple[int, int]:
    """Of the events of late that are kept of its account: how many the webhook brought, and how many only a poll."""
    how = sa.select(StripeEvent.delivered, sa.func.count()).join(
        Organisation, Organisation.ledger_id == StripeEvent.ledger_id
    )
    own = how.where(Organisation.id == organisation_id, StripeEvent.delivered.is_not(None))
    counted: dict[bool | None, int] = {
        row[0]: row[1] for row in session.execute(own.group_by(StripeEvent.delivered))
    }
    return counted.get(True, 0), counted.get(False, 0)


def _standing(session: Session, ledger: Ledger, now: datetime) -> Standing:
    _, _, often, any_link = events.watch_from(session, ledger.id)
    named = sa.select(Organisation.name, Organisation.team_id).where(Organisation.ledger_id == ledger.id)
    used_by = [name or team_id for name, team_id in session.execute(named.order_by(Organisation.id))]
    return Standing(
        ", ".join(used_by),
        ledger.account,
        ledger.livemode,
        ledger.last_checked_at,
        ledger.pause_reason,
        often,
        any_link,
        events.count_waiting(session, ledger.id),
        _forbidden(session, ledger.id),
        tuple(unused.list_unused(session, ledger.id, now - UNUSED_TOLD)),
    )


def _forbidden(session: Session, ledger_id: int) -> tuple[Thing, ...]:
    found = {thing_of(each) for each in events.list_held(session, ledger_id, Wait.FORBIDDEN.value)}
    return tuple(thing for thing in Thing if thing in found)
