"""``paylink export``."""

import sys
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.shared import Organization, Output, database_of, find_organisation, settings_of, written_to
from bot.stop import Stop
from domain.files.exports import Format
from domain.states import WRITTEN, LinkStatus

if TYPE_CHECKING:
    from bot.settings import Settings
    from domain.database import Database
    from domain.summaries import OrganisationSummary


class Status(StrEnum):
    """What --filter takes: the words that stand in the file's column."""

    NOT_CREATED = WRITTEN[LinkStatus.NOT_CREATED]
    PENDING_PAYMENT = WRITTEN[LinkStatus.PENDING_PAYMENT]
    PAID = WRITTEN[LinkStatus.PAID]


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def export(
    context: typer.Context,
    organization: Organization = None,
    filter: Annotated[
        Status | None,
        typer.Option(
            "--filter", case_sensitive=False, help="Only those with this Online Payment Link status."
        ),
    ] = None,
    search: Annotated[
        str, typer.Option("--search", help="Only those whose number, or a word of whose buyer, begins so.")
    ] = "",
    format: Annotated[
        Format | None,
        typer.Option("--format", help="By default what FILE's name ends with, else csv.", show_default=False),
    ] = None,
    bom: Annotated[
        bool, typer.Option("--bom", help="Begin CSV with a byte-order mark, so that Excel reads names right.")
    ] = False,
    output: Output = None,
) -> None:
    """Write billing invoices, their links and payments as CSV, a workbook for Excel, or JSON Lines."""
    chosen_format = format or _format_of(output)
    if bom and chosen_format is not Format.CSV:
        raise Stop("--bom is for CSV: leave it out, or write with --format csv.")
    if chosen_format is Format.XLSX and output is None and sys.stdout.isatty():
        raise Stop("A workbook can't be shown here: say where to write it with -o FILE.")
    settings = settings_of(context)
    with database_of(settings) as db:
        organisation = find_organisation(db, organization)
        if organisation is None:
            raise Stop("There is no organisation yet, and so no invoice: run `paylink import FILE` first.")
        chosen = _Chosen(None if filter is None else LinkStatus[filter.name], search, chosen_format, bom)
        _export(db, settings, organisation, chosen, output)


@dataclass(frozen=True)
class _Chosen:
    """Which invoices go out, and how they are written."""

    filter: LinkStatus | None
    search: str
    format: Format
    bom: bool


def _export(
    db: "Database",
    settings: "Settings",
    organisation: "OrganisationSummary",
    chosen: _Chosen,
    output: Path | None,
) -> None:
    from bot.settings import secret
    from domain.errors import LedgerChanged
    from domain.files.exporting import export_all
    from domain.stripe.client import StripeApi

    key = settings.stripe_api_key
    livemode = None if key is None else StripeApi(secret(key)).livemode
    pieces = export_all(
        db,
        organisation.id,
        livemode=livemode,
        filter=chosen.filter,
        search=chosen.search,
        format=chosen.format,
        bom=chosen.bom,
    )
    try:
        with written_to(output) as write, closing(pieces):
            for piece in pieces:
                write(piece)
    except LedgerChanged:
        raise Stop(
            f"STRIPE_API_KEY is a {'live' if livemode else 'test'} key, and the database still shows the other mode's "
            "links: start `paylink serve` with this key first."
        ) from None


def _format_of(output: Path | None) -> Format:
    suffix = "" if output is None else output.suffix.lower().removeprefix(".")
    return Format(suffix) if suffix in [each.value for each in Format] else Format.CSV
