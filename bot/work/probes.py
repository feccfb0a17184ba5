"""Small questions that tell whether database, Slack and Stripe can be reached, for /readyz."""

import contextlib
import time

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack_client import SlackAway, SlackRefused, fetch_identity, fetch_nothing, refusal
from bot.watch.health import NOT_FROM_STRIPE, SLACK_AWAY, STRIPE_AWAY, STRIPE_FAILS, Health
from domain.database import Database, ask_nothing
from domain.stripe.client import StripeApi
from domain.stripe.errors import StripeTrouble

SLACK_EVERY_SECONDS = 30.0
STRIPE_EVERY_SECONDS = 15.0
# What waits to be posted is tried again within it; auth.test says nothing of suspended access.
SUSPENDED_SECONDS = 45.0
# Each says something of the token, whatever was asked with it.
OF_THE_TOKEN = frozenset(
    "invalid_auth not_authed account_inactive token_revoked token_expired org_login_required ekm_access_denied".split()
)


class Probes:
    """Each may be asked every few seconds; it goes over the network only as often as makes sense."""

    def __init__(
        self,
        db: Database,
        slack: AsyncWebClient,
        stripe: StripeApi,
        health: Health,
        *,
        has_key: bool = True,
    ) -> None:
        """``slack`` without a token: then Slack is asked for nothing but an answer. ``has_key``: whether the client of Stripe has a key, and can be used for more than a connection."""
        self._has_key = has_key
        self._db = db
        self._slack = slack
        self._stripe = stripe
        self._health = health
        self._slack_asked = self._stripe_asked = -SLACK_EVERY_SECONDS
        self._suspended_at = -SUSPENDED_SECONDS

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
            await (fetch_identity(self._slack) if self._slack.token else fetch_nothing(self._slack))
        except SlackAway:
            self._health.bad("slack", SLACK_AWAY)
        except SlackRefused as refused:
            self._health.bad("slack", refusal(refused.code))
        else:
            if now - self._suspended_at >= SUSPENDED_SECONDS:
                self._health.good("slack")

    def hear_slack(self, method: str, code: str | None) -> None:
        """Take what Slack answered to any call: that it doesn't take the token shows at once. Of many workspaces one's token
        says nothing of the process."""
        if self._slack.token is None or code not in OF_THE_TOKEN or method == "apps.connections.open":
            return
        if code == "ekm_access_denied":
            self._suspended_at = time.monotonic()
        self._health.bad("slack", refusal(code))

    async def stripe(self) -> None:
        """Tries a connection, and sends a request only while Stripe is away: reads are rationed (docs/facts/stripe.md)."""
        now = time.monotonic()
        if now - self._stripe_asked < STRIPE_EVERY_SECONDS:
            return
        self._stripe_asked = now
        if not await self._stripe.can_connect():
            self._health.bad("stripe", STRIPE_AWAY)
        elif not self._has_key:
            self._health.good("stripe")
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
