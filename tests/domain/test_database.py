import asyncio
import shutil
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError
from sqlalchemy.orm import Session

from domain import database
from domain.database import Database, database_now
from domain.errors import DatabaseReplaced
from domain.models import Pace
from tests.conftest import SHIPPED_SYNCHRONOUS
from tests.domain.paces import START, add, count, move


async def test_what_was_written_can_be_read_and_what_failed_cannot(db: Database) -> None:
    await db.write(add, "a")
    with pytest.raises(IntegrityError):
        await db.background_write(add, "a")

    def half(session: Session) -> None:
        add(session, "b")
        raise KeyError("then it went wrong")

    with pytest.raises(KeyError):
        await db.write(half)
    assert await db.read(count) == await db.background_read(count) == db.run(count) == 1


def put(session: Session, name: str) -> None:
    session.execute(sa.insert(Pace).values(name=name, next_at=START))


@pytest.mark.parametrize("write", [add, put])
async def test_a_read_may_not_write(db: Database, write: Callable[[Session, str], None]) -> None:
    for read in (db.read, db.background_read):
        with pytest.raises(TypeError, match="may not write"):
            await read(write, "a")
    assert await db.read(count) == 0


async def test_no_update_is_lost_between_two_processes(db: Database, database_url: str) -> None:
    db.run(add, "a")
    other = Database(database_url)
    await asyncio.gather(*(one.write(move) for one in (db, other) for _ in range(20)))
    await other.close()

    moved = await db.read(lambda session: session.scalars(sa.select(Pace.next_at)).one())
    assert moved == START + timedelta(seconds=40)


@pytest.mark.postgres
async def test_the_one_that_loses_a_deadlock_runs_again(postgresql_url: str) -> None:
    db = Database(postgresql_url)
    db.run(add, "a")
    db.run(add, "b")
    both, won = threading.Barrier(2), threading.Event()
    attempts: list[str] = []

    def lock(session: Session, first: str, second: str) -> None:
        attempts.append(first)
        if len(attempts) > 2:
            # The one that lost would lose again, if it had its first row back before the other one had both.
            won.wait(30)
        session.execute(sa.update(Pace).where(Pace.name == first).values(next_at=START))
        if not won.is_set():
            both.wait(30)
        session.execute(sa.update(Pace).where(Pace.name == second).values(next_at=START))
        won.set()

    await asyncio.gather(db.write(lock, "a", "b"), db.write(lock, "b", "a"))

    assert len(attempts) == 3
    await db.close()


async def test_on_sqlite_people_write_before_background_work(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    begun, go = threading.Event(), threading.Event()
    order: list[str] = []

    def first(_: Session) -> None:
        begun.set()
        go.wait(30)

    def note(_: Session, name: str) -> None:
        order.append(name)

    waiting = [asyncio.create_task(db.write(first))]
    await asyncio.to_thread(begun.wait, 30)
    waiting += [asyncio.create_task(db.background_write(note, f"background {n}")) for n in range(2)]
    await asyncio.sleep(0)
    waiting += [asyncio.create_task(db.write(note, f"person {n}")) for n in range(2)]
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(*waiting)

    assert order == ["person 0", "person 1", "background 0", "background 1"]
    await db.close()


async def test_background_work_never_takes_the_peoples_threads(db: Database) -> None:
    go = threading.Event()
    full = [
        asyncio.create_task(db.background_read(lambda _: go.wait(30)))
        for _ in range(database.BACKGROUND_THREADS * 2)
    ]
    await asyncio.sleep(0)
    try:
        assert await asyncio.wait_for(db.read(count), 30) == 0
        assert not any(task.done() for task in full)
    finally:
        go.set()
        await asyncio.gather(*full)


async def test_whoever_is_cancelled_leaves_and_the_transaction_ends(db: Database) -> None:
    begun, go, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(session: Session) -> None:
        begun.set()
        go.wait(30)
        add(session, "a")
        ended.set()

    task = asyncio.create_task(db.write(slow))
    await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    await asyncio.to_thread(ended.wait, 30)
    # The writer's turn, or a lock on the row, comes after the one that goes on.
    for _ in range(100):
        if await db.write(count) == 1:
            break
    assert await db.read(count) == 1


async def test_a_mistake_in_a_statement_is_not_taken_for_an_absence(db: Database) -> None:
    with pytest.raises(DatabaseError, match="nowhere"):
        await db.read(lambda session: session.execute(sa.text("SELECT 1 FROM nowhere")))


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(ArgumentError):
        Database("nonsense")


def test_the_databases_clock_tells_the_time(db: Database) -> None:
    before = datetime.now(UTC)
    told = db.run(database_now)
    after = datetime.now(UTC)
    assert before - timedelta(milliseconds=2) <= told <= after + timedelta(milliseconds=2)


def test_instants_keep_their_milliseconds_and_their_zone(db: Database) -> None:
    moment = datetime(2026, 11, 2, 9, 30, 0, 123_000, tzinfo=UTC)
    db.run(lambda session: session.add(Pace(name="a", next_at=moment)))
    assert db.run(lambda session: session.scalars(sa.select(Pace.next_at)).one()) == moment


def test_a_new_sqlite_file_is_private_and_safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SYNCHRONOUS", SHIPPED_SYNCHRONOUS)
    db = Database(f"sqlite:///{tmp_path}/data/paylink.db")
    with db.engine.connect() as connection:
        pragmas = {
            name: connection.execute(sa.text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    modes = {
        path.name: path.stat().st_mode & 0o777 for path in [tmp_path / "data", *(tmp_path / "data").iterdir()]
    }
    db.close_now()
    assert modes.pop("data") == 0o700
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("how", ["another", "none", "during"])
async def test_nothing_is_read_or_written_where_another_file_stands_in_the_databases_place(
    sqlite_url: str, how: str
) -> None:
    db = Database(sqlite_url)
    path = Path(str(db.engine.url.database))
    await db.write(add, "a")
    other = path.with_suffix(".other")
    shutil.copy(path, other)

    def replace(session: Session) -> None:
        add(session, "b")
        other.replace(path)

    if how == "during":
        with pytest.raises(DatabaseReplaced):
            await db.write(replace)
    elif how == "another":
        shutil.move(other, path)
    else:
        shutil.move(path, other)
    for work in (db.read, db.background_write):
        with pytest.raises(DatabaseReplaced):
            await work(count)
    await db.close()
