"""What the commands share: the settings that they run with, the database, and where they write files."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.stop import Stop, connect, reached, schema_sentences

if TYPE_CHECKING:
    from bot.settings import Settings
    from domain.database import Database
    from domain.summaries import OrganisationSummary

Write = Callable[[bytes], object]
Organization = Annotated[
    str | None, typer.Option("--organization", metavar="TEAM_ID", help="Needed with several organisations.")
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Where to write; by default standard output.",
        show_default=False,
    ),
]
CHAINED_AT_MOST = 20
"""Portions of the audit that a command chains: of a large import the rest is a process's."""


def settings_of(context: typer.Context) -> "Settings":
    """The settings that this command runs with; what is written in vain is told. Raises Stop for a malformed one."""
    from bot.settings import SettingsProblem, load_settings, unknown_settings

    try:
        settings = load_settings(context.obj)
    except SettingsProblem as problem:
        raise Stop(str(problem)) from None
    for sentence in unknown_settings(context.obj):
        typer.echo(sentence, err=True)
    return settings


@contextlib.contextmanager
def database_of(settings: "Settings") -> Iterator["Database"]:
    """The configured database with its schema up to date. Raises Stop if it isn't, or can't be reached.

    A SQLite file is made when there is none. What the audit says of the command is chained afterwards; a command that
    recorded nothing chains nothing.
    """
    from domain.migrations import prepare

    db = connect(settings, operator())
    try:
        with reached(), schema_sentences():
            prepare(db.engine)
        with reached():
            yield db
        chain(db)
    finally:
        db.close_now()


def chain(db: "Database") -> None:
    """What this doesn't chain a process does: the command is done, whatever becomes of it."""
    from domain.audit.sealing import seal_some
    from domain.errors import DatabaseUnavailable

    if not db.recorded:
        return
    with contextlib.suppress(DatabaseUnavailable):
        if not seal_some(db, db.recorded, CHAINED_AT_MOST):
            typer.echo(
                "What the audit says of this can't be chained: `paylink audit verify` says what is wrong.",
                err=True,
            )


def operator() -> str:
    """Whoever runs the command, as the machine knows them, whatever the environment says."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return "unknown"


@contextlib.contextmanager
def written_to(output: Path | None) -> Iterator[Write]:
    """What is written within goes to the file, which is there only when all is, or to standard output.

    Raises Stop if it can't be written; whoever reads standard output may stop reading.
    """
    try:
        if output is None:
            yield sys.stdout.buffer.write
            sys.stdout.buffer.flush()
        elif output.exists() and not output.is_file():
            # A pipe or a device can't be put in place of anything.
            with output.open("wb") as file:
                yield file.write
        else:
            with _in_place_of(output) as write:
                yield write
    except OSError as error:
        if output is None:
            # Python would complain once more when it closes standard output.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if output is not None or not isinstance(error, BrokenPipeError):  # else whoever reads has read enough
            to = "" if output is None else f" to {output}"
            raise Stop(
                f"The export can't be written{to} to its end: {error.strerror or type(error).__name__}."
            ) from None


@contextlib.contextmanager
def _in_place_of(output: Path) -> Iterator[Write]:
    beside = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with beside.open("xb") as file:
            yield file.write
        beside.replace(output)
    finally:
        beside.unlink(missing_ok=True)


def find_organisation(db: "Database", team_id: str | None) -> "OrganisationSummary | None":
    """The one that is named, or the only one; None while there is none. Raises Stop."""
    from domain.errors import OrganisationUnknown
    from domain.organisations import organisations

    try:
        if team_id is not None:
            return db.run(organisations.get_by_team, team_id)
        return db.run(organisations.sole)
    except OrganisationUnknown:
        raise Stop(
            f"There is no organisation {team_id!r}: `paylink organization list` shows those there are."
        ) from None
    except organisations.SeveralOrganisations as several:
        raise Stop(
            f"There are several organisations ({', '.join(several.team_ids)}): "
            "say which with --organization TEAM_ID."
        ) from None
