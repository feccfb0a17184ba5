"""Creating links: one path for one and for a hundred, for a first attempt and for what a restart interrupted.

Reserve in a transaction (domain/links/reserving.py), ask Stripe once, record in a transaction. Whatever the answer, or if none
comes, the identical request goes out again under the same idempotency key until the outcome is known.
"""

import asyncio
import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from domain.database import Database
from domain.errors import NotEligible
from domain.invoices import invoices
from domain.links import reserving
from domain.links.adoption import LinkSearch
from domain.links.reserving import Intent, Terms
from domain.money import Money
from domain.reasons import Reason
from domain.stripe.client import StripeApi
from domain.stripe.errors import (
    KeyReused,
    StripeAway,
    StripeKeyRefused,
    StripeLimited,
    StripeRefused,
    StripeUnreadable,
)
from domain.stripe.ledgers import Ledgers
from domain.stripe.pace import StripePace
from domain.stripe.pausing import AWAY, Pausing
from domain.summaries import Actor, InvoiceSummary

_log = structlog.get_logger()

# Enough to fill the limiter while each answer takes half a second; more would only queue (docs/facts/reliability.md).
IN_FLIGHT = 16
# Claimed together, in one transaction; fewer only when there is no other work (decision 0018).
CLAIMED_TOGETHER = 4
# Stripe keeps an idempotency key for 24 hours at least (docs/facts/stripe.md); an hour is left for clocks and queues.
KEY_LIFE = timedelta(hours=23)
LONGEST_DELAY = 30.0
PAUSED_DELAY = 15.0
# So many failures of Stripe's own in a row, and what they say is no longer believed: look whether there is a link.
ATTEMPTS_BEFORE_LOOKING = 4
# So many requests in a row without an answer, and Stripe is taken to be away.
TROUBLES_BEFORE_PAUSING = 8

_OTHERS_WERE_FASTER = {Reason.PENDING_PAYMENT, Reason.PAID, Reason.BEING_CREATED}


