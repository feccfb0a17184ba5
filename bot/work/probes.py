"""Small questions that tell whether database, Slack and Stripe can be reached, for /readyz."""

import contextlib
import time

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack_client import SlackAway, SlackRefused, fetch_identity
from bot.watch.health import NOT_FROM_STRIPE, SLACK_AWAY, STRIPE_AWAY, STRIPE_FAILS, Health
from domain.database import Database, ask_nothing
from domain.stripe.client import StripeApi
from domain.stripe.errors import StripeTrouble

SLACK_EVERY_SECONDS = 30.0
STRIPE_EVERY_SECONDS = 15.0


class Probes:
    """Each may be asked every few seconds; it goes over the network only as often as makes sense."""

    def __init__(self, db: Database, slack: AsyncWebClient, stripe: StripeApi, health: Health) -> None:
        self._db = db
        self._slack = slack
        self._stripe = stripe
        self._health = health
        self._slack_asked = self._stripe_asked = -SLACK_EVERY_SECONDS

    async def database(self) -> None:
        """Raises DatabaseUnavailable."""
        await self._db.background_read(ask_nothing)
        self._health.good("database")

    async def slack(self) -> None:
        """Asks every half minute, or each time while Slack is away."""
        now = time.monotonic()
        if "slack" not in self._health.reasons and now - self._slack_asked < SLACK_EVERY_SECONDS:
            return
        self._slack_asked = now
        try:
            await fetch_identity(self._slack)
        except SlackAway:
            self._health.bad("slack", SLACK_AWAY)
        except SlackRefused as refused:
            self._health.bad("slack", f"Slack refuses SLACK_BOT_TOKEN ({refused.code}).")
        else:
            self._health.good("slack")

    async def stripe(self) -> None:
        """Tries a connection, and sends a request only while Stripe is away: reads are rationed (docs/facts/stripe.md)."""
        now = time.monotonic()
        if now - self._stripe_asked < STRIPE_EVERY_SECONDS:
            return
        self._stripe_asked = now
        if not await self._stripe.can_connect():
            self._health.bad("stripe", STRIPE_AWAY)
        elif "stripe" in self._health.reasons:
            # Any answer at all reaches Health by way of StripeApi.on_request.
            with contextlib.suppress(StripeTrouble):
                await self._stripe.get_account()


def hear_stripe(health: Health, outcome: str) -> None:
    """Take the outcome of a request to Stripe: whatever Stripe answers but that it failed, all is well."""
    if outcome == "StripeAway":
        health.bad("stripe", STRIPE_AWAY)
    elif outcome == "StripeFailed":
        health.bad("stripe", STRIPE_FAILS)
    elif outcome == "NotFromStripe":
        health.bad("stripe", NOT_FROM_STRIPE)
    else:
        health.good("stripe")
