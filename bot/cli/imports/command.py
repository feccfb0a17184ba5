"""``paylink import``."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.imports.questions import answers_wanted, require_answers
from bot.cli.imports.refusals import writing_bad
from bot.cli.shared import Organization, database_of, find_organisation, settings_of
from bot.stop import Stop

if TYPE_CHECKING:
    from bot.settings import Settings
    from domain.database import Database
    from domain.files.importing import ImportResult
    from domain.files.reading.invoice_file import InvoiceFile
    from domain.files.reading.maps import FileMap
    from domain.files.reading.records import BadLine
    from domain.files.reading.sources.content import Content
    from domain.summaries import OrganisationSummary

SOME_BAD = 1
INTERRUPTED = 130
STDIN = "-"
HEADINGS_TOLD = 100


class DecimalSign(StrEnum):
    POINT = "."
    COMMA = ","


class DateOrder(StrEnum):
    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"
    YEAR_FIRST = "ymd"


File = Annotated[
    str | None,
    typer.Argument(
        metavar="FILE", help="CSV, an Excel workbook or JSON Lines; - is standard input.", show_default=False
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check the file and say what would change; change nothing.")
]
Template = Annotated[bool, typer.Option("--template", help="Print an example of a file.")]
From = Annotated[
    str, typer.Option("--from", metavar="NAME", help="The layout, if it isn't to be recognised.")
]
Map = Annotated[
    Path | None,
    typer.Option("--map", metavar="MAP", help="A map that describes the file.", show_default=False),
]
Explain = Annotated[bool, typer.Option("--explain", help="Print the map that would be taken, to be edited.")]
Bad = Annotated[
    Path | None,
    typer.Option(
        "--bad", metavar="FILE", help="Write the refused records there, and why.", show_default=False
    ),
]
Sign = Annotated[
    DecimalSign | None, typer.Option("--decimal-sign", help="Of all amounts.", show_default=False)
]
Order = Annotated[DateOrder | None, typer.Option("--date-order", help="Of all dates.", show_default=False)]
Currency = Annotated[
    str, typer.Option("--currency", metavar="CODE", help="Of invoices that don't say their own.")
]
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command("import")
def import_(
    context: typer.Context,
    file: File = None,
    organization: Organization = None,
    dry_run: DryRun = False,
    template: Template = False,
    layout: From = "",
    map_file: Map = None,
    explain: Explain = False,
    bad: Bad = None,
    decimal_sign: Sign = None,
    date_order: Order = None,
    currency: Currency = "",
) -> None:
    """Read billing invoices from FILE: new ones are added, known ones updated.

    The exit status is 0 if every record was taken, 1 if any was bad, 2 if the file can't be used or leaves something open.
    """
    from domain.files.reading.invoice_file import Choices, InvoiceFile
    from domain.files.reading.plain import TEMPLATE
    from domain.files.reading.records import FileUnusable

    if template:
        typer.echo(TEMPLATE, nl=False)
        return
    if file is None:
        raise Stop("Say which file: `paylink import FILE`. `paylink import --template` prints an example.")
    chosen = None if map_file is None else _map_in(map_file)
    choices = Choices(layout, chosen, decimal_sign or "", date_order or "", currency.upper())
    try:
        with _content(file) as content:
            opened = InvoiceFile(content, choices)
            if explain:
                _explain(opened)
                return
            require_answers(opened)
            settings = settings_of(context)
            with database_of(settings) as db, writing_bad(bad, opened) as write_bad:
                result = _import(db, settings, opened, organization, dry_run, write_bad)
    except FileUnusable as unusable:
        raise Stop(f"{unusable}.") from None
    if result.bad:
        raise typer.Exit(SOME_BAD)


def _map_in(path: Path) -> "FileMap":
    from domain.files.reading.maps import MapUnusable, read_map

    try:
        return read_map(path.read_text("utf-8"))
    except OSError as error:
        raise Stop(f"{path} can't be read: {error.strerror or error}.") from None
    except (MapUnusable, UnicodeDecodeError) as problem:
        raise Stop(f"{path} can't be taken as a map: {problem}.") from None


def _content(file: str) -> "Content":
    from domain.files.reading.sources.content import Content

    if file == STDIN:
        return Content.of_stream(sys.stdin.buffer, "standard input")
    return Content.of_path(Path(file))


def _explain(file: "InvoiceFile") -> None:
    """The map on standard output, with the headings to choose from where a column is missing; what is still to be said, on
    standard error."""
    from domain.files.import_fields import shown

    for sentence in answers_wanted(file):
        typer.echo(sentence, err=True)
    typer.echo(file.map.to_toml(), nl=False)
    if missing := file.open_questions.missing:
        if columns := [name for name in missing if name != "currency"]:
            typer.echo(f"# Still to be said: in [columns], {', '.join(columns)}.")
        if "currency" in missing:
            typer.echo('# Still to be said: the currency; if no column says it, at the top: currency = "USD"')
        typer.echo("# The file's headings:")
        for column in file.columns[:HEADINGS_TOLD]:
            typer.echo(f"# {shown(column.heading)}: {', '.join(column.samples)}".rstrip(": "))


def _import(
    db: "Database",
    settings: "Settings",
    file: "InvoiceFile",
    team_id: str | None,
    dry_run: bool,
    write_bad: "Callable[[BadLine], None]",
) -> "ImportResult":
    from bot.cli.imports.progress import reporting
    from domain.files.importing import take

    organisation = find_organisation(db, team_id)
    if organisation is None and not dry_run:
        from bot.cli.organizations import ensure_organization

        organisation = asyncio.run(ensure_organization(settings, db))
    result: ImportResult | None = None
    with reporting(file) as report:

        def refused(line: "BadLine") -> None:
            report.bad(line)
            write_bad(line)

        try:
            with _turn(db, organisation if not dry_run else None):
                result = take(
                    db,
                    organisation,
                    file.read(),
                    now=datetime.now(UTC),
                    dry_run=dry_run,
                    on_bad=refused,
                    on_left_out=report.left_out,
                    on_progress=report.progress,
                )
        except KeyboardInterrupt:
            pass
    report.conclude(file.layout, dry_run=dry_run, interrupted=result is None)
    if result is None:
        raise typer.Exit(INTERRUPTED)
    return result


def _turn(db: "Database", organisation: "OrganisationSummary | None") -> AbstractContextManager[None]:
    """Imports of an organisation wait for each other; a dry run for none."""
    if organisation is None:
        return nullcontext()
    from domain.coordination.turns import of_imports, turn

    return turn(
        db,
        of_imports(organisation.id),
        lambda: typer.echo("Another import is under way: this one begins when it has ended.", err=True),
    )
