"""What of an organisation is erased when the app is uninstalled: what it could be asked with, not what happened."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from domain.organisations import installations, stripe_keys


@dataclass(frozen=True)
class Erased:
    tokens: bool
    stripe_key: bool
    endpoint_id: str | None = None
    """The webhook endpoint that Paylink had made with the key."""


def erase(session: Session, team_id: str, by: str, *, seen: int | None = None) -> Erased:
    """Erase the workspace's tokens and its Stripe key: no process asks Slack or Stripe anything for it any more.

    Nothing, if its installation has changed since generation ``seen``: then another one is in force. Invoices, links, payments and what waits to be told stay, for when it is installed again.
    """
    if seen is not None and not installations.is_unchanged(session, team_id, seen):
        return Erased(tokens=False, stripe_key=False)
    summary = stripe_keys.find_summary(session, team_id)
    return Erased(
        installations.erase(session, team_id, by),
        stripe_keys.erase(session, team_id, by),
        None if summary is None else summary.endpoint_id,
    )
