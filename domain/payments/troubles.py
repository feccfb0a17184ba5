"""What one account's watch knows of how Stripe answers: a mark on the ledger tells people, and what is held is released."""

from collections.abc import Callable

from domain.database import Database
from domain.payments import events
from domain.payments.permissions import TYPES_OF, Permissions, Thing
from domain.payments.waits import Wait
from domain.stripe.account import Account
from domain.stripe.errors import StripeKeyRefused, StripeLimited, StripeTrouble
from domain.stripe.pace import StripePace
from domain.stripe.pausing import AWAY, Pausing, because_refused


class Troubles:
    """Of one account. ``wake`` is told when events are due that were held."""

    def __init__(self, db: Database, account: Account, pace: StripePace, wake: Callable[[], None]) -> None:
        self._db = db
        self._account = account
        self._pace = pace
        self._pausing = Pausing(db)
        self._wake = wake
        self.permissions = Permissions()

    async def note(self, trouble: StripeTrouble) -> None:
        """Put a mark on the ledger while Stripe refuses or is away."""
        if isinstance(trouble, StripeLimited):
            await self._pace.hold_back(self._account.ledger_id, trouble.retry_after or 1.0)
            return
        why = because_refused(trouble) if isinstance(trouble, StripeKeyRefused) else AWAY
        await self._pausing.pause(self._account.ledger_id, why)

    async def refuse(self, thing: Thing, refused: StripeKeyRefused) -> None:
        """Stripe answers, but the key may not read this."""
        self.permissions.refuse(thing, refused.permission)
        await self._answered()

    async def allow(self, thing: Thing, *, marked: bool = True) -> None:
        """Stripe showed this: what is held for it need wait no longer. ``marked``: whether the ledger may bear a mark.

        Of the events it tells more: that what isn't refused now may be asked for, as at a start, which knows of no refusal.
        """
        if self.permissions.allow(thing):
            shown = (
                [thing]
                if thing in TYPES_OF
                else [one for one in TYPES_OF if not self.permissions.is_refused(one)]
            )
            types, held_for = [each for one in shown for each in TYPES_OF[one]], Wait.FORBIDDEN.value
            if await self._db.background_write(events.release, self._account.ledger_id, types, held_for):
                self._wake()
        await self._answered(marked=marked)

    async def _answered(self, *, marked: bool = True) -> None:
        """Take the mark off again, unless payments aren't seen for lack of a permission."""
        if (lack := self.permissions.lack) is not None:
            await self._pausing.pause(self._account.ledger_id, lack)
        else:
            await self._pausing.resume(self._account.ledger_id, marked=marked)
