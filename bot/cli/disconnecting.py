"""Erasing an organisation's tokens and Stripe key on the command line, and its webhook endpoint at Stripe before."""

import asyncio
from typing import TYPE_CHECKING

from domain.summaries import OPERATOR

if TYPE_CHECKING:
    from bot.settings import Settings
    from domain.connecting.disconnecting import Disconnected
    from domain.database import Database

SECONDS = 10.0


def disconnect_organization(settings: "Settings", db: "Database", team_id: str) -> "Disconnected":
    """Raises DatabaseUnavailable; whatever Stripe does, tokens and key are erased."""
    return asyncio.run(_disconnect(settings, db, team_id))


async def _disconnect(settings: "Settings", db: "Database", team_id: str) -> "Disconnected":
    from bot.work.stripe_clients import make_stripe
    from domain.connecting.disconnecting import disconnect
    from domain.secrets.box import Box

    connections, make_api = make_stripe(settings, SECONDS, lambda outcome: None)
    try:
        return await disconnect(db, Box(settings.secret_keys), make_api, team_id, OPERATOR)
    finally:
        await connections.close()


def endpoint_sentence(done: "Disconnected") -> str | None:
    """What became of the endpoint; None if Paylink had made none."""
    if done.left is not None:
        return f"Its webhook endpoint {done.left} is still at Stripe: delete it in Stripe's Dashboard."
    return None if done.removed is None else "Its webhook endpoint at Stripe was deleted."
