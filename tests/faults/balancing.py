"""A load balancer: each connection goes to the next process that takes it."""

import asyncio
import itertools
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.patience import quiet_port


class Balancer:
    """Listens on ``port`` between ``__aenter__`` and ``__aexit__``, before processes that listen on ``targets``."""

    def __init__(self, targets: int) -> None:
        self.port, *self.targets = (quiet_port() for _ in range(targets + 1))
        self._turns = itertools.count()
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for pipe in self._pipes:
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def reaches(self, target: int) -> bool:
        """Whether a process listens on that target."""
        try:
            writer = (await asyncio.open_connection("127.0.0.1", self.targets[target]))[1]
        except OSError:
            return False
        writer.close()
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found = await self._connect()
        if found is None:
            writer.close()
            return
        for source, target in ((reader, found[1]), (found[0], writer)):
            task = asyncio.create_task(_pipe(source, target))
            self._pipes.add(task)
            task.add_done_callback(self._pipes.discard)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        turn = next(self._turns)
        for n in range(len(self.targets)):
            with suppress(OSError):
                target = self.targets[(turn + n) % len(self.targets)]
                return await asyncio.open_connection("127.0.0.1", target)
        return None


async def _pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    except OSError:
        pass
    finally:
        target.close()
