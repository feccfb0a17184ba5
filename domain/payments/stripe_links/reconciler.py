"""Asking Stripe about links, also about those that aren't known: each is brought up to date, adopted, or told of."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

import structlog
from sqlalchemy.orm import Session

from domain.database import Database
from domain.payments.event_reading import LINK_CREATED_TYPE, Received
from domain.payments.recording import SessionFacts
from domain.payments.reversals import recording
from domain.payments.reversals.recording import OlderAnswer
from domain.payments.reversals.reversals import ReversalFacts
from domain.payments.session_pages import read_or_log, record_sessions
from domain.payments.stripe_links import unknown
from domain.payments.stripe_links.adopting import adopt
from domain.payments.stripe_links.naming import Naming, Offer, read_naming, read_offer
from domain.payments.stripe_links.states import is_settled, read_link, record_link
from domain.payments.stripe_links.unknown import Unplaced
from domain.payments.waits import Wait
from domain.states import ExceptionKind
from domain.stripe.account import Account
from domain.stripe.client import id_of, listed
from domain.stripe.errors import StripeRefused, StripeUnreadable
from domain.stripe.pace import StripePace

# An update that shows nothing new may be of something else, or read too soon: so often it is looked at again.
LOOKS_AT_UPDATE = 4
# One unlucky answer says nothing.
LOOKS_AT_LINK = 3

_log = structlog.get_logger()


@dataclass(frozen=True)
class Taken:
    """What came of a link that wasn't known."""

    known: bool
    """It is now."""
    recorded: tuple[str, ...] = ()


class _NotFollowed(Exception):
    """A link would be adopted with payments of which it isn't known yet what became of them."""

    def __init__(self, intents: list[str]) -> None:
        super().__init__()
        self.intents = intents


