"""Comparing what Stripe says with what is recorded, and recording the difference."""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from domain.database import Database
from domain.models import Invoice, Link, Payment
from domain.payments import recording
from domain.payments.event_reading import DISPUTE_TYPE, REFUND_TYPE, SUCCEEDED_TYPE, Received
from domain.states import ExceptionKind, LinkState
from domain.stripe.accounts import Account
from domain.stripe.client import id_of, listed
from domain.stripe.errors import StripeKeyRefused, StripeRefused
from domain.stripe.pace import StripePace

_log = structlog.get_logger()

# A refund or dispute may be told of before its payment is: for so long it is asked again.
PAYMENT_KNOWN_WITHIN = timedelta(minutes=10)


class Wait(StrEnum):
    """Why an event isn't settled yet: what Stripe shows doesn't say what it tells, and doesn't contradict it for good."""

    MISSING = "missing"
    OLDER = "older"
    UNREADABLE = "unreadable"
    FORBIDDEN = "forbidden"
    PAYMENT_UNKNOWN = "payment_unknown"
    LINK_RESERVED = "link_reserved"


class PaymentUnknown(Exception):
    """A reversal of a payment that isn't recorded, but may be one of ours.

    ``being_created``: it is of a link that is reserved, whose creation settles first.
    """

    def __init__(self, being_created: bool) -> None:
        super().__init__(being_created)
        self.being_created = being_created


class Reconciler:
    """Asks one account's Stripe what came of a session, a charge or a dispute, and records it on its ledger."""

    def __init__(self, db: Database, account: Account, pace: StripePace) -> None:
        self._db = db
        self._account = account
        self._pace = pace

    async def reconcile_event(self, event: Received, now: datetime) -> tuple[str, ...] | Wait:
        """Fetch what the event is about and record it: what was recorded by this call, or what it still waits for.

        Raises the errors of stripe_errors, but for what is refused about this object alone.
        """
        await self._slot()
        try:
            if event.type in (REFUND_TYPE, DISPUTE_TYPE):
                return await self._reconcile_reversal(event, now)
            found = await self._account.stripe.get_session(event.object_id)
        except StripeRefused as refused:
            _log.warning("stripe.event_unreadable", stripe_event=event.id, type=event.type, code=refused.code)
            return Wait.MISSING if refused.code == "resource_missing" else Wait.UNREADABLE
        return await self._db.background_write(_record_session, self._ledger_id, event, found, now)

    async def sweep_reversals(
        self,
        created: dict[str, int],
        now: datetime,
    ) -> list[str]:
        """Refunds and disputes since then, for a bot that was off for longer than events are kept.

        A key that may not read them costs their badges, not the payments.
        """
        recorded: list[str] = []
        for sweep in (self._sweep_refunds, self._sweep_disputes):
            try:
                async for kinds in sweep(created, now):
                    recorded += kinds
            except StripeRefused:
                pass
            except StripeKeyRefused as refused:
                if not refused.lacking:
                    raise
        return recorded

    @property
    def _ledger_id(self) -> int:
        return self._account.ledger_id

    async def _slot(self) -> None:
        await self._pace.slot(self._ledger_id)

    async def _reconcile_reversal(self, event: Received, now: datetime) -> tuple[str, ...] | Wait:
        try:
            if event.type == REFUND_TYPE:
                return await self._reconcile_refund(event.object_id, now)
            dispute = await self._account.stripe.get_dispute(event.object_id)
            return await self._record_dispute(dispute, now)
        except PaymentUnknown as unknown:
            if unknown.being_created:
                return Wait.LINK_RESERVED
            # Later it isn't ours; and if it is, the sweep sees it once its payment is known.
            age = self._account.stripe.clock.now() - event.created_at
            return Wait.PAYMENT_UNKNOWN if age < PAYMENT_KNOWN_WITHIN else ()

    async def _sweep_refunds(self, created: dict[str, int], now: datetime) -> AsyncIterator[tuple[str, ...]]:
        async for page in self._account.stripe.list_all("/v1/refunds", {"created": created}):
            intents = [id_of(refund.get("payment_intent")) or "" for refund in page]
            ours = await self._db.background_read(_recorded_intents, self._ledger_id, intents)
            charges = {id_of(r.get("charge")) for r, pi in zip(page, intents, strict=True) if pi in ours}
            for charge_id in sorted(filter(None, charges)):
                await self._slot()
                # One that can't be read keeps none of the others from being seen.
                with contextlib.suppress(StripeRefused):
                    recorded = await self._reconcile_refund(charge_id, now)
                    yield () if isinstance(recorded, Wait) else recorded
            await self._slot()

    async def _sweep_disputes(self, created: dict[str, int], now: datetime) -> AsyncIterator[tuple[str, ...]]:
        async for page in self._account.stripe.list_all("/v1/disputes", {"created": created}):
            intents = [id_of(dispute.get("payment_intent")) or "" for dispute in page]
            ours = await self._db.background_read(_recorded_intents, self._ledger_id, intents)
            for dispute, intent in zip(page, intents, strict=True):
                if intent in ours:
                    recorded = await self._record_dispute(dispute, now)
                    yield () if isinstance(recorded, Wait) else recorded
            await self._slot()

    async def _reconcile_refund(self, charge_id: str, now: datetime) -> tuple[str, ...] | Wait:
        about = _read_reversal(await self._account.stripe.get_charge(charge_id), "amount_refunded")
        if about is None:
            return Wait.UNREADABLE
        if about.amount <= 0:
            return Wait.OLDER
        # Keyed by how much is refunded in all, which the event and the sweep see alike.
        key = f"refunded:{about.stripe_object}:{about.amount}"
        return await self._record_reversal(ExceptionKind.REFUNDED, key, about, now)

    async def _record_dispute(self, dispute: dict[str, Any], now: datetime) -> tuple[str, ...] | Wait:
        about = _read_reversal(dispute, "amount")
        if about is None:
            return Wait.UNREADABLE
        key = f"disputed:{about.stripe_object}"
        return await self._record_reversal(ExceptionKind.DISPUTED, key, about, now)

    async def _record_reversal(
        self,
        kind: ExceptionKind,
        key: str,
        about: recording.ReversalFacts,
        now: datetime,
    ) -> tuple[str, ...] | Wait:
        async def record() -> bool | None:
            return await self._db.background_write(
                recording.record_reversal, kind, about, self._ledger_id, key, now
            )

        new = await record()
        if new is None:
            # Its payment isn't recorded: it came out of order, or it isn't one of ours.
            await self._slot()
            params = {"payment_intent": about.payment_intent}
            sessions = listed(await self._account.stripe.list_page("/v1/checkout/sessions", params))
            await self._db.background_write(record_sessions, self._ledger_id, sessions, now)
            new = await record()
            if new is None:
                await self._db.background_read(_require_foreign, self._ledger_id, sessions)
        return (kind.value,) if new else ()


