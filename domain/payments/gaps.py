"""What happened at Stripe while nobody asked is read before a link is asked for.

A database that was restored from a backup doesn't know the links that were made since: each is found and adopted before
its invoice could get a second one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.links.adoption import any_older
from domain.links.known import Known, list_told
from domain.models import Ledger, Link, StripeEvent
from domain.payments import event_reading, events
from domain.payments.event_reading import LINK_CREATED_TYPE
from domain.payments.permissions import Thing
from domain.payments.stripe_links import listed
from domain.payments.stripe_links.reconciler import UnknownReconciler
from domain.payments.troubles import Troubles
from domain.payments.waits import Wait
from domain.stripe.account import Account
from domain.stripe.errors import StripeAway, StripeKeyRefused, StripeRefused, StripeTrouble
from domain.stripe.pace import StripePace

# Events come late.
OVERLAP = timedelta(seconds=600)
# Stripe lists an event for 30 days; what is older is looked for among the links themselves.
EVENTS_SURE = timedelta(days=29)
# Beyond the interval between two polls: how much later one may be before it counts as a gap.
LATE = timedelta(minutes=15)
# What two processes that poll at once, or a clock that is set, put it back by.
BACK = timedelta(minutes=1)
# Half a minute: one unlucky answer says nothing yet.
ASKED_OFTEN = 6
# Seconds until Stripe is asked again after trouble.
AGAIN_AFTER = 5.0


@dataclass(frozen=True)
class _Reach:
    """How far it is known what happened at Stripe, by its clock: all until ``until``, and from ``since`` on what the events
    told. Without a time nothing ever was."""

    until: datetime | None
    since: datetime | None


@dataclass(frozen=True)
class Watch:
    """What the account's watch does: settle the events that are kept, now or when it is woken, and tell of what was
    recorded."""

    settle: Callable[[], Awaitable[None]]
    wake: Callable[[], None]
    on_recorded: Callable[[str], None]


class Gaps:
    """Knows for one process whether it is known here what happened to one account's links.

    A process has to have read it once itself: what the database says may be of before it was restored. From then on
    the polls keep it so, whoever makes them.
    """

    def __init__(
        self,
        db: Database,
        account: Account,
        pace: StripePace,
        unknown: UnknownReconciler,
        troubles: Troubles,
        watch: Watch,
        *,
        longest: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        """``longest``: between two polls of this account."""
        self._db = db
        self._account = account
        self._pace = pace
        self._unknown = unknown
        self._troubles = troubles
        self._watch = watch
        self._longest = longest + LATE
        self._clock = clock
        self._passed = False
        self._known = False
        self._seen: datetime | None = None
        self._passing = asyncio.Lock()
        self._reading: asyncio.Task[bool] | None = None
        self._again_at = 0.0

    @property
    def passed(self) -> bool:
        """Whether this process has gone over it. What it found may not be settled yet."""
        return self._passed

    async def catch_up(self, link_id: int, known: Known) -> bool:
        """Before this link is asked for: whether it is known what Stripe has of its invoice; False while nobody can say.

        ``known``: as of its claim. Costs no request but after a gap.
        """
        told = known.told
        if not (self._is_continuous(known.until) and self._known):
            if not await self._read():
                return False
            told = await self._db.background_read(list_told, link_id)
        try:
            for stripe_id in told:
                # It was told of when its invoice wasn't here, or hadn't its amount.
                await self._reconsider(stripe_id, closed=False)
        except StripeTrouble as trouble:
            await self._troubles.note(trouble)
            return False
        return True

    def hear(self, until: datetime | None) -> None:
        """Until when it is known by now what happened, whoever has read it."""
        self._is_continuous(until)

    async def is_continuous(self) -> bool:
        """Whether this process has gone over it, and nobody has failed since to do so in time."""
        return self._is_continuous(await self._db.background_read(_until, self._account.ledger_id))

    def _is_continuous(self, until: datetime | None) -> bool:
        now = self._account.stripe.clock.now()
        late = until is None or not now - self._longest <= until <= now + LATE
        # The database was restored while this process was running.
        back = until is not None and self._seen is not None and until < self._seen - BACK
        if late or back:
            self._passed = self._known = False
        self._seen = until
        return self._passed

    async def poll(self, since: datetime, wait: float) -> None:
        """Ask for the events since then in ``wait`` seconds, which is this request's turn, or go over a gap first. Raises StripeTrouble."""
        await (self.read_events(since, wait=wait) if await self.is_continuous() else self.pass_over())

    async def read_events(self, since: datetime, *, whole: bool = True, wait: float | None = None) -> None:
        """Keep what the events since then tell. ``whole``: nothing that happened before is unknown afterwards. Raises
        StripeTrouble."""
        ledger_id, stripe = self._account.ledger_id, self._account.stripe
        begun_at = self._clock()
        newest: datetime | None = None
        params = {
            "types": list(event_reading.TYPES),
            "created": {"gte": int((since - OVERLAP).timestamp())},
        }
        await (self._pace.slot(ledger_id) if wait is None else self._pace.wait(wait))
        async for page in stripe.list_all("/v1/events", params, before_next=self._slot):
            read = (event_reading.read_event(event, livemode=stripe.livemode) for event in page)
            received = [event for event in read if event is not None]
            if received:
                newest = max([event.created_at for event in received] + ([newest] if newest else []))
                if await self._db.background_write(events.keep, ledger_id, received):
                    self._watch.wake()
        # Only the answers told how far off Stripe's clock is.
        until = begun_at + stripe.clock.ahead if whole else None
        marked = await self._db.background_write(
            events.move_watermark, ledger_id, newest, until, self._clock()
        )
        if until is not None:
            self.hear(until)
        await self._troubles.allow(Thing.EVENTS, marked=marked)

    async def _slot(self) -> None:
        await self._pace.slot(self._account.ledger_id)

    async def pass_over(self) -> None:
        """Go over what happened since it was last known, by the events or, beyond their 30 days, by the links. Raises
        StripeTrouble."""
        async with self._passing:
            if self._passed:
                return
            reach = await self._db.background_read(_reach_of, self._account.ledger_id)
            if not await self._read_events(reach):
                begun_at = self._clock()
                await self._read_list(reach.until)
                begun_at += self._account.stripe.clock.ahead
                await self._db.background_write(_mark_read, self._account.ledger_id, begun_at)
                await self._troubles.allow(Thing.LINKS)
            self._passed = True

    async def _read(self) -> bool:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._try_to_read(), name="gap")
        # Many wait for one look: whoever gives up leaves it to the others.
        return await asyncio.shield(self._reading)

    async def _try_to_read(self) -> bool:
        loop = asyncio.get_running_loop()
        if loop.time() < self._again_at:
            return False
        try:
            await self.pass_over()
        except StripeTrouble as trouble:
            self._again_at = loop.time() + AGAIN_AFTER
            await self._troubles.note(trouble)
            return False
        await self._watch.settle()
        self._known = not await self._db.background_read(_any_unsettled_link, self._account.ledger_id)
        return self._known

    async def _read_events(self, reach: _Reach) -> bool:
        """False if they don't reach back so far, or may not be read; or if what was known is of a time that hasn't come: it was
        written by a clock that was wrong."""
        now = self._account.stripe.clock.now()
        if reach.until is None or not now - EVENTS_SURE <= reach.until <= now + LATE:
            return False
        try:
            await self.read_events(min(filter(None, (reach.until, reach.since))))
        except StripeKeyRefused as refused:
            if not refused.lacking:
                raise
            await self._troubles.refuse(Thing.EVENTS, refused)
            return False
        except StripeRefused:
            return False
        return True

    async def _read_list(self, since: datetime | None) -> None:
        """All links, newest first, down to one that is known to be older than ``since``: no link tells its time."""
        ledger_id = self._account.ledger_id
        unknown: list[str] = []
        try:
            await self._pace.slot(ledger_id)
            async for page in self._account.stripe.list_all("/v1/payment_links", before_next=self._slot):
                unknown += await self._db.background_write(listed.sort_page, ledger_id, page, self._clock())
                ids = [str(link["id"]) for link in page]
                if since is not None and await self._db.background_read(any_older, ledger_id, ids, since):
                    break
        except StripeRefused as refused:
            # Not a link was refused but the look: nothing is known yet.
            raise StripeAway(refused.said) from None
        # The oldest first: copies are younger than what they are of.
        for stripe_id in reversed(unknown):
            await self._reconsider(stripe_id, closed=True)

    async def _reconsider(self, stripe_id: str, *, closed: bool) -> None:
        for verdict in await self._unknown.reconsider(stripe_id, self._clock(), closed=closed):
            self._watch.on_recorded(verdict)


