"""Databases of the version before, and processes of it that work on them."""

import contextlib
from collections.abc import Iterator
from typing import Any

from domain.database import Database
from tests.domain.migrations.version_before import load_beside

# What runs while the schema is brought up to date has the version before's code.
before, in_use, organisations_before = load_beside(
    "domain.database", "tests.domain.migrations.in_use", "domain.organisations.organisations"
)


@contextlib.contextmanager
def opened(url: str) -> Iterator[Database]:
    """What a process has of the database."""
    db = Database(url)
    try:
        yield db
    finally:
        db.close_now()


@contextlib.contextmanager
def opened_before(url: str) -> Iterator[Any]:
    """What a process of the version before has of it."""
    db = before.Database(url)
    try:
        yield db
    finally:
        db.close_now()


@contextlib.contextmanager
def at_work(*writers: Any) -> Iterator[None]:
    """Each has begun, and each goes on afterwards."""
    for writer in writers:
        writer.start()
    try:
        for writer in writers:
            writer.wait_for(3)
        yield
        for writer in writers:
            writer.wait_for(3)
    finally:
        for writer in writers:
            writer.stop()
    assert [writer.failure for writer in writers] == [None] * len(writers)
