"""What stands between Paylink and its work right now, part by part, with a sentence each."""

from typing import Literal

import structlog

Part = Literal["start", "database", "slack", "socket", "stripe"]

DATABASE_AWAY = "The database can't be reached."
SLACK_AWAY = "Slack can't be reached."
NO_SOCKET = "There is no Socket Mode connection to Slack."
STRIPE_AWAY = "Stripe can't be reached."
STRIPE_FAILS = "Stripe answers that it failed."
NOT_FROM_STRIPE = "What answers in Stripe's place isn't Stripe."


class Health:
    """Kept by whoever meets a service; read by /readyz and the metrics. A part without a reason is well."""

    def __init__(self) -> None:
        self._reasons: dict[Part, str] = {}
        self._log = structlog.get_logger("bot.watch.health")

    @property
    def reasons(self) -> dict[Part, str]:
        """Empty when everything can be reached."""
        return dict(self._reasons)

    def wait_for(self, part: Part, reason: str) -> None:
        """As bad, for what is only to be expected now."""
        self._reasons[part] = reason

    def bad(self, part: Part, reason: str) -> None:
        if self._reasons.get(part) != reason:
            self._reasons[part] = reason
            self._log.warning("readiness.lost", part=part, reason=reason)

    def good(self, part: Part) -> None:
        if self._reasons.pop(part, None) is not None:
            self._log.info("readiness.regained", part=part)
