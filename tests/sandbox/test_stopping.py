"""A server ends: nothing stays open."""

import asyncio
import gc
import socket
import warnings

import pytest
from aiohttp import web

from sandbox.stopping import clean_up


@pytest.mark.parametrize("turns", range(6))
def test_connections_that_are_just_being_made_are_closed_too(turns: int) -> None:
    async def serve_and_stop() -> list[socket.socket]:
        runner = web.AppRunner(web.Application(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        peers = [socket.create_connection(runner.addresses[0][:2]) for _ in range(10)]
        for _ in range(turns):
            await asyncio.sleep(0)
        await clean_up(runner)
        return peers

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        peers = asyncio.run(serve_and_stop())
        gc.collect()
    for peer in peers:
        peer.close()
    assert [str(warning.message) for warning in caught] == []
