"""The one file that knows Stripe: its SDK, its requests, its answers (transport.py: the SDK's way over the network).

Requests go through the SDK's asynchronous aiohttp client (the lightest, docs/facts/stripe.md) with the SDK's own retries
off, since what may be sent again is decided where the intent is kept.
"""

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import stripe

from domain.stripe.clock import utc_now
from domain.stripe.errors import (
    NotFromStripe,
    SignatureInvalid,
    StripeAway,
    StripeTrouble,
    StripeUnreadable,
)
from domain.stripe.transport import Connections

API_VERSION = str(stripe.api_version or "2026-10-28.endive")
TOLERANCE_SECONDS = 300
PAGE = 100
Object = dict[str, Any]

MOST = 2**63 - 1
# Stripe's are shorter; with a word before it and an amount behind it, one fits into a key of 255 characters.
_ID = re.compile(r"[A-Za-z0-9_]{1,220}", re.ASCII)
# Slack takes no longer one on a button than 3,000 characters.
_URL = re.compile(r"https?://[!-~]{1,2000}", re.ASCII)


class StripeApi:
    """One Stripe key. Every method raises the errors of domain/stripe/errors.py and nothing else.

    ``timeout`` is in seconds and covers a whole request. ``on_request`` hears the outcome of each one. ``spacing`` is the
    least number of seconds between two requests of this process: whoever waited for slots while the machine was busy
    would else send several at once. With ``connections`` those are shared, and their time-out and clock hold.
    """

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str | None = None,
        proxy: str | None = None,
        timeout: float = 10.0,
        spacing: float = 0.0,
        clock: Callable[[], datetime] = utc_now,
        on_request: Callable[[str], None] = lambda outcome: None,
        connections: Connections | None = None,
    ) -> None:
        self._owns = connections is None
        self._connections = connections or Connections(timeout=timeout, proxy=proxy, clock=clock)
        self.livemode = is_live(api_key)
        self.key_digest = digest_of(api_key)
        self.timeout = self._connections.timeout
        self.clock = self._connections.clock
        self._on_request = on_request
        self._spacing = spacing
        self._turn = asyncio.Lock()
        self._sent_at = 0.0
        self._api_key = api_key
        self._base_url = base_url
        self._client: stripe.StripeClient | None = None
        self._closed = False

    async def create_payment_link(
        self, request: Mapping[str, Any], *, key: str, version: str
    ) -> tuple[str, str]:
        """Send a link's stored request; return its id and URL. The same ``key`` brings the same answer for 24 hours at
        least. Raises StripeUnreadable for an answer that is no link, though there may be one."""
        return read_payment_link(
            await self._call("post", "/v1/payment_links", request, key=key, version=version)
        )

    async def get_account(self) -> Object:
        return await self._call("get", "/v1/account")

    async def get_payment_link(self, stripe_id: str, *, items: bool = False) -> Object:
        """``items``: with what it sells."""
        expand = {"expand": ["line_items"]} if items else {}
        return await self._call("get", f"/v1/payment_links/{stripe_id}", expand)

    async def get_session(self, session_id: str) -> Object:
        return await self._call("get", f"/v1/checkout/sessions/{session_id}")

    async def get_refund(self, refund_id: str) -> Object:
        return await self._call("get", f"/v1/refunds/{refund_id}")

    async def get_dispute(self, dispute_id: str) -> Object:
        return await self._call("get", f"/v1/disputes/{dispute_id}")

    async def list_page(self, path: str, params: Mapping[str, Any] = {}) -> Object:
        """One page of a list, as Stripe gives it."""
        return await self._call("get", path, {"limit": PAGE, **params})

    async def list_all(
        self,
        path: str,
        params: Mapping[str, Any] = {},
        *,
        before_next: Callable[[], Awaitable[None]] | None = None,
    ) -> AsyncIterator[list[Object]]:
        """Each page of a list, newest first as Stripe orders lists; what has no id in it is left out. ``before_next`` is waited for
        before each page but the first."""
        cursor: dict[str, str] = {}
        while True:
            page = await self.list_page(path, {**params, **cursor})
            data = listed(page)
            yield data
            if not page.get("has_more"):
                return
            if not data:
                raise StripeUnreadable("a page without anything that has an id")
            cursor = {"starting_after": data[-1]["id"]}
            if before_next is not None:
                await before_next()

    async def probe_create(self, path: str = "/v1/payment_links") -> None:
        """Ask for a link without items, or for something else without what it needs: StripeRefused means that the key may
        create such."""
        await self._call("post", path, {})

    async def create_endpoint(self, params: Mapping[str, Any], *, key: str) -> Object:
        """A webhook endpoint; only this answer, and the same to the same ``key``, holds its secret."""
        return await self._call("post", "/v1/webhook_endpoints", params, key=key)

    async def change_endpoint(self, endpoint_id: str, params: Mapping[str, Any]) -> Object:
        return await self._call("post", f"/v1/webhook_endpoints/{endpoint_id}", params)

    async def delete_endpoint(self, endpoint_id: str) -> None:
        await self._call("delete", f"/v1/webhook_endpoints/{endpoint_id}")

    async def can_connect(self) -> bool:
        """Whether a connection to Stripe, or to the proxy before it, can be made. No request is sent, since reads are rationed (docs/facts/stripe.md)."""
        address = urlsplit(self._connections.proxy or self._base_url or stripe.DEFAULT_API_BASE)
        port = address.port or (443 if address.scheme == "https" else 80)
        try:
            async with asyncio.timeout(self.timeout):
                _, writer = await asyncio.open_connection(address.hostname, port)
            writer.close()
        except OSError:
            return False
        return True

    async def close(self) -> None:
        """Whoever asks afterwards is told that Stripe is away."""
        self._closed = True
        self._client = None
        if self._owns:
            await self._connections.close()

    async def _take_turn(self) -> None:
        # Held while waiting, so that the next one counts from when this one really went.
        async with self._turn:
            loop = asyncio.get_running_loop()
            await asyncio.sleep(max(self._sent_at + self._spacing - loop.time(), 0))
            self._sent_at = loop.time()

    def _connected(self) -> stripe.StripeClient:
        if self._closed:
            raise StripeAway("closed", unsent=True)
        if self._client is None:
            self._client = stripe.StripeClient(
                self._api_key,
                http_client=self._connections.open(),
                base_addresses={"api": self._base_url.rstrip("/")} if self._base_url else None,
                max_network_retries=0,
            )
        return self._client

    async def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] = {},
        *,
        key: str | None = None,
        version: str = API_VERSION,
    ) -> Object:
        options: dict[str, Any] = {"stripe_version": version}
        if key is not None:
            options["idempotency_key"] = key
        await self._take_turn()
        try:
            answer = await self._connected().raw_request_async(method, path, **params, **options)
            data = answer.data
            if not isinstance(data, dict):
                raise NotFromStripe("the answer is no JSON object")
        except (StripeTrouble, stripe.StripeError, aiohttp.ClientError, TimeoutError, OSError) as error:
            trouble = _trouble(error)
            self._on_request(type(trouble).__name__)
            raise trouble from None
        self._on_request("ok")
        return data


