"""Ending an aiohttp server without leaving connections behind."""

import asyncio

from aiohttp import web

# From accept to handler, a connection takes three turns of asyncio's loop.
TURNS = 5


async def connections_made() -> None:
    """Until who is connecting is connected. asyncio forgets those, open, if its server closes meanwhile."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def clean_up(runner: web.AppRunner) -> None:
    """Stops listening and closes every connection."""
    await connections_made()
    await runner.cleanup()
