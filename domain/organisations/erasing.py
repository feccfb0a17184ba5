"""What of an organisation is erased when the app is uninstalled: what it could be asked with, not what happened."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from domain.organisations import installations, stripe_keys


@dataclass(frozen=True)
class Erased:
    tokens: bool
    stripe_key: bool


def erase(session: Session, team_id: str, by: str) -> Erased:
    """Erase the workspace's tokens and its Stripe key: no process asks Slack or Stripe anything for it any more.

    Invoices, links, payments and what waits to be told stay, for when it is installed again.
    """
    return Erased(installations.erase(session, team_id, by), stripe_keys.erase(session, team_id, by))