def _until(session: Session, ledger_id: int) -> datetime | None:
    """Until when it is known what happened."""
    return session.scalar(sa.select(Ledger.polled_until).where(Ledger.id == ledger_id))


def _reach_of(session: Session, ledger_id: int) -> _Reach:
    ledger = session.get_one(Ledger, ledger_id)
    since = ledger.events_watermark
    if since is None:
        # Not of one that was adopted: what else is there wasn't read to its end, perhaps.
        since = session.scalar(sa.select(sa.func.min(Link.first_sent_at)).where(Link.ledger_id == ledger_id))
    return _Reach(ledger.polled_until or since, since)


def _mark_read(session: Session, ledger_id: int, begun_at: datetime) -> None:
    """What happened until then, by Stripe's clock, is known."""
    session.get_one(Ledger, ledger_id, with_for_update=True).polled_until = begun_at


def _any_unsettled_link(session: Session, ledger_id: int) -> bool:
    """Whether Stripe told of a link of which it isn't known yet whether it is one of ours."""
    told = sa.select(StripeEvent.id).where(
        StripeEvent.ledger_id == ledger_id,
        StripeEvent.settled_at.is_(None),
        StripeEvent.type == LINK_CREATED_TYPE,
    )
    # Its creation goes first; and what was asked for so often in vain must not hold up all others.
    asked = sa.or_(StripeEvent.waits_for == Wait.LINK_RESERVED, StripeEvent.attempts >= ASKED_OFTEN)
    open_ = told.where(sa.or_(StripeEvent.waits_for.is_(None), ~asked))
    return bool(session.scalar(sa.select(open_.exists())))
