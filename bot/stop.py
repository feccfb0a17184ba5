"""How a command ends with a sentence, and the sentences of a database that can't be used."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.settings import Settings
    from domain.database import Database

WRONG = 2
MOST_NAMED = 10


class Stop(Exception):
    """End the command: ``sentence`` on standard error, ``status`` as its exit status."""

    def __init__(self, sentence: str, status: int = WRONG) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


WITHOUT_KEYS = (
    "PAYLINK_SECRET_KEYS isn't set: it holds the keys that secrets in the database are sealed with. "
    "`paylink secrets new-key` prints a new one."
)


def closed_secrets(team_ids: Sequence[str]) -> str:
    """The sentence for secrets that none of the keys opens."""
    shown = ", ".join(team_ids[:MOST_NAMED]) + (" and others" if len(team_ids) > MOST_NAMED else "")
    return (
        f"Secrets of {shown} don't open with PAYLINK_SECRET_KEYS: put the key back that they were sealed with, behind the others. "
        "If it is lost, `paylink secrets erase TEAM_ID` erases them, and the app is installed and Stripe connected there again."
    )


def connect(settings: "Settings", operator: str | None = None) -> "Database":
    """The configured database, whether or not it can be reached now. Raises Stop if its file can't be made."""
    from domain.database import Database

    try:
        return Database(settings.database_url, operator)
    except OSError as error:
        raise Stop(unmakeable(settings, error)) from None


def unmakeable(settings: "Settings", error: OSError) -> str:
    """The sentence for a SQLite file that can't be made."""
    from sqlalchemy.engine import make_url

    file = make_url(settings.database_url).database
    return f"The database file {file} can't be made: {error.strerror or type(error).__name__}."


@contextlib.contextmanager
def reached() -> Iterator[None]:
    """Raise Stop when the database can't be reached."""
    from domain.errors import DatabaseUnavailable

    try:
        yield
    except DatabaseUnavailable:
        raise Stop(
            "The database can't be reached: see that it runs and that DATABASE_URL is right."
        ) from None


@contextlib.contextmanager
def schema_sentences() -> Iterator[None]:
    """Raise Stop when the schema is another one than this Paylink's, or it is no database of Paylink's at all."""
    from sqlalchemy.exc import DatabaseError

    from domain.migrations import SchemaBusy, SchemaTooNew, SchemaTooOld

    try:
        yield
    except SchemaTooOld as old:
        state = "has no schema yet" if old.found is None else f"has the older schema {old.found}"
        raise Stop(f"The database {state}: run `paylink db upgrade` first.") from None
    except SchemaTooNew as new:
        raise Stop(
            f"The database has the newer schema {new.found}, which this Paylink doesn't know: run the later Paylink."
        ) from None
    except SchemaBusy:
        raise Stop(
            "The schema isn't brought up to date yet: another transaction, of a backup perhaps, keeps the database "
            "to itself. Nothing is lost; run `paylink db upgrade` again when it has ended."
        ) from None
    except DatabaseError as error:
        # Not its message, which may hold the address with its password.
        raise Stop(
            f"The database can't be used ({type(error.orig).__name__}): see that DATABASE_URL names one that is "
            "Paylink's own, and that its user may change the schema."
        ) from None
