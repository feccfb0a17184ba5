"""Which proxy a connection takes: one rule for Slack and Stripe, web requests and Socket Mode alike."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

Handler = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]
Middleware = Callable[[aiohttp.ClientRequest, Handler], Awaitable[aiohttp.ClientResponse]]
_PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Proxies:
    """``for_https`` and ``for_http`` are addresses, empty for none; ``bypass`` is written as NO_PROXY is."""

    for_https: str = ""
    for_http: str = ""
    bypass: str = ""

    def of(self, address: str) -> str | None:
        """The proxy for an address; None for a direct connection. This machine itself is always reached directly."""
        parts = urlsplit(address)
        host = (parts.hostname or "").rstrip(".").lower()
        proxy = self.for_https if parts.scheme in ("https", "wss") else self.for_http
        if not proxy or host in _LOOPBACK or self._bypasses(host, parts.port or _PORTS.get(parts.scheme)):
            return None
        return proxy

    def _bypasses(self, host: str, port: int | None) -> bool:
        """A name stands for itself and for all that ends with it after a dot; with a port, for that port alone."""
        for entry in self.bypass.lower().split(","):
            name, _, of_port = entry.strip().partition(":")
            name = name.removeprefix("*").removeprefix(".")
            if entry.strip() == "*" or (
                name and (host == name or host.endswith(f".{name}")) and of_port in ("", str(port))
            ):
                return True
        return False


DIRECT = Proxies()


def through(proxies: Proxies) -> Middleware:
    """Sends each request of a session on its way, redirects too, whatever the caller said of a proxy."""

    async def choose(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        proxy = proxies.of(str(request.url))
        request.update_proxy(None if proxy is None else URL(proxy), None, None)
        return await handler(request)

    return choose
