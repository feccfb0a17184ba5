"""What the database tells doctor of the Stripe account in use: what waits for Stripe, and what Stripe sends in vain."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.cli.doctor.findings import Finding, Level
from bot.cli.doctor.stripe import PERMISSION_OF
from domain.payments.account_watch import HOURLY
from domain.payments.permissions import Thing
from domain.payments.standing import Standing
from domain.payments.waits import Wait
from domain.states import PauseReason

MOST_TYPES = 10
# So many intervals without a check, and it is late.
LATE_AFTER = 3
_WHY = {
    PauseReason.STRIPE_AWAY: "Stripe couldn't be reached.",
    PauseReason.KEY_REFUSED: "Stripe refuses the key.",
    PauseReason.PERMISSION_LACKING: "The key lacks a permission.",
}
_NAMES = {
    Thing.EVENTS: "events",
    Thing.SESSIONS: "payments",
    Thing.REFUNDS: "refunds",
    Thing.DISPUTES: "disputes",
    Thing.LINKS: "links",
}
_SERVE = "See that `paylink serve` runs."


def examine_standing(standing: Standing, now: datetime, poll_every: timedelta) -> Iterator[Finding]:
    if standing.any_link:
        yield _examine_last_check(standing, now, poll_every)
    if standing.forbidden:
        yield _examine_forbidden(standing)
    unseen = {what: count for what, count in standing.waiting.items() if what != Wait.FORBIDDEN}
    if waiting := sum(unseen.values()):
        told = ", ".join(f"{count} {what}" for what, count in sorted(unseen.items()))
        yield Finding(
            Level.NOTE,
            f"Stripe: it doesn't show yet what {waiting} of its events tell ({told}).",
            "They are asked for again, ever more seldom, for 30 days: look at them under Developers, Events in the Stripe "
            "Dashboard.",
        )
    if standing.unused:
        told = ", ".join(standing.unused[:MOST_TYPES])
        more = len(standing.unused) - MOST_TYPES
        yield Finding(
            Level.NOTE,
            f"Webhook: Stripe sends events that Paylink has no use for: {told}{f' and {more} more' if more > 0 else ''}.",
            "Choose the event types of the guide (docs/how-to/connect-stripe.md) for the destination; a thin event is "
            "taken if its type is one of them with v1. before it.",
        )


def _examine_forbidden(standing: Standing) -> Finding:
    names = ", ".join(_NAMES[thing] for thing in standing.forbidden)
    permissions = ", ".join(dict.fromkeys(PERMISSION_OF[thing] for thing in standing.forbidden))
    waiting = standing.waiting.get(Wait.FORBIDDEN, 0)
    tell = "one of its events tells" if waiting == 1 else f"{waiting} of its events tell"
    return Finding(
        Level.WRONG,
        f"Stripe: the key may not read what {tell} of: {names}.",
        f"Give the restricted key what it lacks ({permissions}) under Developers, API keys in the Stripe Dashboard. Paylink "
        "asks again within an hour, and at once when it starts.",
    )


def _examine_last_check(standing: Standing, now: datetime, poll_every: timedelta) -> Finding:
    every = poll_every if standing.asked_often else max(HOURLY, poll_every)
    checked = standing.last_checked_at
    told = "never" if checked is None else f"{checked:%Y-%m-%d %H:%M} UTC"
    if checked is not None and now - checked <= LATE_AFTER * every:
        return Finding(Level.WELL, f"Stripe: last checked {told}.")
    why = _WHY[standing.pause_reason] if standing.pause_reason is not None else _SERVE
    return Finding(
        Level.NOTE,
        f"Stripe: last checked {told}; that is late, it should be every {every.total_seconds():g} seconds.",
        why,
    )
