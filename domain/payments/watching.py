"""Watching for payments, for each account by itself: one whose Stripe is away or slow holds up none of the others."""

import asyncio
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakSet

from domain.coordination.leases import Lease
from domain.coordination.side_by_side import for_each
from domain.database import Database
from domain.errors import StripeUnasked
from domain.links.known import Known
from domain.payments.account_watch import AT_START, HOURLY, AccountWatch
from domain.payments.events import Receipt
from domain.payments.many import due
from domain.payments.many.due import Watched
from domain.states import PauseReason
from domain.stripe.account import Account
from domain.stripe.accounts import Accounts
from domain.stripe.errors import StripeKeyRefused, StripeLimited, StripeTrouble
from domain.stripe.pace import StripePace
from domain.stripe.pausing import AWAY, because_refused

# Beyond a few, the first looks of two organisations are so far apart when a process starts.
FEW, START_APART = 20, timedelta(seconds=0.25)
# Seconds: while one's poll or sweep takes long the others' go on.
LOOK_AGAIN = 2.0
# Seconds: whoever has claimed what a webhook told settles it without another look, if there was one lately. The timer looks
# each second anyhow.
LOOKED_WITHIN = 1.5
# Each of them writes several times: more at once would only stand before what people wait for in SQLite's one writer.
AT_ONCE = 8