class LinkCreation:
    """Creates what is reserved; several of these, in several processes, share the work by claims with leases."""

    def __init__(
        self,
        db: Database,
        ledgers: Ledgers,
        stripe: StripeApi,
        pace: StripePace,
        *,
        owner: str,
        lease: timedelta,
        margin: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._db = db
        self._ledgers = ledgers
        self._stripe = stripe
        self._pace = pace
        self._owner = owner
        self._lease = lease
        self._margin = margin
        self._clock = clock
        self._search = LinkSearch(db, stripe, pace)
        self._pausing = Pausing(db)
        self._paused = False
        self._in_trouble = 0
        self._ending = False
        self._sending: set[asyncio.Task[None]] = set()
        self.wake: Callable[[], None] = lambda: None
        """Told when there is work to do; set by the wiring."""
        self.on_settled: Callable[[int, bool], None] = lambda link_id, created: None
        """Told of each link that was created (True) or refused (False)."""

    def terms(self) -> Terms:
        return Terms(self._ledgers.id, self._owner, self._lease)

    async def create(self, actor: Actor, invoice_id: int, seen: Money, patience: float) -> InvoiceSummary:
        """See Desk.create_link."""
        try:
            intent, turn = await self._db.write(
                _reserve, actor, invoice_id, seen, self.terms(), self._pace, self._clock()
            )
        except NotEligible as refusal:
            if refusal.reason not in _OTHERS_WERE_FASTER:
                raise
        else:
            if self._ledgers.known:
                await asyncio.wait({self._send(intent, turn)}, timeout=patience)
            else:
                # Sent now, the link might be made in another account than the one that it is written down for.
                await self._postpone(intent, 0.0)
        return await self._db.read(invoices.get, actor.team_id, invoice_id, self._ledgers.id)

    async def run_due(self) -> None:
        """Settle every reserved link that is due, a bounded number at a time."""
        if not await self._ledgers.settle():
            return
        slow = False
        while True:
            # While Stripe refuses or is away one request at a time finds out whether that is over.
            in_flight = bool(self._sending)
            free = 0 if self._ending else (1 if self._paused else IN_FLIGHT) - len(self._sending)
            claimed = []
            if free >= CLAIMED_TOGETHER or (free > 0 and (slow or not in_flight)):
                claimed = await self._db.background_write(_claim, self.terms(), free, self._pace)
            for intent, turn in claimed:
                self._send(intent, turn)
            if (self._paused and not claimed) or not (self._sending or in_flight):
                return
            if self._sending:
                # Not longer, so that what was reserved meanwhile doesn't wait for the slowest answer.
                done, _ = await asyncio.wait(self._sending, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
                slow = not done or (slow and bool(claimed))

    def claim_no_more(self) -> None:
        """What is in flight ends; the rest is for other processes, or for the next start."""
        self._ending = True

    async def finish(self) -> None:
        """Wait for what is in flight (the caller limits the time)."""
        if self._sending:
            await asyncio.wait(self._sending)

    def _send(self, intent: Intent, turn: float) -> asyncio.Task[None]:
        task = asyncio.create_task(self._settle(intent, turn), name=f"link-{intent.link_id}")
        self._sending.add(task)
        task.add_done_callback(self._sent)
        return task

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # The claim ends by itself, and the link is taken up again under the same key.
            _log.error("link.unsettled", task=task.get_name(), error=type(error).__name__, exc_info=error)

    async def _settle(self, intent: Intent, turn: float) -> None:
        try:
            if intent.look_first or self._key_expired(intent):
                await self._adopt_or_renew(intent)
            else:
                await self._pace.wait(turn)
                await self._ask(intent)
        except StripeKeyRefused as refused:
            await self._set_paused(refused.sentence)
            await self._postpone(intent, PAUSED_DELAY)
        except StripeLimited as limited:
            await self._pace.hold_back(limited.retry_after or 1.0)
            await self._postpone(intent, (limited.retry_after or 0.0) + _jittered(1.0))
        except StripeRefused as refused:
            await self._set_paused(None)
            if await self._db.background_write(
                reserving.record_refused, intent, self._owner, refused.sentence, self._clock()
            ):
                self.on_settled(intent.link_id, False)
        except KeyReused:
            await self._postpone(intent, 0.0, look_first=True)
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
            await self._postpone(intent, delay, look_first=look and not away.unsent)

    async def _ask(self, intent: Intent) -> None:
        enough = timedelta(seconds=self._stripe.timeout)
        if not await self._db.background_write(reserving.begin_sending, intent, self._owner, enough):
            return
        stripe_id, url = await self._stripe.create_payment_link(
            json.loads(intent.request), key=intent.key, version=intent.api_version
        )
        await self._record(intent, stripe_id, url)

    async def _record(self, intent: Intent, stripe_id: str, url: str) -> None:
        await self._set_paused(None)
        if await self._db.background_write(
            reserving.record_created, intent.link_id, stripe_id, url, self._clock()
        ):
            self.on_settled(intent.link_id, True)

    async def _adopt_or_renew(self, intent: Intent) -> None:
        """Earlier requests may have made the link: adopt it; or, once they no longer can have, take a new key."""
        since = intent.first_sent_at or intent.claimed_at
        found = await self._search.find_created(self._ledgers.id, intent.reference, since)
        if found is not None:
            await self._record(intent, *found)
        elif (wait := self._until_settled(intent)) > 0:
            await self._postpone(intent, wait, look_first=True)
        else:
            await self._db.background_write(reserving.renew_key, intent, self._owner)

    def _until_settled(self, intent: Intent) -> float:
        """Seconds, as of the claim, until the last request can no longer have an effect."""
        if intent.last_sent_at is None:
            return 0.0
        settled = intent.last_sent_at + timedelta(seconds=self._stripe.timeout) + self._margin
        return (settled - intent.claimed_at).total_seconds() + 0.1

    def _key_expired(self, intent: Intent) -> bool:
        """By whichever clock is ahead: a look too many costs a request, a key too old a second link."""
        now = max(intent.claimed_at, self._clock())
        return intent.first_sent_at is not None and now - intent.first_sent_at > KEY_LIFE

    async def _postpone(self, intent: Intent, seconds: float, *, look_first: bool = False) -> None:
        delay = timedelta(seconds=seconds)
        await self._db.background_write(reserving.postpone, intent, self._owner, delay, look_first=look_first)

    async def _set_paused(self, sentence: str | None) -> None:
        if sentence is None:
            self._in_trouble = 0
            if self._paused:
                self._paused = False
                _log.info("stripe.resumed")
            await self._pausing.resume(self._ledgers.id)
            return
        if not self._paused:
            self._paused = True
            _log.warning("stripe.paused", reason=sentence)
        await self._pausing.pause(self._ledgers.id, sentence)


def _reserve(
    session: Session,
    actor: Actor,
    invoice_id: int,
    seen: Money,
    terms: Terms,
    pace: StripePace,
    now: datetime,
) -> tuple[Intent, float]:
    """The reserved link, and the seconds until its request's turn."""
    invoice, organisation = invoices.lock(session, actor.team_id, invoice_id)
    intent = reserving.reserve_one(session, actor, invoice, organisation, seen, terms, now)
    return intent, pace.take(session, 1)[0]


def _claim(session: Session, terms: Terms, limit: int, pace: StripePace) -> list[tuple[Intent, float]]:
    """What is due, and the seconds until each request's turn."""
    claimed = reserving.claim_due(session, terms, limit)
    return list(zip(claimed, pace.take(session, len(claimed)), strict=True)) if claimed else []


def _backoff(attempts: int) -> float:
    return _jittered(min(0.5 * 2 ** min(attempts, 10), LONGEST_DELAY))


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries, keeps no secret
