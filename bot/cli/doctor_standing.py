"""What the database tells doctor of the Stripe account in use: what waits for Stripe, and what Stripe sends in vain."""

from collections.abc import Iterator

from bot.cli.findings import Finding, Level
from domain.payments.standing import Standing

MOST_TYPES = 10


def examine_standing(standing: Standing) -> Iterator[Finding]:
    if waiting := sum(standing.waiting.values()):
        told = ", ".join(f"{count} {what}" for what, count in sorted(standing.waiting.items()))
        yield Finding(
            Level.NOTE,
            f"Stripe: it doesn't show yet what {waiting} of its events tell ({told}).",
            "They are asked for again, ever more seldom, for 30 days. If the key lacks a permission, give it that; else "
            "look at the events under Developers, Events in the Stripe Dashboard.",
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
