"""Delivering the outbox: each message exactly once, at most one a second a channel, in order for each channel.

Slack has no idempotency key for messages. So the attempt is written down first, the message carries an opaque key in
its metadata, and after any doubt the margin is waited for and the channel's history read before it is posted again.
Where the history can't be read the message is marked unknown and left to people: never a blind second post to a
channel. A direct message is posted again then: better twice than never.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.coordination.pacing import hold_back, reserve_slot
from domain.database import Database
from domain.messages import transactions
from domain.messages.claims import Claim
from domain.messages.due import list_due
from domain.messages.lost import record_channel_lost, tell_instead
from domain.messages.overtaking import Others, look_behind
from domain.messages.poster_port import HistoryUnreadable, NotPosted, Posted, Poster, PostUnknown

_log = structlog.get_logger()

# One a second, and a little for what the network adds to one message and not to the next.
ONE_A_SECOND = timedelta(milliseconds=1020)
# A message that Slack refuses so often for its own sake is dead, and shown.
ATTEMPTS = 3
# Nothing is waited for longer while Slack can't be reached, so that what waited goes out soon after it is back.
LONGEST_DELAY = 15.0
LOOK_AGAIN = 10.0
CHANNEL_LOST_DELAY = 30.0
NOBODY = Others(posted=False, waiting=False)


@dataclass(frozen=True)
class _Turn:
    """When a claimed message may be posted."""

    seconds: float
    """After the claim."""
    begun_at: float | None
    """By the loop's clock no later than the attempt was written down with the claim; None if it wasn't."""

    def holds(self, lease: Lease) -> bool:
        """Whether the attempt was written down, and the lease is sure to outlast it still: the process may have been
        suspended meanwhile."""
        if self.begun_at is None:
            return False
        return asyncio.get_running_loop().time() - self.begun_at < lease.length.total_seconds() / 2


class Announcing:
    """Delivers what is due to the organisations whose tokens there are; several of these, in several processes, share
    the work by claims with leases."""

    def __init__(
        self,
        db: Database,
        posters: Mapping[int, Poster],
        lease: Lease,
        *,
        clock: Callable[[], datetime],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_posted: Callable[[str, float], None] = lambda kind, seconds: None,
    ) -> None:
        """``posters`` has the one with each organisation's own token; nothing is claimed of those that aren't in it yet.

        ``on_posted`` is told of each delivered message: its kind, and how long after its enqueuing.
        """
        self._db = db
        self._pause = pause
        self._posters = posters
        self._lease = lease
        self._clock = clock
        self._ending = False
        self._posting: set[asyncio.Task[None]] = set()
        self._on_posted = on_posted

    async def deliver_due(self) -> None:
        """Deliver until nothing is due: destinations side by side, each in its order."""
        while True:
            # What ends while the claim is looked for may have been all that it found in the way.
            in_flight = bool(self._posting)
            async for claim, turn in self._claim_due():
                task = asyncio.create_task(self._deliver(claim, turn), name=f"announcement-{claim.id}")
                self._posting.add(task)
                task.add_done_callback(self._ended)
            if self._posting:
                # Not longer, so that one slow answer doesn't hold up the other destinations.
                await asyncio.wait(self._posting, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
            elif not in_flight:
                return

    async def _claim_due(self) -> AsyncIterator[tuple[Claim, _Turn]]:
        """Each organisation's as soon as they are claimed: a lease doesn't wait for the claims of a thousand others."""
        # One look at all of them: to claim is to write, however little there is.
        due = await self._db.background_read(list_due)
        for organisation_id in [one for one in self._posters if one in due]:
            if self._ending:
                return
            asked_at = asyncio.get_running_loop().time()
            any_left = due[organisation_id]
            for claimed in await self._db.background_write(self._claim, organisation_id, any_left, asked_at):
                yield claimed

    def _claim(
        self, session: Session, organisation_id: int, any_left: bool, asked_at: float
    ) -> list[tuple[Claim, _Turn]]:
        """What is due, with its turn. The attempt is written down with the claim where its turn has come and nothing is in
        doubt: each transaction more is a wait for the disk."""
        claimed = []
        for claim in transactions.claim_due(session, organisation_id, self._lease, any_left=any_left):
            seconds = reserve_slot(session, claim.pace, ONE_A_SECOND)
            sure = not claim.announcement.may_be_posted
            # The next one's slot is counted from this moment already.
            begun = sure and not seconds and transactions.note_attempt(session, claim)
            claimed.append((claim, _Turn(seconds, asked_at if begun else None)))
        return claimed

    def claim_no_more(self) -> None:
        """What is in flight ends; the rest is for other processes, or for the next start."""
        self._ending = True

    async def finish(self) -> None:
        """Wait for what is in flight (the caller limits the time)."""
        if self._posting:
            await asyncio.wait(self._posting)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._posting.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # The claim ends by itself, and the message is looked for before it is posted again.
            _log.error(
                "announcement.unsettled", task=task.get_name(), error=type(error).__name__, exc_info=error
            )

    async def _deliver(self, claim: Claim, turn: _Turn) -> None:
        posted: Posted | None = None
        # It may be gone from there before it has posted: then Slack takes its token no more, and says so.
        poster = self._posters[claim.organisation_id]
        if claim.announcement.may_be_posted:
            try:
                posted = await poster.find(claim.announcement)
            except HistoryUnreadable as unreadable:
                if not claim.direct:
                    _log.warning("announcement.unknown", message=claim.id, code=str(unreadable))
                    await self._db.background_write(transactions.record_unknown, claim, str(unreadable))
                    return
            except (PostUnknown, NotPosted) as trouble:
                # Not the message was refused but the look: the doubt stays.
                delay = timedelta(seconds=getattr(trouble, "retry_after", None) or LOOK_AGAIN)
                await self._db.background_write(transactions.record_doubt, claim, delay)
                return
        try:
            posted = posted or await self._post(claim, poster, turn)
        except PostUnknown:
            await self._db.background_write(transactions.record_doubt, claim, self._lease.margin)
        except NotPosted as refusal:
            await self._refused(claim, refusal)
        if posted is not None:
            await self._db.background_write(transactions.record_posted, claim, posted.channel, posted.ts)
            for _ in (claim.announcement, *claim.announcement.together):
                self._on_posted(claim.announcement.kind, (self._clock() - claim.enqueued_at).total_seconds())

    async def _post(self, claim: Claim, poster: Poster, turn: _Turn) -> Posted | None:
        await self._pause(turn.seconds)
        # The lease must outlast the attempt, or another process might judge it while it is still under way.
        if not turn.holds(self._lease) and not await self._db.background_write(
            transactions.begin_posting, claim
        ):
            return None
        return await poster.post(claim.announcement)

    async def _refused(self, claim: Claim, refusal: NotPosted) -> None:
        attempts = claim.announcement.attempts + 1
        if refusal.retry_after is not None:
            await self._db.background_write(hold_back, claim.pace, refusal.retry_after)
        aside = refusal.unforeseen and not claim.direct and attempts >= ATTEMPTS
        others = await self._db.background_read(look_behind, claim) if aside else NOBODY
        # What is behind it tells whether the channel takes anything; it is tried first.
        lost = refusal.channel_lost or (
            aside and not others.posted and not (others.waiting and attempts == ATTEMPTS)
        )
        given_up = claim.addressed and attempts >= ATTEMPTS and refusal.destination_lost
        if given_up and await self._db.background_write(tell_instead, claim):
            _log.warning("announcement.told_instead", message=claim.id, code=refusal.code)
            return
        if lost and not claim.addressed:
            _log.warning("announcement.channel_lost", organisation=claim.organisation_id, code=refusal.code)
            await self._db.background_write(record_channel_lost, claim, refusal.code, self._clock())
        if refusal.channel_lost and not claim.direct:
            delay = CHANNEL_LOST_DELAY
        elif refusal.retry_after is not None:
            delay = refusal.retry_after
        else:
            delay = min(2.0 ** min(attempts, 10), LONGEST_DELAY)
        # Not before it was tried without its thread.
        refused = (
            refusal.final or others.posted or ((refusal.channel_lost or refusal.unforeseen) and claim.direct)
        )
        dead = attempts >= ATTEMPTS and refused and not refusal.thread_lost
        if dead:
            _log.error("announcement.dead", message=claim.id, code=refusal.code)
        await self._db.background_write(
            transactions.record_not_posted,
            claim,
            refusal.code,
            timedelta(seconds=delay),
            dead=dead,
            thread_lost=refusal.thread_lost,
            aside=aside,
        )