def _record_session(
    session: Session, ledger_id: int, event: Received, found: dict[str, Any], now: datetime
) -> tuple[str, ...] | Wait:
    facts = _read(found)
    if facts is None or facts.session_id != event.object_id:
        return Wait.UNREADABLE
    verdict = recording.record_payment(session, facts, ledger_id, event.created_at, now)
    if verdict is None and _is_being_created(session, ledger_id, facts.reference):
        # The buyer was faster than Stripe's answer to us: once the link is recorded the payment can be.
        return Wait.LINK_RESERVED
    if recording.is_ours(session, facts, ledger_id) and _is_older(event, facts):
        return Wait.OLDER
    return (verdict,) if verdict else ()


def _is_older(event: Received, facts: recording.SessionFacts) -> bool:
    """Whether this is what the session was before the event. One that expired never completes."""
    if not facts.complete:
        return not facts.expired
    return event.type == SUCCEEDED_TYPE and not facts.paid


def record_sessions(
    session: Session, ledger_id: int, page: list[dict[str, Any]], now: datetime
) -> tuple[str, ...]:
    """Record what isn't yet of one page of completed sessions."""
    read = [facts for facts in map(_read, page) if facts is not None and facts.stripe_link_id]
    known = set(
        session.scalars(
            sa.select(Payment.session_id).where(
                Payment.ledger_id == ledger_id,
                Payment.session_id.in_([facts.session_id for facts in read]),
                Payment.verdict != ExceptionKind.COMPLETED_UNPAID,
            )
        )
    )
    # The list is newest first, and the first of two payments is the one that counts.
    fresh = [facts for facts in reversed(read) if facts.session_id not in known]
    _lock(session, ledger_id, [facts.stripe_link_id for facts in fresh])
    verdicts = (recording.record_payment(session, facts, ledger_id, None, now) for facts in fresh)
    return tuple(verdict for verdict in verdicts if verdict)


def _lock(session: Session, ledger_id: int, stripe_link_ids: list[str | None]) -> None:
    """All links of a page and then their invoices, by id: in the sessions' order it would meet an import crosswise."""
    links = session.scalars(
        sa.select(Link)
        .where(Link.ledger_id == ledger_id, Link.stripe_id.in_(stripe_link_ids))
        .order_by(Link.id)
        .with_for_update()
    )
    ids = [link.invoice_id for link in links]
    session.execute(sa.select(Invoice.id).where(Invoice.id.in_(ids)).order_by(Invoice.id).with_for_update())


def _read(found: dict[str, Any]) -> recording.SessionFacts | None:
    """None, and a line in the log, for what can't be recorded: it keeps none of the others from being."""
    try:
        return recording.read_session(found)
    except (KeyError, ValueError, OverflowError, OSError) as error:
        _log.warning("stripe.session_unreadable", session=id_of(found.get("id")), reason=str(error))
        return None


def _read_reversal(found: dict[str, Any], amount_field: str) -> recording.ReversalFacts | None:
    try:
        return recording.read_reversal(found, amount_field)
    except ValueError as error:
        _log.warning("stripe.reversal_unreadable", object=id_of(found.get("id")), reason=str(error))
        return None


def _is_being_created(session: Session, ledger_id: int, reference: str | None) -> bool:
    reserved = sa.select(Link.id).where(
        Link.ledger_id == ledger_id, Link.reference == reference, Link.state == LinkState.RESERVED
    )
    return reference is not None and bool(session.scalar(sa.select(reserved.exists())))


def _recorded_intents(session: Session, ledger_id: int, intents: list[str]) -> set[str | None]:
    return set(
        session.scalars(
            sa.select(Payment.payment_intent).where(
                Payment.ledger_id == ledger_id, Payment.payment_intent.in_(intents)
            )
        )
    )


def _require_foreign(session: Session, ledger_id: int, sessions: list[dict[str, Any]]) -> None:
    """Raises PaymentUnknown unless the sessions say that the payment isn't one of ours."""
    read = [facts for facts in map(_read, sessions) if facts is not None]
    if any(_is_being_created(session, ledger_id, facts.reference) for facts in read):
        raise PaymentUnknown(being_created=True)
    ours = sa.select(Link.id).where(
        Link.ledger_id == ledger_id, Link.stripe_id.in_([facts.stripe_link_id for facts in read])
    )
    # No session yet, or one that isn't complete yet: lists lag behind (docs/facts/stripe.md).
    if not read or session.scalar(sa.select(ours.exists())):
        raise PaymentUnknown(being_created=False)
