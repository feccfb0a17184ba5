"""Asking Stripe about refunds and disputes, and recording what it says of them now."""

from collections.abc import AsyncIterator, Awaitable, Callable, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from domain.database import Database
from domain.payments.event_reading import (
    CHARGE_TYPE,
    DISPUTE_CLOSED_TYPE,
    DISPUTE_TYPES,
    REFUND_FAILED_TYPE,
    UPDATED_TYPES,
    Received,
)
from domain.payments.reversals import of_unknown, recording, reversals, revisiting
from domain.payments.reversals.recording import OlderAnswer
from domain.payments.reversals.reversals import (
    REFUND_ENDED,
    STILL_DISPUTED,
    ReversalFacts,
    ReversalKind,
    is_before,
)
from domain.payments.reversals.revisiting import Unheard
from domain.payments.waits import Wait
from domain.states import Source
from domain.stripe.account import Account
from domain.stripe.client import id_of, listed
from domain.stripe.errors import StripeKeyRefused, StripeRefused
from domain.stripe.pace import StripePace

_log = structlog.get_logger()

SURE_AFTER = 4
"""Answers of Stripe's about one event: what it still says then is so, though it was further before."""

_LISTS = ((ReversalKind.REFUND, "/v1/refunds"), (ReversalKind.DISPUTE, "/v1/disputes"))


@dataclass(frozen=True)
class Swept:
    """What came of a sweep. Not ``whole``: Stripe refused a list, which is to be asked for again."""

    recorded: list[str]
    whole: bool
    readable: frozenset[ReversalKind]
    """What the key may read."""


