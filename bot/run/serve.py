"""The ``serve`` command: a service that runs until it is told to stop."""

import asyncio
import signal
import sys

from bot.cli.shared import connect
from bot.run.service import Service
from bot.settings import Settings
from bot.watch.logs import configure_logs
from bot.wiring import build


def serve_until_stopped(settings: Settings, *, verbose: bool = False) -> None:
    """Return after SIGTERM or SIGINT; raise Stop if it can't start with these settings."""
    # Standard error is kept for the one sentence that says why it can't run.
    configure_logs(sys.stdout, verbose=verbose)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    service = Service(build(settings, db=connect(settings)))
    try:
        await service.start()
        await service.run_until(told)
    finally:
        await service.stop()
