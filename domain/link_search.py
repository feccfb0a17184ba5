"""Finding a link that Stripe made although its answer never reached us (facts/stripe.md, idempotency keys)."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.models import Link
from domain.pacing import StripePace
from domain.stripe_api import StripeApi
from domain.stripe_errors import StripeAway, StripeKeyRefused, StripeRefused

# Stripe's clock and ours may differ by minutes.
_ALLOWANCE = timedelta(minutes=10)


async def find_created(
    db: Database, stripe: StripeApi, pace: StripePace, ledger_id: int, reference: str, since: datetime
) -> tuple[str, str] | None:
    """Stripe's id and URL of the link whose metadata carries ``reference``, or None if there is none.

    Asks the events first, which answer at once for the last 30 days but may come late; what isn't there is looked for
    in the list of links, newest first, down to one that is known to be older. Raises the errors of stripe_errors.
    """
    return await _in_events(stripe, pace, reference, since) or await _in_list(
        db, stripe, pace, ledger_id, reference, since
    )


async def _in_events(
    stripe: StripeApi, pace: StripePace, reference: str, since: datetime
) -> tuple[str, str] | None:
    begin = int((since - _ALLOWANCE).timestamp())
    end = begin + int(timedelta(days=1).total_seconds())
    params = {"types": ["payment_link.created"], "created": {"gte": begin, "lte": end}}
    try:
        await pace.slot()
        async for events in stripe.list_all("/v1/events", params):
            for event in events:
                found = _match((event.get("data") or {}).get("object") or {}, reference)
                if found:
                    return found
            await pace.slot()
    except StripeRefused:
        return None
    except StripeKeyRefused as refused:
        if not refused.lacking:
            raise
    return None


async def _in_list(
    db: Database, stripe: StripeApi, pace: StripePace, ledger_id: int, reference: str, since: datetime
) -> tuple[str, str] | None:
    try:
        await pace.slot()
        async for page in stripe.list_all("/v1/payment_links"):
            for link in page:
                found = _match(link, reference)
                if found:
                    return found
            ids = [str(link["id"]) for link in page]
            if await db.background_read(_any_older, ledger_id, ids, since - _ALLOWANCE):
                return None
            await pace.slot()
    except StripeRefused as refused:
        # Not the link was refused but the look: nothing is known yet.
        raise StripeAway(refused.sentence) from None
    return None


def _match(link: dict[str, Any], reference: str) -> tuple[str, str] | None:
    if (link.get("metadata") or {}).get("paylink_reference") == reference and link.get("url"):
        return str(link["id"]), str(link["url"])
    return None


def _any_older(session: Session, ledger_id: int, stripe_ids: list[str], than: datetime) -> bool:
    """Whether one of these was made before ``than``, by the database's clock: it was asked for the last time by then."""
    older = sa.select(Link.id).where(
        Link.ledger_id == ledger_id, Link.stripe_id.in_(stripe_ids), Link.last_sent_at < than
    )
    return bool(session.scalar(sa.select(older.exists())))
