"""Asking one Stripe account for links, once for each claim, and recording what came of it.

Whatever the answer, or if none comes, the identical request goes out again under the same idempotency key until the
outcome is known.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from domain.coordination.leases import Lease
from domain.database import Database
from domain.links import claiming
from domain.links.adoption import LinkSearch
from domain.links.claiming import Intent
from domain.links.known import Known
from domain.stripe.account import Account
from domain.stripe.errors import (
    KeyReused,
    StripeAway,
    StripeKeyRefused,
    StripeLimited,
    StripeRefused,
    StripeUnreadable,
)
from domain.stripe.pace import StripePace
from domain.stripe.pausing import AWAY, Pausing, because_refused
from domain.summaries import Pause

_log = structlog.get_logger()

# Stripe keeps an idempotency key for 24 hours at least (docs/facts/stripe.md); an hour is left for clocks and queues.
KEY_LIFE = timedelta(hours=23)
LONGEST_DELAY = 30.0
PAUSED_DELAY = 15.0
# So many failures of Stripe's own in a row, and what they say is no longer believed: look whether there is a link.
ATTEMPTS_BEFORE_LOOKING = 4
# So many requests in a row without an answer, and Stripe is taken to be away.
TROUBLES_BEFORE_PAUSING = 8

# Until it is asked again whether what happened at Stripe is known.
GAP_DELAY = 1.0

OnSettled = Callable[[int, bool], None]
"""Told of each link that was created (True) or refused (False)."""
CatchUp = Callable[[int, int, Known], Awaitable[bool]]
"""Of an organisation's link, and what was known when it was claimed: whether it is known what Stripe has of its invoice (domain/payments/gaps.py)."""


class Sending:
    """Sends one account's claims, and knows whether its Stripe refuses or is away."""

    def __init__(
        self,
        db: Database,
        account: Account,
        pace: StripePace,
        lease: Lease,
        *,
        clock: Callable[[], datetime],
        catch_up: CatchUp,
        on_settled: OnSettled,
    ) -> None:
        self._db = db
        self._catch_up = catch_up
        self.account = self._account = account
        self._pace = pace
        self._lease = lease
        self._clock = clock
        self._on_settled = on_settled
        self._search = LinkSearch(db, account.stripe, pace)
        self._pausing = Pausing(db)
        self._paused = False
        self._in_trouble = 0
        self.in_flight: set[asyncio.Task[None]] = set()

    @property
    def paused(self) -> bool:
        """While Stripe refuses or is away one request at a time finds out whether that is over."""
        return self._paused

    def send(self, intent: Intent, turn: float) -> asyncio.Task[None]:
        """Settle this claim, after so many seconds; the task ends when that is done or put off."""
        task = asyncio.create_task(self._settle(intent, turn), name=f"link-{intent.link_id}")
        self.in_flight.add(task)
        task.add_done_callback(self._sent)
        return task

    def _sent(self, task: asyncio.Task[None]) -> None:
        self.in_flight.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # The claim ends by itself, and the link is taken up again under the same key.
            _log.error("link.unsettled", task=task.get_name(), error=type(error).__name__, exc_info=error)

    async def _settle(self, intent: Intent, turn: float) -> None:
        if not await self._catch_up(self._account.organisation_id, intent.link_id, intent.known):
            await self.postpone(intent, GAP_DELAY)
            return
        try:
            if intent.look_first or self._key_expired(intent):
                await self._adopt_or_renew(intent)
            else:
                await self._pace.wait(turn)
                await self._ask(intent)
        except StripeKeyRefused as refused:
            await self._set_paused(because_refused(refused))
            await self.postpone(intent, PAUSED_DELAY)
        except StripeLimited as limited:
            await self._pace.hold_back(self._account.ledger_id, limited.retry_after or 1.0)
            await self.postpone(intent, (limited.retry_after or 0.0) + _jittered(1.0))
        except StripeRefused as refused:
            await self._set_paused(None)
            if await self._db.background_write(
                claiming.record_refused, intent, self._lease.owner, refused, self._clock()
            ):
                self._on_settled(intent.link_id, False)
        except KeyReused:
            await self.postpone(intent, 0.0, look_first=True)
        except StripeAway as away:
            if isinstance(away, StripeUnreadable):
                _log.warning("stripe.link_unreadable", link=intent.link_id, reason=str(away))
            else:
                self._in_trouble += 1
            if self._in_trouble >= TROUBLES_BEFORE_PAUSING:
                await self._set_paused(AWAY)
            look = away.saved or intent.attempts + 1 >= ATTEMPTS_BEFORE_LOOKING
            # Looking again is what costs: it reads lists, of which Stripe allows so many a month.
            unseen = isinstance(away, StripeUnreadable) and intent.look_first
            delay = LONGEST_DELAY if unseen else _backoff(intent.attempts)
            await self.postpone(intent, delay, look_first=look and not away.unsent)

    async def _ask(self, intent: Intent) -> None:
        enough = timedelta(seconds=self._account.stripe.timeout)
        if not await self._db.background_write(claiming.begin_sending, intent, self._lease.owner, enough):
            return
        stripe_id, url = await self._account.stripe.create_payment_link(
            json.loads(intent.request), key=intent.key, version=intent.api_version
        )
        await self._record(intent, stripe_id, url)

    async def _record(self, intent: Intent, stripe_id: str, url: str) -> None:
        await self._set_paused(None)
        if await self._db.background_write(
            claiming.record_created,
            intent.link_id,
            stripe_id,
            url,
            self._account.stripe.clock.now(),
            self._clock(),
        ):
            self._on_settled(intent.link_id, True)

    async def _adopt_or_renew(self, intent: Intent) -> None:
        """Earlier requests may have made the link: adopt it; or, once they no longer can have, take a new key."""
        since = intent.first_sent_at or intent.claimed_at
        found = await self._search.find_created(self._account.ledger_id, intent.reference, since)
        if found is not None:
            await self._record(intent, *found)
        elif (wait := self._until_settled(intent)) > 0:
            await self.postpone(intent, wait, look_first=True)
        else:
            await self._db.background_write(claiming.renew_key, intent, self._lease.owner)

    def _until_settled(self, intent: Intent) -> float:
        """Seconds, as of the claim, until the last request can no longer have an effect."""
        if intent.last_sent_at is None:
            return 0.0
        settled = intent.last_sent_at + timedelta(seconds=self._account.stripe.timeout) + self._lease.margin
        return (settled - intent.claimed_at).total_seconds() + 0.1

    def _key_expired(self, intent: Intent) -> bool:
        """By whichever clock is ahead: a look too many costs a request, a key too old a second link."""
        now = max(intent.claimed_at, self._clock())
        return intent.first_sent_at is not None and now - intent.first_sent_at > KEY_LIFE

    async def postpone(self, intent: Intent, seconds: float, *, look_first: bool = False) -> None:
        """Give the claim back, due again after so many seconds."""
        delay = timedelta(seconds=seconds)
        await self._db.background_write(
            claiming.postpone, intent, self._lease.owner, delay, look_first=look_first
        )

    async def _set_paused(self, why: Pause | None) -> None:
        if why is None:
            self._in_trouble = 0
            if self._paused:
                self._paused = False
                _log.info("stripe.resumed")
            await self._pausing.resume(self._account.ledger_id)
            return
        if not self._paused:
            self._paused = True
            _log.warning("stripe.paused", reason=why.reason.value, permission=why.permission)
        await self._pausing.pause(self._account.ledger_id, why)


def _backoff(attempts: int) -> float:
    return _jittered(min(0.5 * 2 ** min(attempts, 10), LONGEST_DELAY))


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries, keeps no secret