class Watching:
    """The watches of all accounts whose ledger is known; several processes share the work by claims with leases."""

    def __init__(
        self,
        db: Database,
        accounts: Accounts,
        pace: StripePace,
        lease: Lease,
        *,
        poll_every: timedelta,
        clock: Callable[[], datetime],
        wake: Callable[[], None] = lambda: None,
        on_recorded: Callable[[str], None] = lambda verdict: None,
    ) -> None:
        """``wake`` is told when there are events to settle, ``on_recorded`` of each payment or exception recorded."""
        self._db = db
        self._accounts = accounts
        self._pace = pace
        self._lease = lease
        self._poll_every = poll_every
        self._clock = clock
        self._wake = wake
        self._on_recorded = on_recorded
        self._of: dict[int, AccountWatch] = {}
        self._swept: WeakSet[AccountWatch] = WeakSet()
        self._begun_at: float | None = None
        self._looked_at = -LOOKED_WITHIN

    def get(self, organisation_id: int) -> AccountWatch:
        """The watch of this organisation's account. Raises KeyError for one that this process doesn't serve."""
        return self._of_account(self._accounts.get(organisation_id))

    def _of_account(self, account: Account) -> AccountWatch:
        watch = self._of.get(account.organisation_id)
        if watch is None or watch.account is not account:
            watch = self._of[account.organisation_id] = AccountWatch(
                self._db,
                account,
                self._pace,
                self._lease,
                poll_every=self._poll_every,
                clock=self._clock,
                wake=self._wake,
                on_recorded=self._on_recorded,
            )
        return watch

    async def receive(self, organisation_id: int, event: dict[str, Any]) -> Receipt:
        """Keep an event of this organisation's webhook, if it concerns us. Raises DatabaseUnavailable."""
        return await self.get(organisation_id).receive(event)

    async def recheck(self, organisation_id: int, stripe_id: str) -> None:
        """Ask Stripe about one link of this organisation's now, and record what it says. Raises StripeUnasked."""
        account = self._accounts.find(organisation_id)
        if account is None or not account.known:
            why = (account and account.paused) or AWAY
            raise StripeUnasked(why.reason, why.permission)
        try:
            await self.get(organisation_id).recheck(stripe_id)
        except StripeLimited:
            raise StripeUnasked(None) from None
        except StripeKeyRefused as refused:
            why = because_refused(refused)
            raise StripeUnasked(why.reason, why.permission) from None
        except StripeTrouble:
            raise StripeUnasked(PauseReason.STRIPE_AWAY) from None

    async def catch_up(self, organisation_id: int, link_id: int, known: Known) -> bool:
        """Before one of this organisation's links is asked for: whether it is known what Stripe has of its invoice, or
        False while nobody can say. Costs no request but after a gap, in which Stripe wasn't asked."""
        return await self.get(organisation_id).gaps.catch_up(link_id, known)

    async def settle_due(self) -> None:
        """Fetch and record what received events are about."""
        await for_each(self._list_to_settle, AccountWatch.settle_due)

    async def poll_if_due(self) -> None:
        """Ask for new events where the poll is due."""
        await for_each(self._list_to_poll, AccountWatch.poll_if_due, at_once=AT_ONCE, again=LOOK_AGAIN)

    async def sweep_if_due(self) -> None:
        """Go through the completed sessions where the sweep is due."""
        await for_each(self._list_to_sweep, self._sweep_if_due, at_once=AT_ONCE, again=LOOK_AGAIN)

    async def _sweep_if_due(self, watch: AccountWatch) -> None:
        # One that failed is tried again as the start's: else it would wait for the hourly one.
        if await watch.sweep_if_due(at_start=watch not in self._swept):
            self._swept.add(watch)

    async def _list_to_settle(self) -> list[AccountWatch]:
        claimed = [watch for watch in self._of.values() if watch.has_claimed]
        now = asyncio.get_running_loop().time()
        if claimed and now - self._looked_at < LOOKED_WITHIN:
            return claimed
        self._looked_at = now
        ledgers = await self._db.background_read(due.list_to_settle)
        return [*claimed, *(self._of_account(account) for account in self._accounts.of_ledgers(ledgers))]

    async def _list_to_poll(self) -> list[AccountWatch]:
        watched = await self._db.background_read(due.list_watched, "poll", self._poll_every)
        return [
            self._of_account(account)
            for account, one in self._used(watched)
            if self._is_poll_due(account, one)
        ]

    def _is_poll_due(self, account: Account, one: Watched) -> bool:
        watch = self._find(account)
        if watch is not None:
            # How far it goes by now, whoever polled, is how far it has to go at least from now on.
            watch.gaps.hear(one.polled_until)
        if one.any_link:
            return one.is_due(self._poll_every if one.often else max(HOURLY, self._poll_every))
        passed = watch is not None and watch.gaps.passed
        return not passed and one.is_due(AT_START, placed=False) and self._has_turn(one.ledger_id)

    async def _list_to_sweep(self) -> list[AccountWatch]:
        watched = await self._db.background_read(due.list_watched, "sweep", 2 * AT_START)
        return [
            self._of_account(account)
            for account, one in self._used(watched)
            if one.any_link and self._is_sweep_due(account, one)
        ]

    def _is_sweep_due(self, account: Account, one: Watched) -> bool:
        watch = self._find(account)
        if watch is not None and watch in self._swept:
            return one.is_due(HOURLY)
        return one.is_due(AT_START, placed=False) and self._has_turn(one.ledger_id)

    def _used(self, watched: list[Watched]) -> Iterator[tuple[Account, Watched]]:
        """Those of accounts that are known, one for each ledger: where several share it, any, since one's key may be refused."""
        accounts: dict[int, list[Account]] = {}
        for account in self._accounts.list_known():
            accounts.setdefault(account.ledger_id, []).append(account)
        for one in watched:
            if one.ledger_id in accounts:
                yield random.choice(accounts[one.ledger_id]), one  # noqa: S311 - chooses whose turn it is, keeps no secret

    def _find(self, account: Account) -> AccountWatch | None:
        watch = self._of.get(account.organisation_id)
        return watch if watch is not None and watch.account is account else None

    def _has_turn(self, ledger_id: int) -> bool:
        """At a start each has its turn, a moment after the one before: a thousand at once would hold up what people wait for."""
        now = asyncio.get_running_loop().time()
        if self._begun_at is None:
            self._begun_at = now
        apart = START_APART.total_seconds() * max(len(self._accounts) - FEW, 0)
        return now - self._begun_at >= due.place_of(ledger_id) * apart
