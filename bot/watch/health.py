"""What stands between Paylink and its work right now, part by part, with a sentence each."""

from typing import Literal

import structlog

from domain.errors import DatabaseReplaced, DatabaseUnavailable

Part = Literal["start", "database", "slack", "socket", "stripe"]

DATABASE_AWAY = "The database can't be reached."
DATABASE_REPLACED = "Another file, or none, stands where the database's file was when Paylink started: nothing is read or written. Start Paylink again."
SLACK_AWAY = "Slack can't be reached."
NO_SOCKET = "There is no Socket Mode connection to Slack."
STRIPE_AWAY = "Stripe can't be reached."
STRIPE_FAILS = "Stripe answers that it failed."
NOT_FROM_STRIPE = "What answers in Stripe's place isn't Stripe."


def database_problem(error: DatabaseUnavailable) -> str:
    """The sentence."""
    return DATABASE_REPLACED if isinstance(error, DatabaseReplaced) else DATABASE_AWAY


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
