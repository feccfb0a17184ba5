"""Each organisation's own webhook: what comes to it is verified with its own secrets, and with nobody else's."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from domain import audit
from domain.audit import Deed, Result
from domain.database import Database
from domain.payments.events import Receipt
from domain.payments.watching import Watching
from domain.states import Source
from domain.stripe.accounts import Accounts
from domain.stripe.client import verify_webhook
from domain.stripe.errors import SignatureInvalid
from domain.summaries import STRIPE

NOTED_EVERY = timedelta(minutes=1)

_log = structlog.get_logger()


class WebhookUnknown(Exception):
    """There is no such webhook: nobody is told whether there is such a workspace."""


class Webhooks:
    """``stripe_clock`` tells the time by Stripe's clock, by which signatures are dated."""

    def __init__(
        self,
        db: Database,
        accounts: Accounts,
        watching: Watching,
        *,
        clock: Callable[[], datetime],
        stripe_clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._watching = watching
        self._clock = clock
        self._stripe_clock = stripe_clock
        self._noted: dict[int, datetime] = {}

    async def take(self, team_id: str, body: bytes, signature: str) -> Receipt:
        """Keep what Stripe tells the workspace's organisation, if it concerns it.

        Raises WebhookUnknown, SignatureInvalid (which is written down in its audit) and DatabaseUnavailable.
        """
        found = self._accounts.find_webhook(team_id)
        if found is None:
            raise WebhookUnknown
        account, secrets = found
        try:
            event = verify_webhook(body, signature, secrets, now=self._stripe_clock())
        except SignatureInvalid as invalid:
            _log.warning("webhook.refused", team=team_id, reason=str(invalid))
            await self._note(account.organisation_id, str(invalid))
            raise
        if event.get("livemode") is not account.livemode:
            _log.info("webhook.other_mode", team=team_id)
            return Receipt.OTHER_MODE
        return await self._watching.receive(account.organisation_id, event)

    async def _note(self, organisation_id: int, reason: str) -> None:
        """Once a minute: anybody may send anything there, as often as they like."""
        now = self._clock()
        if now - self._noted.get(organisation_id, now - NOTED_EVERY) < NOTED_EVERY:
            return
        self._noted[organisation_id] = now
        await self._db.background_write(
            audit.record,
            Deed.WEBHOOK_REFUSED,
            reason,
            by=STRIPE,
            source=Source.STRIPE_EVENT,
            now=now,
            organisation_id=organisation_id,
            result=Result.REFUSED,
        )
