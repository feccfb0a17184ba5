"""Comparing what Stripe says with what is recorded, and recording the difference."""

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from domain.database import Database
from domain.models import Link, Payment
from domain.payments import events, recording
from domain.payments.event_reading import (
    LINK_TYPES,
    SESSION_TYPES,
    SUCCEEDED_TYPE,
    Received,
)
from domain.payments.reversals.reconciler import ReversalReconciler, Swept
from domain.payments.reversals.recording import recorded_intents
from domain.payments.session_pages import read_or_log, record_sessions
from domain.payments.stripe_links import states as link_states
from domain.payments.stripe_links.reconciler import UnknownReconciler
from domain.payments.waits import Wait
from domain.states import LinkState
from domain.stripe.account import Account
from domain.stripe.client import id_of, listed
from domain.stripe.errors import StripeRefused
from domain.stripe.pace import StripePace

_log = structlog.get_logger()

# A refund or dispute may be told of before its payment is: for so long it is asked again. That Stripe lists the session
# takes seconds; a payment without one didn't come through a link.
PAYMENT_KNOWN_WITHIN, SESSION_LISTED_WITHIN = timedelta(minutes=10), timedelta(seconds=15)


class PaymentUnknown(Exception):
    """A reversal of a payment that isn't recorded, but may be one of ours.

    ``being_created``: it is of a link that is reserved, whose creation settles first. ``listed``: it has a session.
    """

    def __init__(self, *, being_created: bool, listed: bool) -> None:
        super().__init__(being_created, listed)
        self.being_created = being_created
        self.listed = listed


class Reconciler:
    """Asks one account's Stripe what came of a session, a charge or a dispute, and records it on its ledger."""

    def __init__(self, db: Database, account: Account, pace: StripePace) -> None:
        self._db = db
        self._account = account
        self._pace = pace
        self._reversals = ReversalReconciler(db, account, pace, self._look_for)
        self.unknown = UnknownReconciler(db, account, pace, self._reversals.list_of)

    async def reconcile_event(
        self, event: Received, now: datetime, before: asyncio.Task[None] | None = None
    ) -> tuple[str, ...] | Wait:
        """Fetch what the event is about, record it and settle the event: what was recorded by this call, or what it still
        waits for.

        A payment is recorded when the one ``before`` it is.

        Raises the errors of domain/stripe/errors.py, but for what is refused about this object alone.
        """
        try:
            if event.type in SESSION_TYPES:
                await (self._slot() if event.turn is None else self._pace.wait(event.turn))
                found = await self._account.stripe.get_session(event.object_id)
            elif event.type in LINK_TYPES:
                recorded = await self.unknown.reconcile_link(event, now)
            else:
                await self._slot()
                recorded = await self._reconcile_reversal(event, now)
        except StripeRefused as refused:
            _log.warning("stripe.event_unreadable", stripe_event=event.id, type=event.type, code=refused.code)
            return Wait.MISSING if refused.code == "resource_missing" else Wait.UNREADABLE
        if event.type in SESSION_TYPES:
            if before is not None:
                await asyncio.wait([before])
            return await self._reconcile_session(event, found, now)
        if not isinstance(recorded, Wait):
            await self._settle(event, now)
        return recorded

    async def reconcile_unknown(self, page: list[dict[str, Any]], now: datetime) -> tuple[str, ...]:
        """As UnknownReconciler.reconcile_sessions; what waits is seen again by the next sweep."""
        found = await self.unknown.reconcile_sessions(page, now)
        return () if isinstance(found, Wait) else found

    async def sweep_reversals(self, created: dict[str, int], now: datetime) -> Swept:
        """As ReversalReconciler.sweep."""
        return await self._reversals.sweep(created, now)

    async def reconcile_link(self, stripe_id: str, now: datetime) -> list[str]:
        """Ask about one link: its sessions, and the refunds and disputes of its payments, or whether it can be paid still.

        Three requests, two of a link that isn't paid.

        Raises the errors of domain/stripe/errors.py.
        """
        await self._slot()
        about = {"payment_link": stripe_id, "status": "complete"}
        page = listed(await self._account.stripe.list_page("/v1/checkout/sessions", about))
        recorded = await self._db.background_write(record_sessions, self._ledger_id, page, now)
        paid = await self._db.background_read(_payments_of, self._ledger_id, stripe_id)
        if not paid:
            await self._slot()
            with contextlib.suppress(ValueError):
                facts = link_states.read_link(await self._account.stripe.get_payment_link(stripe_id))
                await self._db.background_write(link_states.record_link, facts, self._ledger_id, now)
            return list(recorded)
        return [*recorded, *await self._reversals.recheck(frozenset(paid), min(paid.values()), now)]

    @property
    def _ledger_id(self) -> int:
        return self._account.ledger_id

    async def _slot(self) -> None:
        await self._pace.slot(self._ledger_id)

    async def _settle(self, event: Received, now: datetime) -> None:
        await self._db.background_write(events.settle, self._ledger_id, event.id, now)

    async def _reconcile_session(
        self, event: Received, found: dict[str, Any], now: datetime
    ) -> tuple[str, ...] | Wait:
        """What came of it, which settles the event: most of them in the transaction that records the payment."""
        recorded = await self._db.background_write(_record_session, self._ledger_id, event, found, now)
        if isinstance(recorded, Wait) or (recorded and event.waits_for is None):
            return recorded
        if not recorded:
            unknown = await self.unknown.reconcile_sessions([found], now)
            if isinstance(unknown, Wait):
                return unknown
            # Its link may be known by now, and the event tells when it was paid.
            again = await self._db.background_write(_record_session, self._ledger_id, event, found, now)
            if isinstance(again, Wait):
                return again
            recorded = unknown + again
        if event.waits_for is not None:
            recorded += await self._follow(found, now)
        await self._settle(event, now)
        return recorded

    async def _follow(self, found: dict[str, Any], now: datetime) -> tuple[str, ...]:
        """What became of a payment that couldn't be seen for a while: events told of it, and nobody knew that it is ours."""
        intent = id_of(found.get("payment_intent"))
        if intent is None or not await self._db.background_read(recorded_intents, self._ledger_id, {intent}):
            return ()
        return tuple(await self._reversals.recheck(frozenset({intent}), now, now))

    async def _reconcile_reversal(self, event: Received, now: datetime) -> tuple[str, ...] | Wait:
        try:
            return await self._reversals.reconcile_event(event, now)
        except PaymentUnknown as unknown:
            if unknown.being_created:
                return Wait.LINK_RESERVED
            # Later it isn't ours; and if it is, the sweep sees it once its payment is known.
            age = self._account.stripe.clock.now() - event.created_at
            within = PAYMENT_KNOWN_WITHIN if unknown.listed else SESSION_LISTED_WITHIN
            return Wait.PAYMENT_UNKNOWN if age < within else ()

    async def _look_for(self, payment_intent: str, now: datetime) -> None:
        """Record the payment of this intent if it is of one of our links. Raises PaymentUnknown while nobody can say."""
        await self._slot()
        sessions = listed(
            await self._account.stripe.list_page("/v1/checkout/sessions", {"payment_intent": payment_intent})
        )
        await self._db.background_write(record_sessions, self._ledger_id, sessions, now)
        if not await self._db.background_read(recorded_intents, self._ledger_id, {payment_intent}):
            await self._db.background_read(_require_foreign, self._ledger_id, sessions)


