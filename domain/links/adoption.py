"""Finding a link that Stripe made although its answer never reached us (docs/facts/stripe.md, idempotency keys)."""

import asyncio
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.models import Link
from domain.stripe.client import StripeApi, read_payment_link
from domain.stripe.errors import StripeAway, StripeKeyRefused, StripeRefused, StripeUnreadable
from domain.stripe.pace import StripePace

# Stripe's clock and ours may differ by minutes.
_ALLOWANCE = timedelta(minutes=10)
Found = tuple[str, str]
"""Stripe's id of a link, and its URL."""
_Seen = dict[str, Found | StripeUnreadable]
"""By reference. A link that is there but can't be read is not adopted, and no second one is made either."""


@dataclass(frozen=True)
class _Wish:
    ledger_id: int
    reference: str
    since: datetime
    answer: "asyncio.Future[Found | None]"


class LinkSearch:
    """Looks for links, for all who wait at once: each page is read for everybody, since reads are rationed."""

    def __init__(self, db: Database, stripe: StripeApi, pace: StripePace) -> None:
        self._db = db
        self._stripe = stripe
        self._pace = pace
        self._wishes: list[_Wish] = []
        self._looking: asyncio.Task[None] | None = None

    async def find_created(self, ledger_id: int, reference: str, since: datetime) -> Found | None:
        """Stripe's id and URL of the link whose metadata carries ``reference``, or None if there is none.

        ``since``: when it was asked for first. What it looks at is read after this call. Asks the events first, which
        answer at once for the last 30 days but may come late; what isn't there is looked for in the list of links,
        newest first, down to one that is known to be older. Raises the errors of domain/stripe/errors.py.
        """
        wish = _Wish(ledger_id, reference, since, asyncio.get_running_loop().create_future())
        self._wishes.append(wish)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="link-search")
        return await wish.answer

    async def _look(self) -> None:
        try:
            while self._wishes:
                # Whoever comes from now on needs pages that are read from now on: the next round is theirs.
                ledger_id = self._wishes[0].ledger_id
                wishes = [wish for wish in self._wishes if wish.ledger_id == ledger_id]
                self._wishes = [wish for wish in self._wishes if wish.ledger_id != ledger_id]
                found: _Seen | BaseException
                try:
                    found = await self._find(ledger_id, wishes)
                except BaseException as error:
                    _answer(wishes, error)
                    if not isinstance(error, Exception):
                        raise
                else:
                    _answer(wishes, found)
        finally:
            self._looking = None

    async def _find(self, ledger_id: int, wishes: list[_Wish]) -> _Seen:
        since, until = min(wish.since for wish in wishes), max(wish.since for wish in wishes)
        missing = {wish.reference for wish in wishes}
        found = await self._in_events(ledger_id, missing, since, until)
        missing -= found.keys()
        return found | await self._in_list(ledger_id, missing, since) if missing else found

    async def _in_events(self, ledger_id: int, missing: Set[str], since: datetime, until: datetime) -> _Seen:
        # Asked for in Stripe's time, while it was sent by the database's, which is taken to be about ours.
        allowance = _ALLOWANCE + abs(self._stripe.clock.ahead)
        begin, end = since - allowance, until - _ALLOWANCE + timedelta(days=1)
        params = {
            "types": ["payment_link.created"],
            "created": {"gte": int(begin.timestamp()), "lte": int(end.timestamp())},
        }
        found: _Seen = {}
        try:
            await self._pace.slot(ledger_id)
            async for events in self._stripe.list_all("/v1/events", params):
                told = _matching([_object_of(event) for event in events], missing)
                # An event may be rendered in another way than the list.
                found |= {name: link for name, link in told.items() if isinstance(link, tuple)}
                if found.keys() == missing:
                    break
                await self._pace.slot(ledger_id)
        except StripeRefused:
            pass
        except StripeKeyRefused as refused:
            if not refused.lacking:
                raise
        return found

    async def _in_list(self, ledger_id: int, missing: Set[str], since: datetime) -> _Seen:
        found: _Seen = {}
        try:
            await self._pace.slot(ledger_id)
            async for page in self._stripe.list_all("/v1/payment_links"):
                found |= _matching(page, missing)
                ids = [str(link.get("id")) for link in page]
                if found.keys() == missing or await self._db.background_read(
                    any_older, ledger_id, ids, since
                ):
                    break
                await self._pace.slot(ledger_id)
        except StripeRefused as refused:
            # Not the link was refused but the look: nothing is known yet.
            raise StripeAway(refused.said) from None
        return found


def _answer(wishes: list[_Wish], found: _Seen | BaseException) -> None:
    for wish in wishes:
        if wish.answer.done():  # whoever asked is gone
            continue
        outcome = found if isinstance(found, BaseException) else found.get(wish.reference)
        if isinstance(outcome, Exception):
            wish.answer.set_exception(outcome)
        elif isinstance(outcome, BaseException):
            wish.answer.cancel()
        else:
            wish.answer.set_result(outcome)


def _object_of(event: dict[str, Any]) -> dict[str, Any]:
    data = event.get("data")
    about = data.get("object") if isinstance(data, dict) else None
    return about if isinstance(about, dict) else {}


def _matching(links: list[dict[str, Any]], missing: Set[str]) -> _Seen:
    found: _Seen = {}
    for link in links:
        metadata = link.get("metadata")
        reference = metadata.get("paylink_reference") if isinstance(metadata, dict) else None
        if isinstance(reference, str) and reference in missing:
            try:
                found[reference] = read_payment_link(link)
            except StripeUnreadable as unreadable:
                found[reference] = unreadable
    return found


def any_older(session: Session, ledger_id: int, stripe_ids: list[str], than: datetime) -> bool:
    """Whether one of these was certainly made before ``than``: it was asked for the last time by then."""
    older = sa.select(Link.id).where(
        Link.ledger_id == ledger_id, Link.stripe_id.in_(stripe_ids), Link.last_sent_at < than - _ALLOWANCE
    )
    return bool(session.scalar(sa.select(older.exists())))