class UnknownReconciler:
    """Knows one account's ledger. A link that isn't known costs one request, another one if it was paid, and two more for
    each payment if it is adopted then. ``follow`` asks for a payment's refunds and disputes."""

    def __init__(
        self,
        db: Database,
        account: Account,
        pace: StripePace,
        follow: Callable[[str], Awaitable[list[ReversalFacts]]],
    ) -> None:
        self._db = db
        self._account = account
        self._pace = pace
        self._follow = follow
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def reconcile_link(self, event: Received, now: datetime) -> tuple[str, ...] | Wait:
        """Fetch the link that the event is about; what was recorded by this call, or what it still waits for.

        Raises the errors of domain/stripe/errors.py.
        """
        async with self._alone(event.object_id):
            created = event.type == LINK_CREATED_TYPE
            ledger_id, stripe_id = self._account.ledger_id, event.object_id
            if await self._db.background_read(is_settled, ledger_id, stripe_id, created=created):
                return ()
            return await self._reconcile_link(event, now)

    async def _reconcile_link(self, event: Received, now: datetime) -> tuple[str, ...] | Wait:
        await self._slot()
        found = await self._account.stripe.get_payment_link(event.object_id, items=True)
        try:
            facts = read_link(found)
            changed = await self._db.background_write(record_link, facts, self._account.ledger_id, now)
            if changed is None:
                taken = await self._take_up(read_offer(found, facts), event.created_at, now, tell=True)
                return taken if isinstance(taken, Wait) else taken.recorded
        except (ValueError, StripeUnreadable):
            return Wait.UNREADABLE
        return Wait.OLDER if not changed and event.answers < LOOKS_AT_UPDATE else ()

    async def reconcile_sessions(
        self, sessions: list[dict[str, Any]], now: datetime
    ) -> tuple[str, ...] | Wait:
        """Adopt the links of those paid sessions that name an organisation of ours, or tell of the payments.

        What was recorded, or what the last of them waits for.
        """
        named = [
            (facts, read_naming(one.get("metadata")))
            for one in sessions
            if (facts := read_or_log(one)) is not None
        ]
        found = await self._db.background_read(unknown.find_unknown, self._account.ledger_id, named)
        recorded: tuple[str, ...] = ()
        waits: Wait | None = None
        for facts, naming in found:
            async with self._alone(facts.stripe_link_id or facts.session_id):
                if not await self._db.background_read(
                    unknown.find_unknown, self._account.ledger_id, [(facts, naming)]
                ):
                    continue
                outcome = await self._reconcile_session(facts, naming, now)
            if isinstance(outcome, Wait):
                waits = outcome
            else:
                recorded += outcome
        return waits or recorded

    async def look_again(self, now: datetime) -> tuple[str, ...]:
        """Adopt what was told of before its invoice was imported: one request for each, two for a payment, and once."""
        recorded: tuple[str, ...] = ()
        for unplaced in await self._db.background_read(unknown.list_unplaced, self._account.ledger_id):
            outcome = await self._look_again(unplaced, now)
            if isinstance(outcome, Wait):
                continue
            recorded += outcome.recorded
            await self._db.background_write(unknown.place_told, unplaced, self._account.ledger_id)
        return recorded

    async def _look_again(self, unplaced: Unplaced, now: datetime) -> Taken | Wait:
        link: str | None = unplaced.stripe_id
        try:
            if unplaced.kind is ExceptionKind.PAYMENT_UNKNOWN:
                await self._slot()
                link = id_of((await self._account.stripe.get_session(unplaced.stripe_id)).get("payment_link"))
            offer = None if link is None else await self._find_offer(link)
            if offer is not None:
                return await self._take_up(offer, unplaced.seen_at, now, tell=False)
        except StripeRefused as refused:
            _log.warning("link.not_adopted", stripe_link=link, reason=str(refused))
        return Taken(known=False)

    async def _reconcile_session(
        self, facts: SessionFacts, naming: Naming, now: datetime
    ) -> tuple[str, ...] | Wait:
        if facts.stripe_link_id is not None:
            offer = await self._find_offer(facts.stripe_link_id)
            taken: Taken | Wait = Taken(known=False)
            try:
                if offer is not None:
                    taken = await self._take_up(offer, facts.opened_at, now, tell=False)
            except StripeRefused as refused:
                _log.warning("link.not_adopted", stripe_link=facts.stripe_link_id, reason=str(refused))
            if isinstance(taken, Wait) or taken.known:
                return taken if isinstance(taken, Wait) else taken.recorded
        told = await self._db.background_write(
            unknown.tell_payment, facts, naming, self._account.ledger_id, now
        )
        return (ExceptionKind.PAYMENT_UNKNOWN.value,) if told else ()

    async def _take_up(self, offer: Offer, made_at: datetime, now: datetime, *, tell: bool) -> Taken | Wait:
        """Adopt the link with what was paid through it, or, with ``tell``, tell of it."""
        if offer.naming is None:
            return Taken(known=False)
        paid: list[dict[str, Any]] = []
        if offer.facts.completed:
            await self._slot()
            asked = {"payment_link": offer.facts.stripe_id, "status": "complete"}
            paid = listed(await self._account.stripe.list_page("/v1/checkout/sessions", asked))
        reversals: list[ReversalFacts] | None = None
        while True:
            try:
                return await self._db.background_write(
                    _take_up, offer, paid, reversals, self._account.ledger_id, made_at, now, tell
                )
            except _NotFollowed as not_followed:
                # Events told of it when nobody knew that these payments are ours, and won't again: whoever dies now has
                # adopted nothing.
                reversals = [one for intent in not_followed.intents for one in await self._follow(intent)]

    async def reconsider(self, stripe_id: str, now: datetime, *, closed: bool) -> tuple[str, ...]:
        """Adopt a link that isn't known and names an organisation of ours, or tell of it while it can be paid; what was
        recorded. ``closed``: also one that can't be.

        What isn't there or can't be read, however often it is asked for, is left. Raises the errors of domain/stripe/errors.py.
        """
        offer = await self._find_offer(stripe_id)
        if offer is None or not (closed or offer.facts.active or offer.facts.completed):
            return ()
        made_at = self._account.stripe.clock.now()
        taken = await self._take_up(offer, made_at, now, tell=offer.facts.active)
        return () if isinstance(taken, Wait) else taken.recorded

    async def _find_offer(self, stripe_id: str) -> Offer | None:
        """What the link asks for; None if it isn't there or can't be read, however often it is asked for."""
        for _ in range(LOOKS_AT_LINK):
            await self._slot()
            try:
                found = await self._account.stripe.get_payment_link(stripe_id, items=True)
                return read_offer(found, read_link(found))
            except (ValueError, StripeUnreadable, StripeRefused) as error:
                _log.warning("link.not_adopted", stripe_link=stripe_id, reason=str(error))
        return None

    def _alone(self, stripe_id: str) -> asyncio.Lock:
        """Several events tell of a link at once: whoever comes first asks about it."""
        return self._asking.setdefault(stripe_id, asyncio.Lock())

    async def _slot(self) -> None:
        await self._pace.slot(self._account.ledger_id)


def _take_up(
    session: Session,
    offer: Offer,
    paid: list[dict[str, Any]],
    reversals: Sequence[ReversalFacts] | None,
    ledger_id: int,
    made_at: datetime,
    now: datetime,
    tell: bool,
) -> Taken | Wait:
    """Raises _NotFollowed where payments would be recorded without their ``reversals``."""
    # Another event of the same link, in the same moment, may have been faster.
    known = record_link(session, offer.facts, ledger_id, now) is not None
    adopted = known or adopt(session, offer, ledger_id, made_at, now)
    if isinstance(adopted, Wait):
        return adopted
    if adopted:
        if not known:
            record_link(session, offer.facts, ledger_id, now)
        recorded = record_sessions(session, ledger_id, paid, now)
        read = [facts for facts in map(read_or_log, paid) if facts is not None]
        if recorded and reversals is None:
            intents = [facts.payment_intent for facts in read if facts.payment_intent is not None]
            raise _NotFollowed(intents)
        if not known:
            _log.info("link.adopted", stripe_link=offer.facts.stripe_id)
        unknown.settle_payments(session, ledger_id, filter(None, (id_of(one) for one in paid)), now)
        for facts in sorted(reversals or (), key=lambda one: one.created_at):
            with contextlib.suppress(OlderAnswer):
                recorded += recording.record_reversal(session, facts, ledger_id, now, sure=False) or ()
        return Taken(True, recorded)
    if tell and unknown.tell_link(session, offer, ledger_id, now):
        return Taken(False, (ExceptionKind.LINK_UNKNOWN.value,))
    return Taken(known=False)
