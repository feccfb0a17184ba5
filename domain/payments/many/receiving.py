"""What one account's webhook brings: kept before Stripe hears that it came, and claimed by the same transaction.

Those that come while others are being kept are kept together, so that an account of which thousands come at once has one
transaction at a time, and the other organisations' commands stand behind that one alone.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import Database
from domain.errors import DatabaseUnavailable
from domain.models import Ledger
from domain.payments import event_reading, events
from domain.payments.event_reading import SESSION_TYPES, Received
from domain.payments.events import Receipt
from domain.payments.many import unused
from domain.stripe.account import Account
from domain.stripe.pace import StripePace

TOGETHER = 100
# In one process's hands; what comes then waits in the database.
CLAIMED = 8
NOTED_EVERY = timedelta(hours=1)
# Stripe has some three hundred types; their names are shorter.
TYPE_LENGTH, MOST_TYPES = 100, 500

_log = structlog.get_logger()


class Receiving:
    """``calm`` says whether Stripe is in no trouble, or nothing is claimed; ``wake`` is told when there are events to settle."""

    def __init__(
        self,
        db: Database,
        account: Account,
        pace: StripePace,
        lease: Lease,
        *,
        clock: Callable[[], datetime],
        calm: Callable[[], bool],
        wake: Callable[[], None],
    ) -> None:
        self._db = db
        self._account = account
        self._pace = pace
        self._lease = lease
        self._clock = clock
        self._calm = calm
        self._wake = wake
        self._claimed: list[Received] = []
        self._unused: dict[str, datetime] = {}
        self._waiting: list[tuple[Received, asyncio.Future[Receipt]]] = []
        self._keeping: asyncio.Task[None] | None = None

    @property
    def has_claimed(self) -> bool:
        """Whether events were claimed as they were received, and nobody has taken them yet."""
        return bool(self._claimed)

    def take_claimed(self) -> list[Received]:
        """They are the caller's to settle from now on."""
        claimed, self._claimed = self._claimed, []
        return claimed

    async def claim_due(self, limit: int) -> list[Received]:
        """What is due and nobody's, the oldest first; this process's from now on."""
        return await self._db.background_write(self._claim, limit)

    async def receive(self, event: dict[str, Any]) -> Receipt:
        """Keep a webhook's event until it is settled, if it concerns us. Raises DatabaseUnavailable."""
        livemode = self._account.stripe.livemode
        received = event_reading.read_event(event, livemode=livemode)
        if received is not None:
            elsewhere = received.account is not None and await self._db.read(
                _is_of_another, self._account.ledger_id, received.account
            )
            return Receipt.NOT_OURS if elsewhere else await self._kept(received)
        if event_reading.is_nobodys(event, livemode=livemode):
            return Receipt.NOT_OURS
        await self._note_unused(str(event.get("type"))[:TYPE_LENGTH])
        return Receipt.NOT_USED

    async def _kept(self, received: Received) -> Receipt:
        receipt: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append((received, receipt))
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep(), name="keep-events")
        return await receipt

    async def _keep(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
                await self._keep_together(together)
        except BaseException as error:
            # It is ended in the middle: nobody is to wait for what won't be kept any more.
            left, self._waiting = self._waiting, []
            _fail(left, error)
            raise
        finally:
            self._keeping = None

    async def _keep_together(self, together: list[tuple[Received, asyncio.Future[Receipt]]]) -> None:
        came = [received for received, _ in together]
        try:
            free = CLAIMED - len(self._claimed) if self._calm() else 0
            answers, claimed = await self._db.write(self._keep_and_claim, came, free)
        except BaseException as error:  # handed to whoever awaits
            if not isinstance(error, Exception):
                _fail(together, error)
                raise
            if len(together) > 1 and not isinstance(error, DatabaseUnavailable):
                # One of them can't be kept: the others are.
                for one in together:
                    await self._keep_together([one])
                return
            _fail(together, error)
            return
        self._claimed += claimed
        for (_, receipt), answer in zip(together, answers, strict=True):
            # Whoever delivered it may have hung up meanwhile.
            if not receipt.done():
                receipt.set_result(answer)
        if Receipt.KEPT in answers:
            self._wake()

    def _keep_and_claim(
        self, session: Session, came: list[Received], free: int
    ) -> tuple[list[Receipt], list[Received]]:
        """What becomes of each; and up to ``free`` of what is due by then, these among it. To claim it in another transaction
        would be another wait for the disk."""
        answers = events.keep_delivered(session, self._account.ledger_id, came)
        return answers, self._claim(session, free) if Receipt.KEPT in answers and free > 0 else []

    def _claim(self, session: Session, limit: int) -> list[Received]:
        """A payment's with its turn to ask Stripe. The others take theirs when they know what to ask."""
        claimed = events.claim_due(session, self._account.ledger_id, limit, self._lease)
        asking = [event.id for event in claimed if event.type in SESSION_TYPES]
        if not asking:
            return claimed
        turns = self._pace.take(session, self._account.ledger_id, len(asking))
        turn_of = dict(zip(asking, turns, strict=True))
        return [replace(event, turn=turn_of.get(event.id)) for event in claimed]

    async def _note_unused(self, told: str) -> None:
        """Once an hour for each type: an account may have many events that nobody here needs."""
        now = self._clock()
        if not told.isprintable() or now - self._unused.get(told, now - NOTED_EVERY) < NOTED_EVERY:
            return
        if len(self._unused) >= MOST_TYPES:
            self._unused.clear()
        self._unused[told] = now
        _log.info("webhook.not_used", type=told)
        await self._db.write(unused.note_unused, self._account.ledger_id, told, now)


def _is_of_another(session: Session, ledger_id: int, account: str) -> bool:
    """Whether that is surely not the ledger's account: its key sees none of what is there."""
    own = session.scalar(sa.select(Ledger.account).where(Ledger.id == ledger_id))
    return own is not None and own != account


def _fail(waiting: list[tuple[Received, asyncio.Future[Receipt]]], error: BaseException) -> None:
    for _, receipt in waiting:
        if receipt.done():
            continue
        if isinstance(error, asyncio.CancelledError):
            receipt.cancel()
        else:
            receipt.set_exception(error)
