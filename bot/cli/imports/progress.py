"""What an import shows: on standard error its bad records and how far it is, at the end what became of them all."""

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from domain.files.importing import ImportResult
from domain.files.reading.invoice_file import InvoiceFile
from domain.files.reading.records import BadLine, LeftOut, LeftOutBecause
from domain.money import Money
from handlers.words.imports import LAYOUTS

LINES_BETWEEN = 50_000
REASONS_TOLD = 20
# Of one, and of several.
_LEFT_OUT = {
    LeftOutBecause.DRAFT: ("draft", "drafts"),
    LeftOutBecause.VOID: ("void", "void"),
    LeftOutBecause.OTHER_KIND: ("not an invoice", "not invoices"),
    LeftOutBecause.TOTALS: ("row of totals", "rows of totals"),
    LeftOutBecause.REPEATED: ("the same as an earlier one", "the same as earlier ones"),
}


class Report:
    """Where nobody watches: a line now and then."""

    def __init__(self) -> None:
        self._next = LINES_BETWEEN
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._so_far = ImportResult()

    def bad(self, line: BadLine) -> None:
        for problem in line.problems:
            if len(self._reasons) < 1_000 or (problem.field, problem.right) in self._reasons:
                self._reasons[problem.field, problem.right] += 1
        self._tell(sentence(line))

    def left_out(self, line: LeftOut) -> None:
        if line.because is LeftOutBecause.REPEATED:
            self._tell(f"line {line.line:,} ({line.number}): the same as line {line.first:,}, which is taken")

    def progress(self, so_far: ImportResult) -> None:
        self._so_far = so_far
        self._show(so_far.taken + so_far.bad + so_far.left_out.total())

    def conclude(self, layout: str, *, dry_run: bool, interrupted: bool) -> None:
        """The table of reasons, and the counts on standard output; of a dry run all that the preview in Slack says of them."""
        if self._reasons:
            self._tell("Refused:")
            for (field, right), count in self._reasons.most_common(REASONS_TOLD):
                self._tell(f"{count:>9,}  {field + ': ' if field else ''}{right}")
            if (more := len(self._reasons) - REASONS_TOLD) > 0:
                self._tell(f"           and {more:,} more reason{'s' if more > 1 else ''}")
        if dry_run:
            typer.echo(f"Recognised: {LAYOUTS.get(layout, layout)}" if layout else "Read by the map.")
        typer.echo(self._counts(dry_run=dry_run))
        if dry_run and self._so_far.taken:
            totals = (Money(amount, currency) for currency, amount in sorted(self._so_far.sums.items()))
            typer.echo(f"Total by currency: {', '.join(map(str, totals))}")
        if interrupted:
            changed = "Nothing was changed" if dry_run else "What is counted here was taken"
            typer.echo(f"Interrupted. {changed}; running it again is safe.")

    def _counts(self, *, dry_run: bool) -> str:
        result = self._so_far
        counts = f"{result.new:,} new, {result.updated:,} updated, {result.unchanged:,} unchanged"
        words = "Dry run: {} would be taken ({}), {} bad" if dry_run else "{} taken ({}), {} bad"
        said = words.format(f"{result.taken:,}", counts, f"{result.bad:,}")
        if result.left_out:
            why = ", ".join(
                f"{count:,} {one if count == 1 else several}"
                for because, (one, several) in _LEFT_OUT.items()
                if (count := result.left_out[because])
            )
            said += f", {result.left_out.total():,} left out ({why})"
        return f"{said}."

    def _tell(self, text: str) -> None:
        print(text, file=sys.stderr)  # noqa: T201 - what people at the terminal read

    def _show(self, records: int) -> None:
        if records >= self._next:
            print(f"{records:,} records so far", file=sys.stderr, flush=True)  # noqa: T201
            self._next = records - records % LINES_BETWEEN + LINES_BETWEEN


@contextlib.contextmanager
def reporting(file: InvoiceFile) -> Iterator[Report]:
    """A bar where somebody watches, else a line now and then."""
    if not sys.stderr.isatty():
        yield Report()
        return
    columns = (BarColumn(), TextColumn("{task.fields[records]:,} records"), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bar(file, progress, progress.add_task("", total=file.size, records=0))


def sentence(line: BadLine) -> str:
    number = f" ({line.number})" if line.number else ""
    return f"{line.where}{number}: {line.reason}"


class _Bar(Report):
    def __init__(self, file: InvoiceFile, progress: Progress, task: TaskID) -> None:
        super().__init__()
        self._file = file
        self._progress = progress
        self._task = task

    def _tell(self, text: str) -> None:
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _show(self, records: int) -> None:
        self._progress.update(self._task, completed=self._file.bytes_read, records=records)
