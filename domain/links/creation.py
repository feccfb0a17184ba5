"""Creating links: one path for one and for a hundred, for a first attempt and for what a restart interrupted.

Reserve in a transaction (reserving.py), ask Stripe once (sending.py), record in a transaction (claiming.py).
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.coordination.side_by_side import for_each
from domain.database import Database, database_now
from domain.errors import LedgerChanged, NotEligible
from domain.invoices import invoices
from domain.invoices.locking import lock_own
from domain.links import claiming, reserving
from domain.links.claiming import Intent
from domain.links.sending import CatchUp, OnSettled, Sending
from domain.models import Link
from domain.money import Money
from domain.reasons import Reason
from domain.scope import Scope
from domain.states import LinkState
from domain.stripe.account import Account
from domain.stripe.accounts import Accounts
from domain.stripe.pace import StripePace
from domain.summaries import Actor, InvoiceSummary

# Enough to fill the limiter while each answer takes half a second; more would only queue (docs/facts/reliability.md).
IN_FLIGHT = 16
# Claimed together, in one transaction; fewer only when there is no other work (decision 0018).
CLAIMED_TOGETHER = 4
# Seconds, for the links of an organisation without a key, whose account another one shares.
WITHOUT_KEY_DELAY = 15.0

_OTHERS_WERE_FASTER = {Reason.PENDING_PAYMENT, Reason.PAID, Reason.BEING_CREATED}


# Said in the statement itself: SQLite uses the index of what is due for no value that it is only given.
_RESERVED = Link.state == sa.literal(LinkState.RESERVED, Link.__table__.c.state.type, literal_execute=True)


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
        self._of: dict[int, Sending] = {}
        self._left: list[Sending] = []
        self.wake = wake

    async def create(
        self,
        actor: Actor,
        enter: Callable[[Session], Scope],
        invoice_id: int,
        seen: Money,
        patience: float,
        livemode: bool | None = None,
    ) -> InvoiceSummary:
        """Reserve the link, ask Stripe, record it; the invoice as it stands then.

        ``enter`` finds the actor's scope, or refuses them, in the transaction that reserves.
        What Stripe hasn't settled within ``patience`` seconds comes back as being created, and goes on by itself; if
        somebody else was faster, the invoice has their link. Raises InvoiceNotFound, NotEligible, AmountChanged, LedgerChanged.
        """
        scope, reserved = await self._db.write(self._reserve, actor, enter, invoice_id, seen, livemode)
        if reserved is not None:
            intent, turn = reserved
            account = self._accounts.find(scope.organisation_id)
            if account is not None and account.known and account.ledger_id == intent.ledger_id:
                await asyncio.wait({self._sending(account).send(intent, turn)}, timeout=patience)
            else:
                # Sent now, the link might be made in another account than the one that it is written down for.
                await self._db.background_write(claiming.postpone, intent, self._lease.owner, timedelta(0))
        return await self._db.read(invoices.get, scope, invoice_id)

    async def run_due(self) -> None:
        """Settle every reserved link that is due, a bounded number at a time for each account."""
        await for_each(self._list_due, self._run_due)

    async def _list_due(self) -> list[Account]:
        return [] if self._ending else self._accounts.of_ledgers(await self._db.background_read(_list_due))

    async def _run_due(self, account: Account) -> None:
        sending = self._sending(account)
        slow = False
        while True:
            in_flight = bool(sending.in_flight)
            free = (
                0
                if self._ending or account.retired
                else (1 if sending.paused else IN_FLIGHT) - len(sending.in_flight)
            )
            claimed = []
            if free >= CLAIMED_TOGETHER or (free > 0 and (slow or not in_flight)):
                claimed = await self._db.background_write(self._claim, account.ledger_id, free)
            for intent, turn in claimed:
                own = self._accounts.find_own(intent.organisation_id, account)
                if own is None:
                    await sending.postpone(intent, WITHOUT_KEY_DELAY)
                else:
                    self._sending(own).send(intent, turn)
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
        in_flight = {task for sending in (*self._of.values(), *self._left) for task in sending.in_flight}
        if in_flight:
            await asyncio.wait(in_flight)

    def _sending(self, account: Account) -> Sending:
        sending = self._of.get(account.organisation_id)
        if sending is None or sending.account is not account:
            if sending is not None:
                # By another key: what is under way ends with that one.
                self._left = [one for one in (*self._left, sending) if one.in_flight]
            sending = self._of[account.organisation_id] = Sending(
                self._db,
                account,
                self._pace,
                self._lease,
                clock=self._clock,
                catch_up=self._catch_up,
                on_settled=self._on_settled,
            )
        return sending

    def _reserve(
        self,
        session: Session,
        actor: Actor,
        enter: Callable[[Session], Scope],
        invoice_id: int,
        seen: Money,
        livemode: bool | None,
    ) -> tuple[Scope, tuple[Intent, float] | None]:
        """The reserved link and the seconds until its request's turn; None if somebody else was faster."""
        scope = enter(session)
        if livemode not in (None, scope.livemode):
            raise LedgerChanged
        invoice, organisation = lock_own(session, scope, invoice_id)
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


def _list_due(session: Session) -> list[int]:
    """The ledgers in which reserved links are due that are nobody's."""
    now = database_now(session)
    free = sa.or_(Link.lease_until.is_(None), Link.lease_until < now)
    due = sa.select(Link.ledger_id).where(_RESERVED, Link.next_attempt_at <= now, free)
    return list(session.scalars(due.distinct()))
