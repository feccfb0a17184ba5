"""What the commands share: the settings that they run with, and the database."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from bot.stop import Stop, connect, reached, schema_sentences

if TYPE_CHECKING:
    from bot.settings import Settings
    from domain.database import Database


def settings_of(context: typer.Context) -> "Settings":
    """The settings that this command runs with. Raises Stop for a malformed one."""
    from bot.settings import SettingsProblem, load_settings

    try:
        return load_settings(context.obj)
    except SettingsProblem as problem:
        raise Stop(str(problem)) from None


@contextlib.contextmanager
def database_of(settings: "Settings") -> Iterator["Database"]:
    """The configured database with its schema up to date. Raises Stop if it isn't, or can't be reached.

    A SQLite file is made when there is none.
    """
    from domain.migrations import prepare

    db = connect(settings)
    try:
        with reached(), schema_sentences():
            prepare(db.engine)
        with reached():
            yield db
    finally:
        db.close_now()
