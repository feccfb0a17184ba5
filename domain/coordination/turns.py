"""Long work that several processes begin at will, and do one after the other: whoever comes later waits for its turn.

Like all leases it saves trouble, and nothing's being right rests on it: one that isn't renewed in time passes to the next.
"""

import asyncio
import contextlib
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.intervals import take_duty
from domain.coordination.leases import Lease
from domain.database import Database, database_now
from domain.errors import DatabaseUnavailable
from domain.models import Duty

LENGTH = timedelta(seconds=15)
_RENEW_SECONDS = 4.0
_ASK_SECONDS = 0.5


IMPORTS = "import "


def of_imports(organisation_id: int) -> str:
    """The turn of whoever imports a file into this organisation, on the command line or in Slack."""
    return f"{IMPORTS}{organisation_id}"


def of_connecting(organisation_id: int) -> str:
    """The turn of whoever connects this organisation to its Stripe account."""
    return f"connect {organisation_id}"


@contextmanager
def turn(db: Database, name: str, on_wait: Callable[[], None]) -> Iterator[None]:
    """Wait until nobody else has the turn of this name; ``on_wait`` is told once if that isn't at once."""
    lease = Lease(secrets.token_hex(16), LENGTH, timedelta(0))
    told = False
    while not _taken(db, name, lease):
        if not told:
            on_wait()
            told = True
        time.sleep(_ASK_SECONDS)
    ended = threading.Event()
    renewing = threading.Thread(target=_renew, args=(db, name, lease, ended), name="turn", daemon=True)
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join()
        with _forgiving():
            db.run(end, name, lease)


@asynccontextmanager
async def turn_of_task(db: Database, name: str) -> AsyncIterator[None]:
    """As ``turn``, for what must not hold up the loop. Raises DatabaseUnavailable."""
    lease = Lease(secrets.token_hex(16), LENGTH, timedelta(0))
    while not await db.write(take_if_free, name, lease):  # noqa: ASYNC110 - of another process nothing tells
        await asyncio.sleep(_ASK_SECONDS)
    renewing = asyncio.create_task(_renew_beside(db, name, lease), name=f"turn-{name}")
    try:
        yield
    finally:
        renewing.cancel()
        # Else it ends by itself.
        with contextlib.suppress(DatabaseUnavailable):
            await db.write(end, name, lease)


async def _renew_beside(db: Database, name: str, lease: Lease) -> None:
    while True:
        await asyncio.sleep(_RENEW_SECONDS)
        with contextlib.suppress(DatabaseUnavailable):
            await db.background_write(extend, name, lease)


def take_if_free(session: Session, name: str, lease: Lease) -> bool:
    """For whoever comes again instead of waiting: extended with ``extend``, given back with ``end``."""
    return take_duty(session, name, timedelta(0), lease)


def _taken(db: Database, name: str, lease: Lease) -> bool:
    """A database that others keep busy is asked again."""
    for _ in range(4):
        with _forgiving():
            return db.run(take_if_free, name, lease)
    return db.run(take_if_free, name, lease)


def _renew(db: Database, name: str, lease: Lease, ended: threading.Event) -> None:
    while not ended.wait(_RENEW_SECONDS):
        with _forgiving():
            db.run(extend, name, lease)


@contextmanager
def _forgiving() -> Iterator[None]:
    try:
        yield
    except DatabaseUnavailable:
        time.sleep(_ASK_SECONDS)


def extend(session: Session, name: str, lease: Lease) -> None:
    until = database_now(session) + lease.length
    session.execute(_own(name, lease).values(lease_until=until))


def end(session: Session, name: str, lease: Lease) -> None:
    """Of one that has passed to another, nothing."""
    session.execute(_own(name, lease).values(lease_until=None))


def _own(name: str, lease: Lease) -> sa.Update:
    return sa.update(Duty).where(Duty.name == name, Duty.owner == lease.owner)
