"""Transactions: plain synchronous functions over a Session, run in worker threads.

A transaction function can't await, so no transaction ever spans a remote call. On SQLite reads are deferred and
writes are BEGIN IMMEDIATE, through one writer thread in which people go before background work. On PostgreSQL a read is
its statements, each on its own.
"""

import asyncio
import itertools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session

from domain.database_file import DatabaseFile, make_private
from domain.errors import DatabaseReplaced, DatabaseUnavailable
from domain.models import Instant

P = ParamSpec("P")
T = TypeVar("T")
Lane = Literal["people", "background"]

PEOPLE_THREADS = 6
BACKGROUND_THREADS = 4
# Below the two seconds that leave room for Slack's three: submissions need the database before their ack.
BUSY_SECONDS = 1.8
# Deadlocks and serialisation failures of PostgreSQL: nothing was written, the function may run again.
_RUN_AGAIN = frozenset({"40001", "40P01"})
_ATTEMPTS = 3
SYNCHRONOUS = "FULL"
"""What SQLite has committed outlives a power failure."""


class Database:
    """One database and the threads that work on it. ``url`` is SQLAlchemy's; raises ArgumentError if it isn't one.

    ``operator``: who works on it from the command line, for the audit.
    """

    def __init__(self, url: str, operator: str | None = None) -> None:
        self.engine = make_engine(url)
        self.recorded = set[int]()
        """Organisations of which the audit was given something from the command line, committed or not."""
        self._info = None if operator is None else {"operator": operator, "recorded": self.recorded}
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        # At READ COMMITTED a transaction around reads would show the same, and cost two more ways to the server
        # (decision 0018).
        alone: dict[str, Any] = {} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._reading = self.engine.execution_options(paylink_write=False, **alone)
        sa.event.listen(self._reading, "before_execute", _refuse_to_write)
        self._lanes: dict[Lane, ThreadPoolExecutor] = {
            "people": ThreadPoolExecutor(PEOPLE_THREADS, "db-people"),
            "background": ThreadPoolExecutor(BACKGROUND_THREADS, "db-background"),
        }
        self._writer = _Writer() if self.is_sqlite else None
        self._file = DatabaseFile(Path(self.engine.url.database or "")) if self.is_sqlite else None

    async def read(self, fn: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``fn(session, ...)``, which may not write, for a person. Raises DatabaseUnavailable."""
        return await self._submit("people", False, fn, *args, **kwargs)

    async def write(
        self, fn: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run ``fn(session, ...)`` for a person and commit. Raises DatabaseUnavailable, and what ``fn`` raises."""
        return await self._submit("people", True, fn, *args, **kwargs)

    async def background_read(
        self, fn: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As read, behind the people."""
        return await self._submit("background", False, fn, *args, **kwargs)

    async def background_write(
        self, fn: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As write, behind the people."""
        return await self._submit("background", True, fn, *args, **kwargs)

    def run(self, fn: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a write transaction in this thread: for the command line."""
        return self._transaction(True, lambda session: fn(session, *args, **kwargs))

    async def _submit(self, lane: Lane, write: bool, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        def work() -> T:
            return self._transaction(write, lambda session: fn(session, *args, **kwargs))

        if write and self._writer is not None:
            future = self._writer.submit(work, first=lane == "people")
        else:
            future = self._lanes[lane].submit(work)
        # A cancelled await wouldn't stop the thread: whoever is cancelled leaves, the transaction ends by itself.
        return await asyncio.shield(asyncio.wrap_future(future))

    def _transaction(self, write: bool, fn: Callable[[Session], T]) -> T:
        for attempt in itertools.count(1):
            ending = False
            self._require_file()
            try:
                engine = self.engine if write else self._reading
                with Session(engine, expire_on_commit=False, info=self._info) as session:
                    result = fn(session)
                    self._require_file()
                    ending = write
                    session.commit() if write else session.rollback()
                    return result
            except PoolTimeout as error:
                raise DatabaseUnavailable("no free connection") from error
            except DBAPIError as error:
                # A connection that had been lost without our noticing wrote nothing either, unless it was to commit.
                lost = error.connection_invalidated and not ending
                if (lost or getattr(error.orig, "sqlstate", None) in _RUN_AGAIN) and attempt < _ATTEMPTS:
                    continue
                if error.connection_invalidated or (
                    isinstance(error, OperationalError) and not _is_mistake(error)
                ):
                    raise DatabaseUnavailable(type(error.orig).__name__) from error
                raise
        raise AssertionError("unreachable")

    def _require_file(self) -> None:
        if self._file is not None and self._file.is_replaced:
            raise DatabaseReplaced

    async def close(self) -> None:
        """Let what has begun end, then let go of threads and connections."""
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        if self._writer is not None:
            self._writer.close()
        for lane in self._lanes.values():
            lane.shutdown(wait=True)
        self.engine.dispose()


def _refuse_to_write(_connection: sa.Connection, statement: sa.Executable, *_: object) -> None:
    """What a read wrote would be kept where its statements are on their own, and lost where they aren't."""
    if statement.is_dml:
        raise TypeError("a read may not write")


def _is_mistake(error: DBAPIError) -> bool:
    """SQLite calls a statement that it can't run, such as one on a missing column, operational too."""
    return getattr(error.orig, "sqlite_errorname", None) == "SQLITE_ERROR"


class _Writer:
    """The one thread that writes to SQLite; people's transactions go before background ones."""

    def __init__(self) -> None:
        self._queue: queue.PriorityQueue[tuple[int, int, Callable[[], None] | None]] = queue.PriorityQueue()
        self._order = itertools.count()
        self._thread = threading.Thread(target=self._work, name="db-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], T], *, first: bool) -> "Future[T]":
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work())
            except BaseException as error:  # handed to whoever awaits
                future.set_exception(error)

        self._queue.put((0 if first else 1, next(self._order), run))
        return future

    def close(self) -> None:
        self._queue.put((2, next(self._order), None))
        self._thread.join()

    def _work(self) -> None:
        while True:
            run = self._queue.get()[2]
            if run is None:
                return
            run()


def make_engine(url: str) -> Engine:
    """An engine with as many connections as threads, whose waits end within two seconds."""
    parsed = make_url(url)
    size = PEOPLE_THREADS + BACKGROUND_THREADS + 1
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            make_private(Path(parsed.database))
        engine = sa.create_engine(
            parsed,
            poolclass=sa.pool.QueuePool,
            pool_size=size,
            max_overflow=0,
            pool_timeout=BUSY_SECONDS,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False, "isolation_level": None},
        )
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    milliseconds = int(BUSY_SECONDS * 1000)
    return sa.create_engine(
        parsed,
        pool_size=size,
        max_overflow=0,
        pool_timeout=BUSY_SECONDS,
        connect_args={
            "connect_timeout": 2,
            # A host that vanished says nothing: without these a thread would wait for it for many minutes.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 15_000,
            # Prepared statements would break under a transaction-pooling PgBouncer.
            "prepare_threshold": None,
            "options": f"-c lock_timeout={milliseconds} -c idle_in_transaction_session_timeout=30000",
        },
    )


def _prepare_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    write = connection.get_execution_options().get("paylink_write", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def insert_into(session: Session, table: Any) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say ON CONFLICT, which both databases say alike and SQLAlchemy says for each."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


Write = Callable[[Callable[[Any], Any]], sa.Executable]


def written_once(write: Write) -> Callable[[Session], sa.Executable]:
    """A statement with ON CONFLICT that is written once for each database: ``write`` is given what makes an INSERT."""
    of = {"sqlite": write(sqlite.insert), "postgresql": write(postgresql.insert)}
    return lambda session: of[session.get_bind().dialect.name]


def ask_nothing(session: Session) -> None:
    """Find out whether the database answers at all."""
    session.execute(sa.text("SELECT 1"))


def database_now(session: Session) -> datetime:
    """The database's clock, for leases, margins and paces: the clocks of processes differ by minutes."""
    now: datetime = session.execute(_NOW).scalar_one()
    return now


class database_clock(sa.sql.functions.FunctionElement[datetime]):  # noqa: N801 - stands in statements as functions do
    """As database_now, to be written in a statement."""

    type = Instant()
    inherit_cache = True


_NOW = sa.select(database_clock())
CLOCK_MILLISECONDS = sa.type_coerce(database_clock(), sa.BigInteger)
"""The same, for sums: what is added to an Instant would have to be one."""


@compiles(database_clock, "sqlite")
def _clock_of_sqlite(*_: object, **__: object) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


@compiles(database_clock, "postgresql")
def _clock_of_postgresql(*_: object, **__: object) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