class ReversalReconciler:
    """For one account's ledger. ``look_for`` records the payment of an intent that isn't known, if it is one of ours."""

    def __init__(
        self,
        db: Database,
        account: Account,
        pace: StripePace,
        look_for: Callable[[str, datetime], Awaitable[None]],
    ) -> None:
        self._db = db
        self._account = account
        self._pace = pace
        self._look_for = look_for

    async def reconcile_event(self, event: Received, now: datetime) -> tuple[str, ...] | Wait:
        """One request: the dispute, or all refunds of the payment (two, where the event doesn't tell which that is)."""
        if event.type in DISPUTE_TYPES:
            found = [await self._account.stripe.get_dispute(event.object_id)]
            kind = ReversalKind.DISPUTE
        else:
            found = await self._fetch_refunds(event)
            kind = ReversalKind.REFUND
        # Ours all have an intent.
        ours = [one for one in found if one.get("payment_intent", "") is not None]
        if found and not ours:
            return ()
        facts = [read for one in ours if (read := _read(kind, one)) is not None]
        sure = event.answers >= SURE_AFTER and not _is_before(event, facts)
        recorded = await self._record(facts, now, sure=sure, source=event.source)
        if len(facts) < len(ours):
            return Wait.UNREADABLE
        return Wait.OLDER if is_older(event, facts, news=recorded != ()) else recorded

    async def _fetch_refunds(self, event: Received) -> list[dict[str, Any]]:
        if event.type == CHARGE_TYPE:
            about = {"charge": event.object_id}
        elif event.payment_intent is not None:
            about = {"payment_intent": event.payment_intent}
        else:
            refund = await self._account.stripe.get_refund(event.object_id)
            intent = id_of(refund.get("payment_intent"))
            if intent is None:
                return [refund]
            await self._slot()
            about = {"payment_intent": intent}
        return listed(await self._account.stripe.list_page("/v1/refunds", {**about, "limit": 100}))

    async def sweep(self, created: dict[str, int], now: datetime) -> Swept:
        """Refunds and disputes since then, for a bot that was off for longer than events are kept, and older ones that may
        have moved on.

        A key that may not read them costs their badges, not the payments.
        """
        recorded: list[str] = []
        whole = True
        readable: set[ReversalKind] = set()
        for kind, path in _LISTS:
            try:
                async for kinds in self._sweep(kind, path, created, now):
                    recorded += kinds
                readable.add(kind)
            except StripeRefused as refused:
                _log.warning("stripe.list_refused", path=path, code=refused.code)
                whole = False
            except StripeKeyRefused as refused:
                if not refused.lacking:
                    raise
        recorded += await self._revisit(readable, now)
        return Swept(recorded, whole, frozenset(readable))

    async def _revisit(self, readable: set[ReversalKind], now: datetime) -> list[str]:
        """Ask about those of which nothing was heard for long, with one request each, and about payments that only have
        a flag of a version before, with two."""
        recorded: list[str] = []
        for unheard in await self._db.background_read(revisiting.list_unheard, self._ledger_id, now):
            if unheard.kind in readable:
                recorded += await self._ask_about(unheard, now)
        if len(readable) < len(_LISTS):
            return recorded
        for flagged in await self._db.background_read(revisiting.list_flagged, self._ledger_id):
            asked = True
            for intent in flagged.intents:
                found, both = await self._look_through({"payment_intent": intent}, {intent}, now)
                recorded += found
                asked = asked and both
            await self._db.background_write(revisiting.end_flags, flagged.link_id, asked=asked)
        return recorded

    async def _ask_about(self, unheard: Unheard, now: datetime) -> tuple[str, ...]:
        await self._slot()
        stripe = self._account.stripe
        get = stripe.get_refund if unheard.kind is ReversalKind.REFUND else stripe.get_dispute
        try:
            facts = _read(unheard.kind, await get(unheard.stripe_id))
        except StripeRefused as refused:
            _log.warning("stripe.reversal_refused", object=unheard.stripe_id, code=refused.code)
            facts = None
        try:
            if facts is not None:
                again = revisiting.record_again
                return await self._db.background_write(again, facts, unheard, self._ledger_id, now) or ()
        except OlderAnswer:
            return ()
        await self._db.background_write(revisiting.note_asked, self._ledger_id, unheard, now)
        return ()

    async def recheck(self, intents: frozenset[str], since: datetime, now: datetime) -> list[str]:
        """What became of these payments, the first of which was made ``since`` then: two requests, however many they are.

        Of several the account's latest hundred since then are looked through. A key that may not read them, as in ``sweep``.
        """
        by_one: dict[str, Any] = {"payment_intent": next(iter(intents))} if len(intents) == 1 else {}
        about = by_one or {"created": {"gte": int(since.timestamp())}}
        return (await self._look_through(about, intents, now))[0]

    async def _look_through(
        self, about: dict[str, Any], intents: Set[str], now: datetime
    ) -> tuple[list[str], bool]:
        """A page of each list: what was recorded of these payments, and whether Stripe showed both."""
        read, whole = await self._read_both(about)
        recorded: list[str] = []
        for kind, _ in _LISTS:
            ours = [facts for facts in read if facts.kind is kind and facts.payment_intent in intents]
            found = await self._record(ours, now, sure=False)
            recorded += () if isinstance(found, Wait) else found
        return recorded, whole

    async def list_of(self, intent: str) -> list[ReversalFacts]:
        """The refunds and disputes of this payment, with two requests. What the key may not read is left out, as in ``sweep``."""
        read, _ = await self._read_both({"payment_intent": intent})
        return [facts for facts in read if facts.payment_intent == intent]

    async def _read_both(self, about: dict[str, Any]) -> tuple[list[ReversalFacts], bool]:
        """A page of each list, and whether Stripe showed both."""
        found: list[ReversalFacts] = []
        whole = True
        for kind, path in _LISTS:
            await self._slot()
            try:
                page = listed(await self._account.stripe.list_page(path, about))
            except (StripeRefused, StripeKeyRefused) as refused:
                if isinstance(refused, StripeKeyRefused) and not refused.lacking:
                    raise
                whole = False
                continue
            found += [facts for facts in (_read(kind, one) for one in page) if facts is not None]
        return found, whole

    async def _sweep(
        self, kind: ReversalKind, path: str, created: dict[str, int], now: datetime
    ) -> AsyncIterator[tuple[str, ...]]:
        async for page in self._account.stripe.list_all(path, {"created": created}):
            read = [facts for facts in (_read(kind, one) for one in page) if facts is not None]
            intents = {facts.payment_intent for facts in read}
            ours = await self._db.background_read(recording.recorded_intents, self._ledger_id, intents)
            # The oldest first, so that the sums grow as they did.
            for facts in sorted(read, key=lambda one: one.created_at):
                if facts.payment_intent in ours:
                    recorded = await self._record([facts], now, sure=False)
                    yield () if isinstance(recorded, Wait) else recorded
            await self._slot()

    async def _record(
        self,
        read: list[ReversalFacts],
        now: datetime,
        *,
        sure: bool,
        source: Source = Source.STRIPE_LIST,
    ) -> tuple[str, ...] | Wait:
        recorded: list[str] = []
        unknown: list[ReversalFacts] = []
        older = False
        for facts in sorted(read, key=lambda one: one.created_at):
            try:
                opened = await self._write(facts, now, sure, source)
                if opened is None:
                    # Its payment isn't recorded: it came out of order, or it isn't one of ours.
                    await self._look_for(facts.payment_intent, now)
                    opened = await self._write(facts, now, sure, source)
            except OlderAnswer:
                # It keeps none of the others from being recorded.
                older = True
                continue
            recorded += opened or ()
            unknown += [facts] if opened is None else []
        if unknown:
            recorded += await self._db.background_write(of_unknown.follow, unknown, self._ledger_id, now)
        return Wait.OLDER if older else tuple(recorded)

    async def _write(
        self, facts: ReversalFacts, now: datetime, sure: bool, source: Source
    ) -> tuple[str, ...] | None:
        return await self._db.background_write(
            recording.record_reversal, facts, self._ledger_id, now, sure=sure, source=source
        )

    @property
    def _ledger_id(self) -> int:
        return self._account.ledger_id

    async def _slot(self) -> None:
        await self._pace.slot(self._ledger_id)


def _is_before(event: Received, found: list[ReversalFacts]) -> bool | None:
    """Of the one that the event is about: as ``is_before``."""
    about = next((facts for facts in found if facts.stripe_id == event.object_id), None)
    return (
        None if about is None or event.status is None else is_before(about.kind, about.status, event.status)
    )


def is_older(event: Received, found: list[ReversalFacts], *, news: bool) -> bool:
    """Whether this is what Stripe showed before the event. Where that can't be told, as where an update shows no ``news``, it is
    taken for older until Stripe has been asked so often that it is sure."""
    about = next((facts for facts in found if facts.stripe_id == event.object_id), None)
    if event.type == CHARGE_TYPE:
        return not found
    if about is None:
        return True
    if event.type == REFUND_FAILED_TYPE:
        return about.status not in REFUND_ENDED
    if event.type == DISPUTE_CLOSED_TYPE and about.status in STILL_DISPUTED:
        return True
    before = _is_before(event, found)
    unsure = before is None and (event.status is not None or event.type in UPDATED_TYPES) and not news
    return before or (unsure and event.answers < SURE_AFTER)


def _read(kind: ReversalKind, found: dict[str, Any]) -> ReversalFacts | None:
    """None, and a line in the log, for what can't be recorded: it keeps none of the others from being."""
    try:
        return reversals.read_reversal(kind, found)
    except (KeyError, ValueError, OverflowError, OSError) as error:
        _log.warning("stripe.reversal_unreadable", object=id_of(found.get("id")), reason=str(error))
        return None
