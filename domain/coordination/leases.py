"""Under what a process claims work that it shares with others."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Lease:
    """``owner`` names the process. Its claims end by themselves after ``length``, if it doesn't end them.

    ``margin``: how long after a request's time-out its effect may still come, at Stripe or at Slack.
    """

    owner: str
    length: timedelta
    margin: timedelta
