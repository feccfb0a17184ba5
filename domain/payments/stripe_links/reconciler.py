"""Asking Stripe about links, also about those that aren't known: each is brought up to date, adopted, or told of."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

import structlog
from sqlalchemy.orm import Session

from domain.database import Database
from domain.payments.event_reading import LINK_CREATED_TYPE, Received
from domain.payments.recording import SessionFacts
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


class UnknownReconciler:
    """Knows one account's ledger. A link that isn't known costs one request, another one if it was paid, and two more if
    it is adopted then. ``follow`` records what became of an adopted link's payments since."""

    def __init__(
        self,
        db: Database,
        account: Account,
        pace: StripePace,
        follow: Callable[[frozenset[str], datetime, datetime], Awaitable[list[str]]],
    ) -> None:
        self._db = db
        self._account = account
        self._pace = pace
        self._follow = follow
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def reconcile_link(self, event: Received, now: datetime) -> tuple[str, ...] | Wait:
        """Fetch the link that the event is about; what was recorded by this call, or what it still waits for.

        Raises the errors of stripe_errors.
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
        stripe, link = self._account.stripe, unplaced.stripe_id
        try:
            if unplaced.kind is ExceptionKind.PAYMENT_UNKNOWN:
                await self._slot()
                link = id_of((await stripe.get_session(unplaced.stripe_id)).get("payment_link")) or ""
            if not link:
                return Taken(known=False)
            await self._slot()
            found = await stripe.get_payment_link(link, items=True)
            return await self._take_up(read_offer(found, read_link(found)), unplaced.seen_at, now, tell=False)
        except (ValueError, StripeUnreadable, StripeRefused) as error:
            _log.warning("link.not_adopted", stripe_link=link, reason=str(error))
            return Taken(known=False)

    async def _reconcile_session(
        self, facts: SessionFacts, naming: Naming, now: datetime
    ) -> tuple[str, ...] | Wait:
        if facts.stripe_link_id is not None:
            await self._slot()
            try:
                found = await self._account.stripe.get_payment_link(facts.stripe_link_id, items=True)
                offer = read_offer(found, read_link(found))
                taken = await self._take_up(offer, facts.opened_at, now, tell=False)
            except (ValueError, StripeUnreadable, StripeRefused) as error:
                _log.warning("link.not_adopted", stripe_link=facts.stripe_link_id, reason=str(error))
                taken = Taken(known=False)
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
        taken = await self._db.background_write(
            _take_up, offer, paid, self._account.ledger_id, made_at, now, tell
        )
        if isinstance(taken, Taken) and taken.recorded and taken.known:
            facts = [one for one in map(read_or_log, paid) if one is not None]
            intents = frozenset(one.payment_intent for one in facts if one.payment_intent is not None)
            # Events told of it when nobody knew that these payments are ours.
            followed = await self._follow(intents, min(one.opened_at for one in facts), now)
            return Taken(True, (*taken.recorded, *followed))
        return taken

    async def reconsider(self, stripe_id: str, now: datetime, *, closed: bool) -> tuple[str, ...]:
        """Adopt a link that isn't known and names an organisation of ours, or tell of it while it can be paid; what was
        recorded. ``closed``: also one that can't be.

        What isn't there or can't be read, however often it is asked for, is left. Raises the errors of stripe_errors.
        """
        for _ in range(LOOKS_AT_LINK):
            await self._slot()
            try:
                found = await self._account.stripe.get_payment_link(stripe_id, items=True)
                offer = read_offer(found, read_link(found))
            except (ValueError, StripeUnreadable, StripeRefused) as error:
                _log.warning("link.not_adopted", stripe_link=stripe_id, reason=str(error))
                continue
            if not (closed or offer.facts.active or offer.facts.completed):
                break
            made_at = self._account.stripe.clock.now()
            taken = await self._take_up(offer, made_at, now, tell=offer.facts.active)
            return () if isinstance(taken, Wait) else taken.recorded
        return ()

    def _alone(self, stripe_id: str) -> asyncio.Lock:
        """Several events tell of a link at once: whoever comes first asks about it."""
        return self._asking.setdefault(stripe_id, asyncio.Lock())

    async def _slot(self) -> None:
        await self._pace.slot(self._account.ledger_id)


def _take_up(
    session: Session,
    offer: Offer,
    paid: list[dict[str, Any]],
    ledger_id: int,
    made_at: datetime,
    now: datetime,
    tell: bool,
) -> Taken | Wait:
    # Another event of the same link, in the same moment, may have been faster.
    known = record_link(session, offer.facts, ledger_id, now) is not None
    adopted = known or adopt(session, offer, ledger_id, made_at, now)
    if isinstance(adopted, Wait):
        return adopted
    if adopted:
        if not known:
            _log.info("link.adopted", stripe_link=offer.facts.stripe_id)
            record_link(session, offer.facts, ledger_id, now)
        recorded = record_sessions(session, ledger_id, paid, now)
        unknown.settle_payments(session, ledger_id, filter(None, (id_of(one) for one in paid)), now)
        return Taken(True, recorded)
    if tell and unknown.tell_link(session, offer, ledger_id, now):
        return Taken(False, (ExceptionKind.LINK_UNKNOWN.value,))
    return Taken(known=False)
