"""What makes tests indifferent to a busy machine: they wait for what must be so, and nothing else is in a hurry.

A limit of seconds ends only what would never come. It is far above what anything takes on a machine under load, and below
pytest's own limit for a test.
"""

import asyncio
import itertools
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sandbox.slack import Limits

PATIENCE = 60.0
_FIRST_PORT, _PORTS_EACH = 10_000, 16
_turns = itertools.count()


def patient(**changes: Any) -> Limits:
    """Slack's limits, but that nobody acknowledges or opens a modal too late because the machine is busy."""
    return Limits(**{"ack_seconds": PATIENCE, "trigger_seconds": PATIENCE, **changes})


def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paylink in this process gives up on nobody, and answers nothing before it is there, because the machine is busy."""
    for limit in (
        "handlers.bolt.acknowledging.ACK_SECONDS",
        "handlers.bolt.remembering.PATIENCE",
        "handlers.features.setting_up.connecting.PATIENCE",
        "handlers.features.setting_up.settings.JOIN_SECONDS",
        "bot.api.deeds.PATIENCE",
        "bot.cli.doctor.running.MOST_SECONDS",
    ):
        monkeypatch.setattr(limit, PATIENCE)


async def let_pass(seconds: float) -> None:
    """Whatever waits in this loop for a time to come has waited so many seconds more."""
    loop = asyncio.get_running_loop()
    told = loop.time
    loop.time = lambda: told() + seconds  # type: ignore[method-assign]
    await asyncio.sleep(0)


def quiet_port() -> int:
    """A free port that the system gives to nobody who asks for any, and this function to no other worker: whoever is to
    listen there later, or once more, will find it free."""
    given = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for turn in itertools.islice(_turns, _PORTS_EACH * 100):
        own = os.getpid() * _PORTS_EACH + turn % _PORTS_EACH
        port = _FIRST_PORT + own % (given - _FIRST_PORT)
        with suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")
