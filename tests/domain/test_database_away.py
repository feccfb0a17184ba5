"""A database that stays locked, whose connections are cut, or that is away."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import database
from domain.database import Database
from domain.errors import DatabaseUnavailable
from domain.models import Pace
from tests.domain.paces import add, count, move


async def test_a_database_that_stays_locked_is_unavailable(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, begin = [], database._begin_sqlite

    def begin_and_note(connection: sa.Connection) -> None:
        asked.append(connection)
        begin(connection)

    monkeypatch.setattr(database, "_begin_sqlite", begin_and_note)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    db = Database(sqlite_url)
    with contextlib.closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN IMMEDIATE")
        assert await db.read(count) == 0
        asked.clear()
        with pytest.raises(DatabaseUnavailable):
            await db.write(add, "a")
        # Once: who waits for it waits no longer than that.
        assert len(asked) == 1
    await db.write(add, "a")
    await db.close()


@pytest.mark.postgres
async def test_a_row_that_stays_locked_is_unavailable(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    db = Database(postgresql_url)
    db.run(add, "a")
    with db.engine.begin() as connection:
        connection.execute(sa.select(Pace.name).with_for_update())
        with pytest.raises(DatabaseUnavailable):
            await db.write(move)
    await db.write(move)
    await db.close()


OWN_PID = sa.text("SELECT pg_backend_pid()")


@pytest.fixture
def cut(postgresql_url: str) -> Iterator[Callable[[int | None], object]]:
    """Ends a connection from the server's side, as its restart does to all."""
    end = sa.text("SELECT pg_terminate_backend(:pid, 10000)")
    with sa.create_engine(postgresql_url, poolclass=sa.NullPool).connect() as other:
        yield lambda pid: other.execute(end, {"pid": pid})


@pytest.mark.postgres
@pytest.mark.parametrize("write", [False, True])
async def test_a_connection_that_was_cut_is_replaced(
    postgresql_url: str, cut: Callable[[int | None], object], write: bool
) -> None:
    db = Database(postgresql_url)
    run = db.write if write else db.read
    used = await run(lambda session: session.scalar(OWN_PID))
    cut(used)
    assert await run(lambda session: session.scalar(OWN_PID)) not in (None, used)
    await db.close()


@pytest.mark.postgres
async def test_what_was_cut_in_the_middle_runs_again(
    postgresql_url: str, cut: Callable[[int | None], object]
) -> None:
    db = Database(postgresql_url)
    attempts: list[int | None] = []

    def add_two(session: Session) -> None:
        attempts.append(session.scalar(OWN_PID))
        add(session, "a")
        if len(attempts) == 1:
            cut(attempts[0])
        add(session, "b")

    await db.write(add_two)

    assert len(attempts) == 2
    assert await db.read(count) == 2
    await db.close()


@pytest.mark.postgres
async def test_what_was_cut_at_its_commit_does_not_run_again(
    postgresql_url: str, cut: Callable[[int | None], object]
) -> None:
    """It may have been committed: whoever asked is told that nobody knows."""
    db = Database(postgresql_url)
    attempts: list[int | None] = []

    def add_one(session: Session) -> None:
        attempts.append(session.scalar(OWN_PID))
        add(session, "a")
        cut(attempts[-1])

    with pytest.raises(DatabaseUnavailable):
        await db.write(add_one)

    assert len(attempts) == 1
    await db.close()


async def test_no_free_connection_is_unavailable(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db.engine.pool, "_timeout", 0.05)
    with contextlib.ExitStack() as stack:
        for _ in range(database.PEOPLE_THREADS + database.BACKGROUND_THREADS + 1):
            stack.enter_context(db.engine.connect())
        with pytest.raises(DatabaseUnavailable):
            await db.read(count)
    assert await db.read(count) == 0


async def test_a_server_that_is_away_is_unavailable(tmp_path: Path) -> None:
    db = Database(f"postgresql+psycopg://paylink@/paylink?host={tmp_path}")
    with pytest.raises(DatabaseUnavailable):
        await db.read(count)
    await db.close()
