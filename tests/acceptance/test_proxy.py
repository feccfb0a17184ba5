"""Everything goes through the configured proxy: Slack's calls, its socket, its response_urls and uploads, and Stripe's calls."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from tests.acceptance.conftest import World, Worlds


class Proxy:
    """A proxy for http addresses: it looks at where a connection's first request goes, and hands on every byte."""

    def __init__(self, upstreams: Mapping[str, int]) -> None:
        self._upstreams = upstreams
        self.asked: set[str] = set()
        self._piping: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        self._server.close()
        for task in self._piping:
            task.cancel()
        await asyncio.gather(*self._piping, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readline()
        address = urlsplit(first.split()[1].decode())
        self.asked.add(f"{address.hostname}{address.path}")
        up_reader, up_writer = await asyncio.open_connection(
            "127.0.0.1", self._upstreams[str(address.hostname)]
        )
        up_writer.write(first)
        for source, sink in ((reader, up_writer), (up_reader, writer)):
            self._piping.add(asyncio.create_task(self._pipe(source, sink)))

    async def _pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()


async def test_a_day_behind_a_proxy(worlds: Worlds) -> None:
    slack, stripe = await worlds.services("socket")
    ports = {"slack.test": urlsplit(slack.url).port, "stripe.test": urlsplit(stripe.api_url).port}
    proxy = Proxy({name: int(port or 0) for name, port in ports.items()})
    port = await proxy.start()
    worlds.stack.push_async_callback(proxy.stop)
    slack.app.base_url = "http://slack.test"
    alice, channel = slack.workspace.add_person("alice"), slack.workspace.add_channel("payments")
    env = worlds.settings(slack, stripe, "socket", channel, HTTP_PROXY=f"http://127.0.0.1:{port}")
    env |= {"SLACK_API_URL": "http://slack.test/api", "STRIPE_API_URL": "http://stripe.test"}

    service = await worlds.start(env)
    await service.begun.wait()
    await slack.connected()
    world = World(slack, stripe, service, alice, channel, env)
    world.add_invoice("INV-1001")
    await world.workspace.command(alice, channel, "/invoice INV-1001")
    await world.until(lambda: "Billing Invoice Details" in world.top())
    await world.press("Create Payment Link")
    await world.until(lambda: "Pending Payment" in world.top())
    await world.until(lambda: "stripe" not in service.bot.health.reasons)

    hosts = {place.partition("/")[0] for place in proxy.asked}
    assert hosts == {"slack.test", "stripe.test"}
    assert "slack.test/link/" in proxy.asked
