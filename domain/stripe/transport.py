"""The SDK's way over the network, which hands on to the SDK only what succeeded and has an end."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import stripe

from domain.stripe.answers import trouble_of
from domain.stripe.clock import StripeClock
from domain.stripe.errors import NotFromStripe, StripeAway

# A page of a hundred events has some hundred kilobytes.
MOST_BYTES = 32 * 1024 * 1024
MOST_BYTES_OF_ERROR = 256 * 1024


class Transport(stripe.AIOHTTPClient):
    """The SDK takes it for granted that a failure has the shape of Stripe's, and breaks where it has not."""

    def __init__(
        self, clock: StripeClock, *, timeout: aiohttp.ClientTimeout, proxy: str | None = None
    ) -> None:
        super().__init__(timeout=timeout, proxy=proxy)
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
