"""Letting an organisation go: what it could be asked with is erased, and nothing is left behind at Stripe that tells us of it."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from domain.connecting.own_endpoint import remove_endpoint
from domain.database import Database
from domain.organisations import erasing, installations, stripe_keys
from domain.organisations.erasing import Erased
from domain.secrets.box import Box, CannotOpen, NoSecretKeys
from domain.stripe.client import StripeApi

_log = structlog.get_logger()


@dataclass(frozen=True)
class Disconnected:
    erased: Erased
    removed: str | None = None
    """The webhook endpoint that Paylink had made, which is gone."""

    @property
    def left(self) -> str | None:
        """The one that Stripe still has: it lets nobody else delete it, so somebody has to do it by hand."""
        return None if self.erased.endpoint_id == self.removed else self.erased.endpoint_id


async def disconnect(
    db: Database,
    box: Box,
    make_api: Callable[[str], StripeApi],
    team_id: str,
    by: str,
    *,
    seen: int | None = None,
) -> Disconnected:
    """Delete the webhook endpoint that Paylink made, as long as there is a key for it, and then erase tokens and key (erasing.py).

    It takes seconds at most: whatever Stripe does, they are erased. Nothing happens if the installation has changed since
    generation ``seen``. Raises DatabaseUnavailable.
    """
    if seen is not None and not await db.write(installations.is_unchanged, team_id, seen):
        return Disconnected(Erased(tokens=False, stripe_key=False))
    removed = await _remove(db, box, make_api, team_id)
    done = Disconnected(await db.write(erasing.erase, team_id, by, seen=seen), removed)
    if done.left is not None:
        _log.warning("webhook.not_removed", team=team_id, endpoint=done.left)
    return done


async def _remove(db: Database, box: Box, make_api: Callable[[str], StripeApi], team_id: str) -> str | None:
    try:
        kept = await db.read(stripe_keys.find, box, team_id)
    except (CannotOpen, NoSecretKeys):
        return None
    if kept is None or kept.summary.endpoint_id is None:
        return None
    api = make_api(kept.key)
    try:
        gone = await remove_endpoint(api, kept.summary.endpoint_id)
    finally:
        await api.close()
    return kept.summary.endpoint_id if gone else None