def _record_session(
    session: Session, ledger_id: int, event: Received, found: dict[str, Any], now: datetime
) -> tuple[str, ...] | Wait:
    facts = read_or_log(found)
    if facts is None or facts.session_id != event.object_id:
        return Wait.UNREADABLE
    verdict = recording.record_payment(session, facts, ledger_id, event.created_at, now, event.source)
    if verdict is None and _is_being_created(session, ledger_id, facts.reference):
        # The buyer was faster than Stripe's answer to us: once the link is recorded the payment can be.
        return Wait.LINK_RESERVED
    if _is_older(event, facts) and recording.is_ours(session, facts, ledger_id):
        return Wait.OLDER
    if verdict is None:
        return ()
    if event.waits_for is None:
        # Else it is followed up before.
        events.settle(session, ledger_id, event.id, now)
    return (verdict,)


def _is_older(event: Received, facts: recording.SessionFacts) -> bool:
    """Whether this is what the session was before the event. One that expired never completes."""
    if not facts.complete:
        return not facts.expired
    return event.type == SUCCEEDED_TYPE and not facts.paid


def _payments_of(session: Session, ledger_id: int, stripe_id: str) -> dict[str, datetime]:
    """When each payment of the link was made, by its payment intent."""
    rows = session.execute(
        sa.select(Payment.payment_intent, Payment.paid_at)
        .join(Link, Link.id == Payment.link_id)
        .where(Payment.ledger_id == ledger_id, Link.stripe_id == stripe_id)
    )
    return {intent: paid_at for intent, paid_at in rows if intent is not None}


def _is_being_created(session: Session, ledger_id: int, reference: str | None) -> bool:
    reserved = sa.select(Link.id).where(
        Link.ledger_id == ledger_id, Link.reference == reference, Link.state == LinkState.RESERVED
    )
    return reference is not None and bool(session.scalar(sa.select(reserved.exists())))


def _require_foreign(session: Session, ledger_id: int, sessions: list[dict[str, Any]]) -> None:
    """Raises PaymentUnknown unless the sessions say that the payment isn't one of ours."""
    read = [facts for facts in map(read_or_log, sessions) if facts is not None]
    if any(_is_being_created(session, ledger_id, facts.reference) for facts in read):
        raise PaymentUnknown(being_created=True, listed=True)
    ours = sa.select(Link.id).where(
        Link.ledger_id == ledger_id, Link.stripe_id.in_([facts.stripe_link_id for facts in read])
    )
    # No session yet, or one that isn't complete yet: lists lag behind (docs/facts/stripe.md).
    if not read or session.scalar(sa.select(ours.exists())):
        raise PaymentUnknown(being_created=False, listed=bool(read))
