"""Creating links: one path for one and for a hundred, for a first attempt and for what a restart interrupted.

Reserve in a transaction (reserving.py), ask Stripe once (sending.py), record in a transaction (claiming.py).
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.coordination.side_by_side import for_each
from domain.database import Database
from domain.errors import NotEligible
from domain.invoices import invoices
from domain.links import claiming, reserving
from domain.links.claiming import Intent
from domain.links.sending import CatchUp, OnSettled, Sending
from domain.money import Money
from domain.reasons import Reason
from domain.scope import Scope
from domain.stripe.accounts import Account, Accounts
from domain.stripe.pace import StripePace
from domain.summaries import Actor, InvoiceSummary

# Enough to fill the limiter while each answer takes half a second; more would only queue (docs/facts/reliability.md).
IN_FLIGHT = 16
# Claimed together, in one transaction; fewer only when there is no other work (decision 0018).
CLAIMED_TOGETHER = 4

_OTHERS_WERE_FASTER = {Reason.PENDING_PAYMENT, Reason.PAID, Reason.BEING_CREATED}


class LinkCreation:
    """Creates what is reserved; several of these, in several processes, share the work by claims with leases."""

    def __init__(
        self,
        db: Database,
        accounts: Accounts,
        pace: StripePace,
        lease: Lease,
        *,
        clock: Callable[[], datetime],
        catch_up: CatchUp,
        wake: Callable[[], None] = lambda: None,
        on_settled: OnSettled = lambda link_id, created: None,
    ) -> None:
        """``catch_up`` is asked before each link is; ``wake`` is told when there is work to do."""
        self._db = db
        self._accounts = accounts
        self._pace = pace
        self._lease = lease
        self._clock = clock
        self._catch_up = catch_up
        self._on_settled = on_settled
        self._ending = False
        self._of: dict[Account, Sending] = {}
        self.wake = wake

    async def create(
        self,
        actor: Actor,
        enter: Callable[[Session], Scope],
        invoice_id: int,
        seen: Money,
        patience: float,
    ) -> InvoiceSummary:
        """Reserve the link, ask Stripe, record it; the invoice as it stands then.

        ``enter`` finds the actor's scope, or refuses them, in the transaction that reserves.
        What Stripe hasn't settled within ``patience`` seconds comes back as being created, and goes on by itself; if
        somebody else was faster, the invoice has their link. Raises InvoiceNotFound, NotEligible, AmountChanged, LedgerChanged.
        """
        scope, reserved = await self._db.write(self._reserve, actor, enter, invoice_id, seen)
        if reserved is not None:
            intent, turn = reserved
            account = self._accounts.get(scope.organisation_id)
            if account.known:
                await asyncio.wait({self._sending(account).send(intent, turn)}, timeout=patience)
            else:
                # Sent now, the link might be made in another account than the one that it is written down for.
                await self._sending(account).postpone(intent, 0.0)
        return await self._db.read(invoices.get, scope, invoice_id)

    async def run_due(self) -> None:
        """Settle every reserved link that is due, a bounded number at a time for each account."""
        await for_each(self._accounts.list_known, self._run_due)

    async def _run_due(self, account: Account) -> None:
        sending = self._sending(account)
        slow = False
        while True:
            in_flight = bool(sending.in_flight)
            free = 0 if self._ending else (1 if sending.paused else IN_FLIGHT) - len(sending.in_flight)
            claimed = []
            if free >= CLAIMED_TOGETHER or (free > 0 and (slow or not in_flight)):
                claimed = await self._db.background_write(self._claim, account.ledger_id, free)
            for intent, turn in claimed:
                sending.send(intent, turn)
            if (sending.paused and not claimed) or not (sending.in_flight or in_flight):
                return
            if sending.in_flight:
                # Not longer, so that what was reserved meanwhile doesn't wait for the slowest answer.
                done, _ = await asyncio.wait(
                    sending.in_flight, timeout=0.5, return_when=asyncio.FIRST_COMPLETED
                )
                slow = not done or (slow and bool(claimed))

    def claim_no_more(self) -> None:
        """What is in flight ends; the rest is for other processes, or for the next start."""
        self._ending = True

    async def finish(self) -> None:
        """Wait for what is in flight (the caller limits the time)."""
        in_flight = {task for sending in self._of.values() for task in sending.in_flight}
        if in_flight:
            await asyncio.wait(in_flight)

    def _sending(self, account: Account) -> Sending:
        if account not in self._of:
            self._of[account] = Sending(
                self._db,
                account,
                self._pace,
                self._lease,
                clock=self._clock,
                catch_up=self._catch_up,
                on_settled=self._on_settled,
            )
        return self._of[account]

    def _reserve(
        self,
        session: Session,
        actor: Actor,
        enter: Callable[[Session], Scope],
        invoice_id: int,
        seen: Money,
    ) -> tuple[Scope, tuple[Intent, float] | None]:
        """The reserved link and the seconds until its request's turn; None if somebody else was faster."""
        scope = enter(session)
        invoice, organisation = invoices.lock(session, scope, invoice_id)
        try:
            intent = reserving.reserve_one(
                session, scope, actor, invoice, organisation, seen, self._lease, self._clock()
            )
        except NotEligible as refusal:
            if refusal.reason not in _OTHERS_WERE_FASTER:
                raise
            return scope, None
        return scope, (intent, self._pace.take(session, scope.ledger_id, 1)[0])

    def _claim(self, session: Session, ledger_id: int, limit: int) -> list[tuple[Intent, float]]:
        """What is due, and the seconds until each request's turn."""
        claimed = claiming.claim_due(session, ledger_id, limit, self._lease)
        if not claimed:
            return []
        return list(zip(claimed, self._pace.take(session, ledger_id, len(claimed)), strict=True))
