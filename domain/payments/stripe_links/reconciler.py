"""Asking Stripe about links, also about those that aren't known: each is brought up to date, adopted, or told of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.orm import Session

from domain.database import Database
from domain.payments.event_reading import Received
from domain.payments.recording import SessionFacts
from domain.payments.session_pages import read_or_log, record_sessions
from domain.payments.stripe_links import unknown
from domain.payments.stripe_links.states import read_link, record_link
from domain.payments.stripe_links.unknown import Naming, Offer, read_naming, read_offer
from domain.payments.waits import Wait
from domain.states import ExceptionKind
from domain.stripe.accounts import Account
from domain.stripe.client import id_of, listed
from domain.stripe.errors import StripeRefused, StripeUnreadable
from domain.stripe.pace import StripePace

# An update that shows nothing new may be of something else, or read too soon: so often it is looked at again.
LOOKS_AT_UPDATE = 4

_log = structlog.get_logger()


@dataclass(frozen=True)
class Taken:
    """What came of a link that wasn't known."""

    known: bool
    """It is now."""
    recorded: tuple[str, ...] = ()


class UnknownReconciler:
    """Knows one account's ledger. A link that isn't known costs one request, and another one if it was paid."""

    def __init__(self, db: Database, account: Account, pace: StripePace) -> None:
        self._db = db
        self._account = account
        self._pace = pace

    async def reconcile_link(self, event: Received, now: datetime) -> tuple[str, ...] | Wait:
        """Fetch the link that the event is about; what was recorded by this call, or what it still waits for.

        The caller has taken a slot. Raises the errors of stripe_errors.
        """
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
            outcome = await self._reconcile_session(facts, naming, now)
            if isinstance(outcome, Wait):
                waits = outcome
            else:
                recorded += outcome
        return waits or recorded

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
        return await self._db.background_write(
            _take_up, offer, paid, self._account.ledger_id, made_at, now, tell
        )

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
    if unknown.is_being_created(session, ledger_id, offer):
        return Wait.LINK_RESERVED
    # Another event of the same link, in the same moment, may have been faster.
    known = record_link(session, offer.facts, ledger_id, now) is not None
    if known or unknown.adopt(session, offer, ledger_id, made_at, now):
        _log.info("link.adopted", stripe_link=offer.facts.stripe_id)
        record_link(session, offer.facts, ledger_id, now)
        recorded = record_sessions(session, ledger_id, paid, now)
        unknown.settle_payments(session, ledger_id, filter(None, (id_of(one) for one in paid)), now)
        return Taken(True, recorded)
    if tell and unknown.tell_link(session, offer, ledger_id, now):
        return Taken(False, (ExceptionKind.LINK_UNKNOWN.value,))
    return Taken(known=False)
