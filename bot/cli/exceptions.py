"""``paylink exceptions``: list exceptions, and resolve one."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.shared import database_of, settings_of
from bot.stop import Stop

if TYPE_CHECKING:
    from domain.summaries import ExceptionSummary

ALREADY = 1
# Of an integer column, in both databases.
LARGEST_ID = 2**63 - 1

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="What doesn't fit between Stripe, invoices and Slack, until somebody has dealt with it.",
)


class Format(StrEnum):
    TEXT = "text"
    JSONL = "jsonl"


ChosenFormat = Annotated[
    Format, typer.Option("--format", case_sensitive=False, help="Lines for people, or for programs.")
]


@app.command("list")
def list_(
    context: typer.Context,
    organization: Annotated[
        str | None, typer.Option("--organization", metavar="TEAM_ID", help="Only this organisation's.")
    ] = None,
    resolved: Annotated[bool, typer.Option("--all", help="Those that are resolved, too.")] = False,
    format: ChosenFormat = Format.TEXT,
) -> None:
    """Show the open exceptions, the oldest first."""
    from domain.exceptions.listing import list_all

    with database_of(settings_of(context)) as db:
        found = db.run(list_all, organization, resolved=resolved)
    for team_id, exception in found:
        typer.echo(_line(team_id, exception) if format is Format.TEXT else _json(team_id, exception))
    if not found and format is Format.TEXT:
        typer.echo("Nothing needs attention.")


@app.command()
def resolve(
    context: typer.Context,
    exception: Annotated[int, typer.Argument(metavar="ID", help="From `paylink exceptions list`.")],
    reason: Annotated[
        str,
        typer.Option("--reason", help="How it was dealt with: 500 characters at most.", show_default=False),
    ],
    format: ChosenFormat = Format.TEXT,
) -> None:
    """End an exception in the operator's name. The exit status is 1 if it had ended already."""
    from domain.errors import AlreadyResolved, ExceptionNotFound, ReasonUnusable
    from domain.exceptions import listing, resolving
    from domain.summaries import OPERATOR

    with database_of(settings_of(context)) as db:
        try:
            if not 0 < exception <= LARGEST_ID:
                raise ExceptionNotFound
            db.run(resolving.resolve, None, exception, reason, by=OPERATOR, now=datetime.now(UTC))
        except ExceptionNotFound:
            raise Stop(f"There is no exception {exception}: see `paylink exceptions list`.") from None
        except ReasonUnusable:
            raise Stop(
                f"--reason: write down how it was dealt with, in {resolving.REASON_MOST} characters at most."
            ) from None
        except AlreadyResolved:
            ended = db.run(listing.summarise, exception).resolution
            assert ended is not None
            raise Stop(
                f"Exception {exception} was resolved by {ended.by} on {ended.at:%Y-%m-%d %H:%M} UTC already.",
                ALREADY,
            ) from None
        team_id, now = db.run(listing.find, exception)
    typer.echo(f"Exception {exception} is resolved." if format is Format.TEXT else _json(team_id, now))


def _line(team_id: str, exception: "ExceptionSummary") -> str:
    from handlers.words.exceptions import what_differs

    ended = exception.resolution
    parts = (
        str(exception.id),
        team_id,
        exception.number or "",
        exception.kind.value,
        f"{exception.seen_at:%Y-%m-%d %H:%M} UTC",
        f"due {exception.due_by:%Y-%m-%d %H:%M} UTC" if exception.due_by else "",
        what_differs(exception) if ended is None else f"resolved by {ended.by}",
    )
    return "\t".join(parts)


def _json(team_id: str, exception: "ExceptionSummary") -> str:
    """Amounts in the currency's smallest unit, times in UTC."""
    from handlers.words.exceptions import what_differs, what_to_do

    amount, ended = exception.amount, exception.resolution
    return json.dumps(
        {
            "id": exception.id,
            "organization": team_id,
            "kind": exception.kind.value,
            "invoice_number": exception.number,
            "amount": None if amount is None else amount.amount,
            "currency": None if amount is None else amount.currency,
            "stripe_object": exception.stripe_object or None,
            "what_differs": what_differs(exception),
            "what_to_do": what_to_do(exception),
            "since": _utc(exception.seen_at),
            "due_by": _utc(exception.due_by),
            "resolved_at": None if ended is None else _utc(ended.at),
            "resolved_by": None if ended is None else ended.by,
            "reason": None if ended is None else ended.reason,
        },
        ensure_ascii=False,
    )


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