def digest_of(api_key: str) -> str:
    """By which a key is known again."""
    return hashlib.sha256(api_key.encode()).hexdigest()


def is_live(api_key: str) -> bool:
    return "_live_" in api_key


def _trouble(error: Exception) -> StripeTrouble:
    """Tell a failure by its kind, never by its body: bodies may hold buyers' data and keys."""
    if isinstance(error, StripeTrouble):
        return error
    if isinstance(error, stripe.StripeError) and error.http_status is not None:
        return NotFromStripe(f"status {error.http_status} without JSON")
    cause = error.__cause__ or error.__context__ or error
    return StripeAway(type(error).__name__, unsent=isinstance(cause, aiohttp.ClientConnectorError))


def listed(page: Object) -> list[Object]:
    """What a page of a list holds, but for what has no id. Raises StripeUnreadable if it is no page."""
    data = page.get("data")
    if not isinstance(data, list):
        raise StripeUnreadable("a list without data")
    return [one for one in data if isinstance(one, dict) and isinstance(one.get("id"), str)]


def read_payment_link(found: Object) -> tuple[str, str]:
    """The id and the URL of a payment link. People open the URL and it stays for ever: raises StripeUnreadable for
    anything else."""
    stripe_id, url = id_of(found.get("id")), found.get("url")
    if stripe_id is None or not isinstance(url, str) or not _URL.fullmatch(url):
        raise StripeUnreadable("a payment link without an id or a web address")
    return stripe_id, url


def id_of(value: object) -> str | None:
    """The id in a field that Stripe may give expanded; None for what can't be one of Stripe's."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def verify_webhook(body: bytes, signature: str, secrets: Sequence[str], *, now: datetime) -> Object:
    """The event that Stripe signed with one of ``secrets`` (two are valid while one rolls).

    Raises SignatureInvalid; also for a timestamp further than five minutes off in either direction, of which the SDK
    refuses only the old ones.
    """
    try:
        text = body.decode("utf-8")
        stamp = int(next(part[2:] for part in signature.split(",") if part.startswith("t=")))
        if abs(now.timestamp() - stamp) > TOLERANCE_SECONDS or not signature.isascii():
            raise SignatureInvalid("timestamp")
    except (UnicodeDecodeError, StopIteration, ValueError):
        raise SignatureInvalid("malformed") from None
    if not any(_signed(text, signature, secret) for secret in secrets):
        raise SignatureInvalid("no secret fits")
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        raise SignatureInvalid("no JSON") from None
    if not isinstance(event, dict):
        raise SignatureInvalid("no JSON object")
    return event


def _signed(text: str, signature: str, secret: str) -> bool:
    try:
        # The time was checked above, against the clock that we were given.
        return bool(stripe.WebhookSignature.verify_header(text, signature, secret, tolerance=0))
    except (stripe.SignatureVerificationError, ValueError, IndexError):
        return False


def amount_of(value: object) -> int:
    """An amount in the currency's smallest unit. Raises ValueError for anything else, or what no database takes."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MOST:
        raise ValueError("no amount")
    return value


def moment(seconds: object) -> datetime:
    """Stripe's seconds since 1970. Raises ValueError for anything else."""
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise ValueError("no Stripe time")
    return datetime.fromtimestamp(seconds, UTC)


def quiet_sdk() -> None:
    """Keep the SDK from reporting its timings and from logging bodies (it does at DEBUG)."""
    stripe.enable_telemetry = False
    logging.getLogger("stripe").setLevel(logging.WARNING)
