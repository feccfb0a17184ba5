"""Watching for payments, for each account by itself: one whose Stripe is away or slow holds up none of the others."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from domain.coordination.leases import Lease
from domain.coordination.side_by_side import for_each
from domain.database import Database
from domain.errors import StripeUnasked
from domain.links.known import Known
from domain.payments.account_watch import AccountWatch
from domain.payments.events import Receipt
from domain.states import PauseReason
from domain.stripe.accounts import Accounts
from domain.stripe.errors import StripeKeyRefused, StripeLimited, StripeTrouble
from domain.stripe.pace import StripePace
from domain.stripe.pausing import AWAY, because_refused


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
        self._swept: set[AccountWatch] = set()

    def get(self, organisation_id: int) -> AccountWatch:
        """The watch of this organisation's account. Raises KeyError for one that this process doesn't serve."""
        account = self._accounts.get(organisation_id)
        if organisation_id not in self._of:
            self._of[organisation_id] = AccountWatch(
                self._db,
                account,
                self._pace,
                self._lease,
                poll_every=self._poll_every,
                clock=self._clock,
                wake=self._wake,
                on_recorded=self._on_recorded,
            )
        return self._of[organisation_id]

    async def receive(self, organisation_id: int, event: dict[str, Any]) -> Receipt:
        """Keep an event of this organisation's webhook, if it concerns us. Raises DatabaseUnavailable."""
        return await self.get(organisation_id).receive(event)

    async def recheck(self, organisation_id: int, stripe_id: str) -> None:
        """Ask Stripe about one link of this organisation's now, and record what it says. Raises StripeUnasked."""
        account = self._accounts.get(organisation_id)
        if not account.known:
            why = account.paused or AWAY
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
        await for_each(self._known, AccountWatch.settle_due)

    async def poll_if_due(self) -> None:
        """Ask for new events where the poll is due."""
        await for_each(self._known, AccountWatch.poll_if_due)

    async def sweep_if_due(self) -> None:
        """Go through the completed sessions where the sweep is due."""
        await for_each(self._known, self._sweep_if_due)

    async def _sweep_if_due(self, watch: AccountWatch) -> None:
        # One that failed is tried again as the start's: else it would wait for the hourly one.
        if await watch.sweep_if_due(at_start=watch not in self._swept):
            self._swept.add(watch)

    def _known(self) -> list[AccountWatch]:
        return [self.get(account.organisation_id) for account in self._accounts.list_known()]
