"""Seeing payments: webhook, poll and sweep end in the same functions, so that each payment is recorded once.

The poll is one request however many links wait. The sweep of completed sessions is the net below it: at start and
hourly, without the 30 days' cliff of events.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from domain.coordination import intervals
from domain.coordination.leases import Lease
from domain.database import Database
from domain.payments import event_reading, events
from domain.payments.event_reading import Received
from domain.payments.events import Receipt
from domain.payments.gaps import Gaps, Watch
from domain.payments.many.due import place_of
from domain.payments.many.receiving import CLAIMED, Receiving
from domain.payments.permissions import Thing, thing_of
from domain.payments.reconciling import Reconciler
from domain.payments.reversals.reversals import ReversalKind
from domain.payments.session_pages import record_sessions
from domain.payments.troubles import Troubles
from domain.payments.waits import Wait
from domain.stripe.account import Account
from domain.stripe.errors import StripeKeyRefused, StripeLimited, StripeRefused, StripeTrouble
from domain.stripe.pace import StripePace

_log = structlog.get_logger()

# A session lives 24 hours at most, and is listed by when it was opened.
SESSION_LIFE = timedelta(hours=25)
HOURLY = timedelta(hours=1)
AT_START, AFTER_TROUBLE = timedelta(seconds=60), timedelta(seconds=15)
LONGEST_FOR_LINK, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
# While Stripe is away or refuses the key, one event at a time finds out whether that is over.
LONGEST_PAUSE = 15.0
# For as long Stripe itself tells of an event.
EVENTS_LISTED = timedelta(days=30)


class AccountWatch:
    """Watches the links of one account's ledger for payments, refunds and disputes."""

    def __init__(
        self,
        db: Database,
        account: Account,
        pace: StripePace,
        lease: Lease,
        *,
        poll_every: timedelta,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
        on_recorded: Callable[[str], None],
    ) -> None:
        """``wake`` is told when there are events to settle, ``on_recorded`` of each payment or exception recorded."""
        self._db = db
        self.account = self._account = account
        self._pace = pace
        self._lease = lease
        self._poll_every = poll_every
        self._clock = clock
        self._wake = wake
        self._on_recorded = on_recorded
        self._reconciler = Reconciler(db, account, pace)
        self._troubles = Troubles(db, account, pace, wake)
        self.gaps = Gaps(
            db,
            account,
            pace,
            self._reconciler.unknown,
            self._troubles,
            Watch(self.settle_due, wake, on_recorded),
            longest=max(HOURLY, poll_every),
            clock=clock,
        )
        self._in_trouble = 0
        self._settle_again_at = 0.0
        self._receiving = Receiving(
            db, account, pace, lease, clock=clock, calm=lambda: not self._in_trouble, wake=wake
        )

    async def receive(self, event: dict[str, Any]) -> Receipt:
        """Keep a webhook's event until it is settled, if it concerns us. Raises DatabaseUnavailable."""
        return await self._receiving.receive(event)

    @property
    def has_claimed(self) -> bool:
        """Whether events were claimed as they were received, and are yet to be settled."""
        return self._receiving.has_claimed

    async def settle_due(self) -> None:
        """Fetch and record what received events are about; nothing while it isn't time to ask a troubled Stripe again."""
        while not self.account.retired:
            at_once = CLAIMED
            claimed = self._receiving.take_claimed()
            if not claimed and asyncio.get_running_loop().time() >= self._settle_again_at:
                at_once = 1 if self._in_trouble >= CLAIMED else CLAIMED
                claimed = await self._receiving.claim_due(at_once)
            if not claimed:
                return
            await self._settle_together(claimed)
            if len(claimed) < at_once and not self.has_claimed:
                # There was nothing else; another look would only stand before the message.
                return

    async def _settle_together(self, claimed: list[Received]) -> None:
        """At once, but payments are recorded in the order in which they were made: the first of two is the one that counts."""
        tasks: list[asyncio.Task[None]] = []
        before: asyncio.Task[None] | None = None
        for event in claimed:
            tasks.append(asyncio.create_task(self._settle(event, before)))
            if event.type in event_reading.SESSION_TYPES:
                before = tasks[-1]
        await asyncio.gather(*tasks)

    async def _settle(self, event: Received, before: asyncio.Task[None] | None) -> None:
        ledger_id, thing = self._account.ledger_id, thing_of(event.type)
        if not self._troubles.permissions.may_ask(thing):
            await self._ask_again(event, Wait.FORBIDDEN)
            return
        try:
            recorded = await self._reconciler.reconcile_event(event, self._clock(), before)
        except StripeTrouble as trouble:
            if isinstance(trouble, StripeKeyRefused) and trouble.lacking:
                await self._troubles.refuse(thing, trouble)
                await self._ask_again(event, Wait.FORBIDDEN)
                return
            await self._troubles.note(trouble)
            self._put_off(trouble)
            delay = min(0.5 * 2 ** min(event.attempts, 10), LONGEST_PAUSE)
            await self._db.background_write(events.postpone, ledger_id, event, timedelta(seconds=delay))
            return
        self._in_trouble, self._settle_again_at = 0, 0.0
        await self._troubles.allow(thing)
        if isinstance(recorded, Wait):
            await self._ask_again(event, recorded)
            return
        for verdict in recorded:
            self._on_recorded(verdict)

    async def _ask_again(self, event: Received, wait: Wait) -> None:
        """Seconds later at first and ever more seldom, since reads are rationed (docs/facts/stripe.md), for as long as Stripe
        itself tells of the event."""
        ledger_id, now = self._account.ledger_id, self._clock()
        if event.waits_for != wait:
            _log.warning("stripe.event_waits", stripe_event=event.id, type=event.type, wait=wait.value)
        if self._account.stripe.clock.now() - event.created_at > EVENTS_LISTED:
            await self._db.background_write(events.settle, ledger_id, event.id, now)
            return
        if wait is Wait.FORBIDDEN:
            delay = timedelta(seconds=self._troubles.permissions.seconds_left(thing_of(event.type)))
            await self._db.background_write(events.hold, ledger_id, event, wait.value, delay)
            return
        longest = LONGEST_FOR_LINK if wait is Wait.LINK_RESERVED else LONGEST_WAIT
        await self._db.background_write(events.wait_for, ledger_id, event, wait.value, longest)

    def _put_off(self, trouble: StripeTrouble) -> None:
        """So many failures in a row are Stripe's, not this event's: let all of them wait together."""
        if isinstance(trouble, StripeLimited):
            return
        self._in_trouble += 1
        if self._in_trouble >= CLAIMED:
            pause = min(2.0 ** min(self._in_trouble - CLAIMED, 10), LONGEST_PAUSE)
            self._settle_again_at = asyncio.get_running_loop().time() + pause

    async def poll_if_due(self) -> None:
        """Ask for new events if the poll is due: each interval while a link waits or was paid lately, else hourly."""
        since, _, pending, any_link = await self._db.background_read(
            events.watch_from, self._account.ledger_id
        )
        every = self._poll_every if pending else max(HOURLY, self._poll_every)
        if any_link and since is not None:
            await self._on_duty("poll", every, Thing.EVENTS, lambda wait: self._poll(since, wait))
        elif not self.gaps.passed:
            # Links that were made before the database was restored may be paid meanwhile.
            await self._on_duty("poll", AT_START, Thing.EVENTS, lambda _: self.gaps.pass_over())

    async def _poll(self, since: datetime, wait: float) -> None:
        await self.gaps.poll(since, wait)
        for verdict in await self._reconciler.unknown.look_again(self._clock()):
            self._on_recorded(verdict)

    async def sweep_if_due(self, *, at_start: bool = False) -> bool:
        """Go through the completed sessions if the sweep is due: hourly, and at each start. False if it failed."""
        _, since, _, any_link = await self._db.background_read(events.watch_from, self._account.ledger_id)
        if not any_link or since is None:
            return True
        every = AT_START if at_start else HOURLY
        return await self._on_duty("sweep", every, Thing.SESSIONS, lambda wait: self._sweep(since, wait))

    async def recheck(self, stripe_id: str) -> None:
        """Ask Stripe about one link now, and record what it says. Raises StripeTrouble."""
        try:
            recorded = await self._reconciler.reconcile_link(stripe_id, self._clock())
        except StripeRefused:
            raise
        except StripeTrouble as trouble:
            if not (isinstance(trouble, StripeKeyRefused) and trouble.lacking):
                await self._troubles.note(trouble)
            raise
        await self._troubles.allow(Thing.SESSIONS)
        for verdict in recorded:
            self._on_recorded(verdict)

    async def _on_duty(
        self, name: str, every: timedelta, thing: Thing, work: Callable[[float], Awaitable[None]]
    ) -> bool:
        """Do the work if it is due, which is told the seconds until its first request's turn; False if it was tried and Stripe had
        trouble: it is due again soon. If the key may not read ``thing``, which the work is for, it is tried again when it is due
        anyway."""
        name = f"{name}:{self._account.ledger_id}"
        place = None if every == AT_START else place_of(self._account.ledger_id)
        wait = await self._db.background_write(self._take_duty, name, every, place)
        if wait is None:
            return True
        again_in: timedelta | None = AFTER_TROUBLE
        try:
            await work(wait)
            again_in = None
        except StripeTrouble as trouble:
            if isinstance(trouble, StripeKeyRefused) and trouble.lacking:
                again_in = None
                await self._troubles.refuse(thing, trouble)
            else:
                await self._troubles.note(trouble)
            _log.warning("stripe.watch_failed", duty=name, trouble=type(trouble).__name__)
        finally:
            await self._db.background_write(
                intervals.end_duty, name, self._lease, again_in=again_in, every=every
            )
        return again_in is None

    def _take_duty(self, session: Session, name: str, every: timedelta, place: float | None) -> float | None:
        """The duty, if it is due, with the turn of its first request: each transaction more is a wait for the disk."""
        if not intervals.take_duty(session, name, every, self._lease, place):
            return None
        return self._pace.take(session, self._account.ledger_id, 1)[0]

    async def _sweep(self, since: datetime, wait: float) -> None:
        begun_at = self._clock()
        created = {"gte": int((since - SESSION_LIFE).timestamp())}
        lacking: StripeKeyRefused | None = None
        found = False
        try:
            found = await self._sweep_sessions(created, wait)
        except StripeKeyRefused as refused:
            if not refused.lacking:
                raise
            lacking = refused
        swept = await self._reconciler.sweep_reversals(created, self._clock())
        for verdict in swept.recorded:
            self._on_recorded(verdict)
        for kind in swept.readable:
            await self._troubles.allow(Thing.REFUNDS if kind is ReversalKind.REFUND else Thing.DISPUTES)
        if lacking is not None:
            raise lacking
        begun_at += self._account.stripe.clock.ahead
        if swept.whole:
            await self._db.background_write(
                events.end_sweep, self._account.ledger_id, begun_at, self._clock()
            )
        if found:
            await self._date_found()

    async def _sweep_sessions(self, created: dict[str, int], wait: float) -> bool:
        """Whether anything was recorded."""
        found = False
        await self._pace.wait(wait)
        async for page in self._account.stripe.list_all(
            "/v1/checkout/sessions", {"status": "complete", "created": created}, before_next=self._slot
        ):
            recorded = await self._db.background_write(
                record_sessions, self._account.ledger_id, page, self._clock()
            )
            recorded += await self._reconciler.reconcile_unknown(page, self._clock())
            for verdict in recorded:
                self._on_recorded(verdict)
            found = found or bool(recorded)
        await self._troubles.allow(Thing.SESSIONS)
        return found

    async def _slot(self) -> None:
        await self._pace.slot(self._account.ledger_id)

    async def _date_found(self) -> None:
        """Ask for the events of what a sweep found: only they tell when it was paid, and the next poll may be an hour off."""
        since, *_ = await self._db.background_read(events.watch_from, self._account.ledger_id)
        if since is not None:
            with contextlib.suppress(StripeTrouble):
                await self.gaps.read_events(since, whole=False)
