"""``paylink audit``: prove that nobody changed it, and take it out."""

import re
from contextlib import closing
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.shared import Output, database_of, settings_of, written_to
from bot.stop import Stop

if TYPE_CHECKING:
    from domain.audit.verifying import Found, Noted, Verified
    from domain.database import Database

FAULTY = 1

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Who did what: prove that nobody changed it, and take it out.",
)


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


TeamId = Annotated[
    str | None, typer.Argument(metavar="TEAM_ID", help="Only this organisation's.", show_default=False)
]


@app.command()
def verify(
    context: typer.Context,
    team_id: TeamId = None,
    noted: Annotated[
        str | None,
        typer.Option(
            "--noted",
            metavar="POSITION:HASH",
            help="What was noted of this organisation's chain earlier: it must still be so.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Go through the chain and name the first entry that was changed, removed or put elsewhere. Note what it ends with."""
    from domain.audit.verifying import verify as verify_chain

    known = None if noted is None else _read_noted(noted)
    if known is not None and team_id is None:
        raise Stop("--noted is of one organisation: say which.")
    faulty = False
    with database_of(settings_of(context)) as db:
        for organisation_id, team in _organisations(db, team_id):
            verified = verify_chain(db.run, organisation_id, team, known)
            faulty = faulty or verified.found is not None
            typer.echo(_line(verified))
    if faulty:
        raise typer.Exit(FAULTY)


@app.command()
def export(
    context: typer.Context,
    team_id: TeamId = None,
    format: Annotated[
        Format,
        typer.Option(
            "--format",
            case_sensitive=False,
            help="CSV for spreadsheets, or JSON Lines with which to check the chain.",
        ),
    ] = Format.JSONL,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="From then on: a day such as 2026-11-30, or a moment such as 2026-11-30T12:00:00Z; UTC.",
            show_default=False,
        ),
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option(
            "--actor",
            metavar="WHO",
            help="What this one did: a Slack user's id, token:NAME, operator, Stripe or Paylink.",
            show_default=False,
        ),
    ] = None,
    output: Output = None,
) -> None:
    """Write the entries, in the order of the chain."""
    from domain.audit.reading import Unreadable
    from domain.files.exporting import record_export
    from domain.files.exports import Format as Written
    from domain.files.exports import audit

    begin = None if since is None else _read_moment(since)
    with database_of(settings_of(context)) as db:
        organisations = _organisations(db, team_id)
        for organisation_id, team in organisations:
            if team is not None:
                db.run(record_export, organisation_id, "audit")
        pieces = audit.export(db.run, organisations, Written(format.value), since=begin, actor=actor)
        try:
            with written_to(output) as write, closing(pieces):
                for piece in pieces:
                    write(piece)
        except Unreadable:
            raise Stop(
                "The export isn't whole: an entry can't be read. `paylink audit verify` says which."
            ) from None


def _organisations(db: "Database", team_id: str | None) -> list[tuple[int, str | None]]:
    from domain.audit.reading import list_organisations

    found = db.run(list_organisations, team_id)
    if team_id is not None and not found:
        raise Stop(
            f"There is no organisation {team_id!r}: `paylink organization list` shows those there are."
        )
    return found


def _read_noted(text: str) -> "Noted":
    from domain.audit.verifying import Noted

    fitting = re.fullmatch(r"([1-9][0-9]{0,17}):([0-9a-f]{64})", text, re.ASCII)
    if fitting is None:
        raise Stop("--noted: write it as `paylink audit verify` prints it, POSITION:HASH.")
    return Noted(int(fitting[1]), fitting[2])


def _read_moment(text: str) -> datetime:
    try:
        if len(text) == len("2026-11-30"):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Stop(
            f"--since: {text!r} is no day such as 2026-11-30 and no moment such as 2026-11-30T12:00:00Z."
        ) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _line(verified: "Verified") -> str:
    """What it is of, whether it is whole, how it ends, and what waits."""
    parts = [verified.organisation or "no organisation"]
    if verified.found is None:
        parts += ["intact", _entries(verified.entries), f"{verified.entries}:{verified.hash}"]
    else:
        parts += ["FAULTY", _sentence(verified.found)]
    if verified.waiting:
        parts.append(f"{_entries(verified.waiting)} not chained yet")
    return "\t".join(parts)


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"


def _sentence(found: "Found") -> str:
    from domain.audit.verifying import Fault

    says = {
        Fault.CHANGED: "isn't what it was when it was chained, or stands where another one stood",
        Fault.MISSING: "is missing",
        Fault.TWICE: "is there twice",
        Fault.CUT: "and whatever came after it is missing",
        Fault.LONGER: "is the last one, and the chain's head doesn't know it",
        Fault.NOT_AS_NOTED: "hasn't the hash that was noted: the chain was written anew",
        Fault.HEAD_UNREADABLE: "the chain's head can't be read: it holds what Paylink never writes",
        Fault.WAITING_UNREADABLE: "an entry that isn't chained yet can't be read: it holds what Paylink never writes",
    }[found.fault]
    if found.fault in (Fault.HEAD_UNREADABLE, Fault.WAITING_UNREADABLE):
        return says
    entry = found.entry
    what = (
        ""
        if entry is None
        else f" ({entry.deed} by {entry.actor} at {entry.at:%Y-%m-%dT%H:%M:%SZ}, id {entry.id})"
    )
    return f"entry {found.position}{what} {says}"
