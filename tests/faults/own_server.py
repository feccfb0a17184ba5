"""The campaign's PostgreSQL, which is killed like everything else, and comes back with what it had said was committed."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL
from pathlib import Path
from random import Random
from typing import Any

RESTART_ATTEMPTS = 20


class OwnServer:
    """Nobody else's: a server with which ``killing`` may do as it likes. ``server`` is of tests/conftest.py (start_postgresql)."""

    def __init__(self, server: Any) -> None:
        self._server = server

    async def kill(self, rng: Random) -> None:
        """SIGKILL to the server itself, or to one of the processes that work for it, whereupon it drops all connections and
        recovers. Returns when it serves again."""
        pid = self._pid()
        working = _working_for(pid)
        if working and rng.random() < 0.5:
            # One that has just ended by itself leaves nothing to be killed.
            self._strike(int(rng.choice(working)))
        else:
            self._strike(pid)
            # It, and those that worked for it, may hold its memory for a moment longer: then it is tried again.
            await self._begin_again("restart")
        await self._begin_again("status")

    def _pid(self) -> int:
        return int((self._server.pgdata / "postmaster.pid").read_text("ascii").split()[0])

    def _strike(self, pid: int) -> None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    async def _begin_again(self, command: str) -> None:
        for _ in range(RESTART_ATTEMPTS):
            if await self._control(command) == 0:
                return
            await asyncio.sleep(0.5)
        raise TimeoutError("PostgreSQL doesn't come back")

    async def _control(self, command: str) -> int:
        process = await asyncio.create_subprocess_exec(
            self._server.bin_path / "pg_ctl",
            *("-w", "-D", str(self._server.pgdata), "-l", str(self._server.log), command),
            stdout=DEVNULL,
            stderr=DEVNULL,
            user=self._server.system_user,
        )
        return await process.wait()


def _working_for(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
