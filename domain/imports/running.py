"""Previews, and the imports that were confirmed: each done once, by whichever process comes to it, and gone on with by
another one where the first was killed.

Reading a file takes a thread of its own. What is written goes the way of all background work, so that it delays nobody's
click; each chunk is noted in the transaction that writes it.
"""

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import Database
from domain.errors import DatabaseUnavailable, FileRefused
from domain.imports import claiming, transactions
from domain.imports.claiming import Claim, ClaimLost
from domain.imports.summaries import ImportAnswers, ImportQuestion
from domain.imports.transactions import Kept
from domain.imports.work import Previewed, Stopping, Work
from domain.states import ImportState

_log = structlog.get_logger()

READERS = 2
"""Files that a process reads at once for people who look at them."""
AT_ONCE, SMALL_BYTES = 2, 256 << 10
"""So many imports at once, of which one is of a larger file: whoever brings in a few invoices never waits for a million of another's."""
LOOK_AGAIN = 0.5
"""Seconds: while one is under way there may be another one."""
AGAIN = timedelta(seconds=10)
"""After what nobody foresaw."""


class FileImports:
    """Several of these, in several processes, share the work by claims with leases."""

    def __init__(
        self,
        db: Database,
        lease: Lease,
        *,
        clock: Callable[[], datetime],
        wake: Callable[[], None] = lambda: None,
        on_finished: Callable[[ImportState], None] = lambda state: None,
    ) -> None:
        """``wake`` is told when there is work to do, ``on_finished`` how one ended, which is to be told."""
        self._db = db
        self._lease = lease
        self._clock = clock
        self._on_finished = on_finished
        self._ending = False
        self._readers = ThreadPoolExecutor(READERS, "read-files")
        self._importers = ThreadPoolExecutor(AT_ONCE, "import-files")
        self.wake = wake

    async def preview(self, kept: Kept) -> Previewed | ImportQuestion:
        """What importing the file would do, or what must be said first. Raises FileRefused, DatabaseUnavailable."""
        loop = asyncio.get_running_loop()
        way = partial(self._run, loop, self._db.background_read)
        return await loop.run_in_executor(self._readers, _preview, kept, way)

    async def question(self, kept: Kept) -> ImportQuestion:
        """Which column is what, as if nobody had said it before. Raises FileRefused."""
        loop = asyncio.get_running_loop()
        way = partial(self._run, loop, self._db.background_read)
        return await loop.run_in_executor(self._readers, _question, kept, way)

    async def answer(self, kept: Kept, answers: ImportAnswers) -> tuple[str, str]:
        """How the file is read from now on, and its heading's digest. Raises FileRefused."""
        loop = asyncio.get_running_loop()
        way = partial(self._run, loop, self._db.background_read)
        return await loop.run_in_executor(self._readers, _answer, kept, answers, way)

    async def run_due(self) -> None:
        """Do every import that is due, of each organisation one at a time. What one of them raises is raised when the others
        have ended by themselves."""
        under_way: dict[asyncio.Task[None], Claim] = {}
        failed: list[BaseException] = []
        try:
            while True:
                try:
                    await self._begin(under_way)
                except Exception as error:
                    if not under_way:
                        raise
                    _log.warning("import.look_failed", exc_info=error)
                if not under_way:
                    break
                first = asyncio.FIRST_COMPLETED
                ended, _ = await asyncio.wait(under_way, timeout=LOOK_AGAIN, return_when=first)
                for task in ended:
                    claim = under_way.pop(task)
                    if trouble := task.exception():
                        _log.warning("import.interrupted", file_import=claim.import_id, exc_info=trouble)
                        failed.append(trouble)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
        if failed:
            raise failed[0]

    async def _begin(self, under_way: dict[asyncio.Task[None], Claim]) -> None:
        while not self._ending and len(under_way) < AT_ONCE:
            large = any(len(claim.content) > SMALL_BYTES for claim in under_way.values())
            most_bytes = SMALL_BYTES if large else None
            # Also where a lease of this process's own has run out.
            busy = [claim.organisation.id for claim in under_way.values()]
            # To write is to wait for the disk: at rest there is one look each time.
            old, due = await self._db.background_read(_look, self._clock(), most_bytes, busy)
            if old:
                await self._db.background_write(transactions.forget_unconfirmed, self._clock())
            if not due:
                return
            claim = await self._db.background_write(claiming.claim_next, self._lease, most_bytes, busy)
            if claim is None:
                return
            task = asyncio.create_task(self._do(claim), name=f"import-{claim.import_id}")
            under_way[task] = claim

    def claim_no_more(self) -> None:
        """What is under way ends with the chunk that is being written; the rest is for other processes."""
        self._ending = True

    def close(self) -> None:
        self._ending = True
        for threads in (self._readers, self._importers):
            threads.shutdown(wait=False, cancel_futures=True)

    async def _do(self, claim: Claim) -> None:
        loop = asyncio.get_running_loop()
        cancelled = False

        def is_ending() -> bool:
            return self._ending or cancelled

        def run(*work: Any) -> Any:
            if cancelled:
                raise Stopping
            return self._run(loop, self._db.background_write, *work)

        try:
            if claim.hopeless:
                raise FileRefused("")
            work = Work(run, self._clock, is_ending)
            await loop.run_in_executor(self._importers, _import, self._db, claim, work)
        except asyncio.CancelledError:
            # Its thread goes on until it asks.
            cancelled = True
            raise
        except (ClaimLost, Stopping):
            await self._db.background_write(claiming.release, claim)
        except FileRefused:
            # It was read before, for its preview: people are told, and it is looked into.
            _log.error("import.broke_off", file_import=claim.import_id, done=claim.done)
            await self._db.background_write(_fail, claim, self._clock())
            self._on_finished(ImportState.FAILED)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            _log.error("import.failed", file_import=claim.import_id, exc_info=error)
            await self._db.background_write(claiming.release, claim, AGAIN)
        else:
            self._on_finished(ImportState.FINISHED)

    def _run(self, loop: asyncio.AbstractEventLoop, way: Callable[..., Any], *work: Any) -> Any:
        """From a reader's thread: a transaction behind people's. Raises Stopping."""
        if self._ending:
            raise Stopping
        return asyncio.run_coroutine_threadsafe(way(*work), loop).result()


# What reads files is loaded in the thread that reads the first one: neither a start nor the loop waits for it.


def _preview(kept: Kept, run: Callable[..., Any]) -> Previewed | ImportQuestion:
    from domain.imports.reading_thread import preview

    return preview(kept, run)


def _question(kept: Kept, run: Callable[..., Any]) -> ImportQuestion:
    from domain.imports.reading_thread import question

    return question(kept, run)


def _answer(kept: Kept, answers: ImportAnswers, run: Callable[..., Any]) -> tuple[str, str]:
    from domain.imports.reading_thread import answer

    return answer(kept, answers, run)


def _import(db: Database, claim: Claim, work: Work) -> None:
    from domain.imports.reading_thread import import_claimed

    import_claimed(db, claim, work)


def _look(
    session: Session, now: datetime, most_bytes: int | None, busy: Collection[int]
) -> tuple[bool, bool]:
    """Whether files are to be forgotten, and whether an import is due."""
    return transactions.is_any_unconfirmed(session, now), claiming.is_any_due(session, most_bytes, busy)


def _fail(session: Session, claim: Claim, now: datetime) -> None:
    claiming.end(session, claim, ImportState.FAILED, claim.done, refused=None, now=now)
