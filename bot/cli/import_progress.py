"""What an import shows on standard error: its bad lines, and how far it is."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from domain.files.import_lines import BadLine, InvoiceFile

LINES_BETWEEN = 50_000


class Report(Protocol):
    def bad(self, line: BadLine) -> None: ...

    def progress(self, lines: int) -> None: ...


@contextlib.contextmanager
def reporting(file: InvoiceFile) -> Iterator[Report]:
    """A bar where somebody watches, else a line now and then."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    columns = (BarColumn(), TextColumn("{task.fields[lines]:,} lines"), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bar(file, progress, progress.add_task("", total=file.size, lines=0))


def sentence(line: BadLine) -> str:
    return f"line {line.line}: {line.reason}"


class _Bar:
    def __init__(self, file: InvoiceFile, progress: Progress, task: TaskID) -> None:
        self._file = file
        self._progress = progress
        self._task = task

    def bad(self, line: BadLine) -> None:
        self._progress.console.print(sentence(line), markup=False, highlight=False, soft_wrap=True)

    def progress(self, lines: int) -> None:
        self._progress.update(self._task, completed=self._file.bytes_read, lines=lines)


class _Lines:
    def __init__(self) -> None:
        self._next = LINES_BETWEEN

    def bad(self, line: BadLine) -> None:
        print(sentence(line), file=sys.stderr)  # noqa: T201 - what people at the terminal read

    def progress(self, lines: int) -> None:
        if lines >= self._next:
            print(f"{lines:,} lines so far", file=sys.stderr, flush=True)  # noqa: T201
            self._next = lines - lines % LINES_BETWEEN + LINES_BETWEEN
