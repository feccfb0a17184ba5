"""What one account's webhook brings: kept before Stripe hears that it came.

Those that come while others are being kept are kept together, so that an account of which thousands come at once has one
transaction at a time, and the other organisations' commands stand behind that one alone.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog

from domain.database import Database
from domain.errors import DatabaseUnavailable
from domain.payments import event_reading, events
from domain.payments.event_reading import Received
from domain.payments.events import Receipt
from domain.payments.many import unused
from domain.stripe.account import Account

TOGETHER = 100
NOTED_EVERY = timedelta(hours=1)
# Stripe has some three hundred types; their names are shorter.
TYPE_LENGTH, MOST_TYPES = 100, 500

_log = structlog.get_logger()


class Receiving:
    """``wake`` is told when there are events to settle."""

    def __init__(
        self, db: Database, account: Account, *, clock: Callable[[], datetime], wake: Callable[[], None]
    ) -> None:
        self._db = db
        self._account = account
        self._clock = clock
        self._wake = wake
        self._unused: dict[str, datetime] = {}
        self._waiting: list[tuple[Received, asyncio.Future[Receipt]]] = []
        self._keeping: asyncio.Task[None] | None = None

    async def receive(self, event: dict[str, Any]) -> Receipt:
        """Keep a webhook's event until it is settled, if it concerns us. Raises DatabaseUnavailable."""
        livemode = self._account.stripe.livemode
        received = event_reading.read_event(event, livemode=livemode)
        if received is not None:
            return await self._kept(received)
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
        finally:
            self._keeping = None

    async def _keep_together(self, together: list[tuple[Received, asyncio.Future[Receipt]]]) -> None:
        came = [received for received, _ in together]
        try:
            answers = await self._db.write(events.keep_delivered, self._account.ledger_id, came)
        except Exception as error:  # handed to whoever awaits
            if len(together) > 1 and not isinstance(error, DatabaseUnavailable):
                # One of them can't be kept: the others are.
                for one in together:
                    await self._keep_together([one])
                return
            for _, receipt in together:
                if not receipt.done():
                    receipt.set_exception(error)
            return
        for (_, receipt), answer in zip(together, answers, strict=True):
            # Whoever delivered it may have hung up meanwhile.
            if not receipt.done():
                receipt.set_result(answer)
        if Receipt.KEPT in answers:
            self._wake()

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
