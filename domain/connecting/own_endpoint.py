"""The webhook endpoint that Paylink makes for itself at Stripe: one for each organisation, by its address."""

import asyncio
import uuid
from dataclasses import dataclass, field

from domain.payments.event_reading import TYPES
from domain.stripe.client import API_VERSION, Object, StripeApi
from domain.stripe.errors import StripeAway, StripeLimited, StripeRefused, StripeTrouble

ATTEMPTS = 3
# Whoever leaves is gone within a minute, whether or not Stripe answers.
REMOVAL_SECONDS = 10.0


@dataclass(frozen=True)
class OwnEndpoint:
    id: str
    secret: str = field(repr=False)


async def provide_endpoint(
    stripe: StripeApi, url: str, *, organisation: str, known: OwnEndpoint | None = None
) -> OwnEndpoint:
    """The endpoint at this address, of which there is one afterwards; whichever else is there is deleted.

    ``known`` is the one whose secret is at hand: it is taken up again if it is still there. The secret of any other can't be
    read, so a new one is made in its place. Raises the errors of domain/stripe/errors.py; made or not, the next call
    puts it right.
    """
    there = await _list_ours(stripe, url)
    if known is not None and any(one["id"] == known.id for one in there):
        await _renew(stripe, next(one for one in there if one["id"] == known.id))
        await _delete_all(stripe, [one for one in there if one["id"] != known.id])
        return known
    made = await _create(stripe, url, organisation, there)
    await _delete_all(stripe, there)
    return made


async def remove_endpoint(stripe: StripeApi, endpoint_id: str) -> bool:
    """Delete the one that Paylink made, within ten seconds; whether it is gone. Else somebody has to do it by hand."""
    try:
        async with asyncio.timeout(REMOVAL_SECONDS):
            await _delete(stripe, endpoint_id)
    except (StripeTrouble, TimeoutError):
        return False
    return True


async def _list_ours(stripe: StripeApi, url: str) -> list[Object]:
    return [
        one
        async for page in stripe.list_all("/v1/webhook_endpoints")
        for one in page
        if one.get("url") == url
    ]


async def _renew(stripe: StripeApi, endpoint: Object) -> None:
    told = endpoint.get("enabled_events")
    heard = {one for one in told if isinstance(one, str)} if isinstance(told, list) else set()
    if heard != set(TYPES) or endpoint.get("status") != "enabled":
        await stripe.change_endpoint(endpoint["id"], {"enabled_events": list(TYPES), "disabled": False})


async def _create(stripe: StripeApi, url: str, organisation: str, there: list[Object]) -> OwnEndpoint:
    params = {
        "url": url,
        "enabled_events": list(TYPES),
        "api_version": API_VERSION,
        "description": f"Paylink, for the Slack workspace {organisation}",
        "metadata": {"organization": organisation},
    }
    try:
        return await _create_once(stripe, params)
    except StripeRefused:
        # An account has sixteen at most: ours may be the one too many.
        if not there:
            raise
        await _delete_all(stripe, there)
        return await _create_once(stripe, params)


async def _create_once(stripe: StripeApi, params: Object) -> OwnEndpoint:
    """With one idempotency key however often it has to be asked."""
    key = f"paylink-endpoint-{uuid.uuid4()}"
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _read(await stripe.create_endpoint(params, key=key))
        except (StripeAway, StripeLimited):
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _read(made: Object) -> OwnEndpoint:
    ours, secret = made.get("id"), made.get("secret")
    if not isinstance(ours, str) or not isinstance(secret, str) or not secret.startswith("whsec_"):
        raise StripeAway("a webhook endpoint without a secret")
    return OwnEndpoint(ours, secret)


async def _delete_all(stripe: StripeApi, endpoints: list[Object]) -> None:
    for one in endpoints:
        await _delete(stripe, one["id"])


async def _delete(stripe: StripeApi, endpoint_id: str) -> None:
    try:
        await stripe.delete_endpoint(endpoint_id)
    except StripeRefused as refused:
        if refused.code != "resource_missing":
            raise
