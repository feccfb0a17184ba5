"""The SDK's way over the network, which hands on to the SDK only what succeeded and has an end."""

import ssl
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import aiohttp
import stripe

from domain.stripe.answers import trouble_of
from domain.stripe.clock import StripeClock, utc_now
from domain.stripe.errors import NotFromStripe, StripeAway

# A page of a hundred events has some hundred kilobytes.
MOST_BYTES = 32 * 1024 * 1024
MOST_BYTES_OF_ERROR = 256 * 1024


class Transport(stripe.AIOHTTPClient):
    """The SDK takes it for granted that a failure has the shape of Stripe's, and breaks where it has not."""

    def __init__(
        self,
        clock: StripeClock,
        *,
        timeout: aiohttp.ClientTimeout,
        proxy: str | None = None,
        connector: aiohttp.BaseConnector | None = None,
    ) -> None:
        super().__init__(timeout=timeout, proxy=proxy, connector=connector)
        self._clock = clock

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Raises the errors of domain/stripe/errors.py besides the SDK's and aiohttp's own."""
        content, status, told = await self.request_stream_async(method, url, headers, post_data=post_data)
        succeeded = 200 <= status < 300
        most = MOST_BYTES if succeeded else MOST_BYTES_OF_ERROR
        body = bytearray()
        # Read to its end, to which the time-out puts one at the latest, so that the connection can be used again.
        async for chunk in content.iter_any():
            if len(body) <= most:
                body += chunk
        if not succeeded:
            trouble = trouble_of(status, told, bytes(body) if len(body) <= most else b"")
            if not isinstance(trouble, StripeAway):
                self._clock.hear(told)
            raise trouble
        if len(body) > most:
            raise NotFromStripe(f"more than {most} bytes")
        self._clock.hear(told)
        return bytes(body), status, told


class Connections:
    """Connections to Stripe that the clients of many keys share; what is told by each request is its key's alone.

    ``timeout`` is in seconds and covers a whole request; ``proxy`` is the address of one, if Stripe is reached through it.
    Without a limit of their own: whoever sends many requests limits them, and one organisation's that hang must leave room
    for the others'.
    """

    def __init__(
        self, *, timeout: float, proxy: str | None = None, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self.clock = StripeClock(clock)
        self.timeout = timeout
        self.proxy = proxy
        self._transport: Transport | None = None
        self._closed = False

    def open(self) -> Transport:
        """Raises StripeAway once it is closed."""
        if self._closed:
            raise StripeAway("closed", unsent=True)
        if self._transport is None:
            # Bound to the loop that it is made in.
            tls = ssl.create_default_context(cafile=stripe.ca_bundle_path)
            self._transport = Transport(
                self.clock,
                timeout=aiohttp.ClientTimeout(total=self.timeout),
                proxy=self.proxy,
                connector=aiohttp.TCPConnector(limit=0, ssl=tls),
            )
        return self._transport

    async def close(self) -> None:
        """Whoever asks afterwards is told that Stripe is away."""
        self._closed = True
        if self._transport is not None:
            await self._transport.close_async()  # type: ignore[no-untyped-call]
            self._transport = None
