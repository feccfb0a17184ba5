"""A file's bytes as invoices: which layout it is, what must be said before it can be read, and its records, each time the
same."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from domain.errors import FileRefused
from domain.files.formulas import inert
from domain.files.import_fields import COLUMNS
from domain.files.reading.invoice_file import NO_CHOICES, Choices, InvoiceFile
from domain.files.reading.maps import AMOUNT_DUE, FileMap
from domain.files.reading.plain import WHY
from domain.files.reading.records import BadLine, FileUnusable, Item
from domain.files.reading.sources.content import Content
from domain.imports import choices as kept_choices
from domain.imports.summaries import FileColumn, ImportAnswers, ImportDoubt, ImportQuestion

MOST_COLUMNS = 100
"""So many columns are offered to choose from: as many as Slack shows in a select."""
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,' ]*")


@dataclass(frozen=True)
class Opened:
    """A file of which it is known how it is read; ``choices`` says it for the next time."""

    file: InvoiceFile
    choices: str
    columns: tuple[tuple[str, str], ...]

    @property
    def layout(self) -> str:
        return self.file.layout

    def items(self) -> Iterator[Item]:
        return self.file.read()


@contextmanager
def opened(
    name: str, content: bytes, reading: str, find_remembered: Callable[[str], str] = lambda _: ""
) -> Iterator[Opened | InvoiceFile]:
    """The file, read as ``reading`` says, and as it shows itself where that is blank; the bare file if something must be
    said first. ``find_remembered`` gives what was said of another one by its heading's digest. Raises FileRefused."""
    try:
        with Content.of_bytes(content, name) as bytes_of:
            choices = kept_choices.read(reading)
            file = InvoiceFile(bytes_of, choices)
            if file.open_questions:
                remembered = kept_choices.read(find_remembered(kept_choices.heading_digest(file.heading)))
                choices = kept_choices.with_remembered(choices, remembered, file.open_questions)
                file = _once_more(bytes_of, file, choices, remembered)
            if file.open_questions:
                yield file
                return
            pinned = kept_choices.written(kept_choices.pinned(file, choices))
            columns = tuple((one, ", ".join(names)) for one, names in file.map.columns.items())
            yield Opened(file, pinned, columns)
    except FileUnusable as unusable:
        raise FileRefused(str(unusable)) from unusable


def _once_more(content: Content, file: InvoiceFile, choices: Choices, remembered: Choices) -> InvoiceFile:
    """With what was remembered; once its columns are known, there may be doubts of which something is remembered too."""
    if remembered == NO_CHOICES:
        return file
    file = InvoiceFile(content, choices)
    if file.open_questions:
        choices = kept_choices.with_remembered(choices, remembered, file.open_questions)
        file = InvoiceFile(content, choices)
    return file


def question_about(import_id: int, file: InvoiceFile) -> ImportQuestion:
    """Of a file that leaves something open. Raises FileRefused for what no answer makes readable."""
    questions = file.open_questions
    columns = tuple(
        FileColumn(place, column.heading, column.samples)
        for place, column in enumerate(file.columns[:MOST_COLUMNS])
    )
    asks_columns = bool(questions.refusal) or bool(set(questions.missing) - {"currency"})
    if asks_columns and len(columns) < 2:
        raise FileRefused(questions.refusal or f"{file.name} has no columns")
    places = {column.heading: column.place for column in columns}
    guesses = {
        "billing_amount" if one == AMOUNT_DUE else one: places[names[0]]
        for one, names in file.map.columns.items()
        if names and names[0] in places
    }
    doubts = {
        doubt.what: ImportDoubt(doubt.line, doubt.example, doubt.readings, doubt.others)
        for doubt in questions.doubts
    }
    return ImportQuestion(
        import_id=import_id,
        name=file.name,
        columns=columns,
        asks_columns=asks_columns,
        asks_currency="currency" in questions.missing,
        guesses=tuple((one, guesses[one]) for one in COLUMNS if one in guesses),
        decimal_doubt=doubts.get("decimal_sign"),
        date_doubt=doubts.get("date_order"),
    )


def answered(
    name: str, content: bytes, reading: str, answers: ImportAnswers, find_remembered: Callable[[str], str]
) -> tuple[str, str]:
    """How the file is read from now on, and its heading's digest. Raises FileRefused."""
    try:
        with Content.of_bytes(content, name) as bytes_of:
            choices = kept_choices.read(reading)
            file = InvoiceFile(bytes_of, choices)
            digest = kept_choices.heading_digest(file.heading)
            remembered = kept_choices.read(find_remembered(digest))
            choices = kept_choices.with_remembered(choices, remembered, file.open_questions)
            if answers.columns:
                headings = {column.place: column.heading for column in _columns(file)}
                columns = {one: (headings[place],) for one, place in answers.columns if place in headings}
                choices = replace(choices, map=FileMap(columns=columns), layout="")
            said = {
                name: value
                for name in ("decimal_sign", "date_order", "currency")
                if (value := getattr(answers, name))
            }
            choices = replace(choices, **said)
            InvoiceFile(bytes_of, choices)
            return kept_choices.written(choices), digest
    except FileUnusable as unusable:
        raise FileRefused(str(unusable)) from unusable


def _columns(file: InvoiceFile) -> list[FileColumn]:
    return [FileColumn(place, one.heading) for place, one in enumerate(file.columns[:MOST_COLUMNS])]


MOST_REFUSED = 20 << 20
"""So many characters of refused records are given back: of a hostile file, each of millions has its reason."""


class RefusedFile:
    """The records that weren't taken, as they were, with a column that says why: to be mended and brought in again.

    Of very many the first ones, and how many more there are.
    """

    def __init__(self, file: InvoiceFile) -> None:
        self._width = len(file.heading)
        self._text = io.StringIO()
        self._rows = csv.writer(self._text, delimiter=file.map.separator or ",", lineterminator="\r\n")
        self._rows.writerow([*map(inert, file.heading), WHY])
        self._count = self._more = 0

    def add(self, bad: BadLine) -> None:
        if self._text.tell() > MOST_REFUSED:
            self._more += 1
            return
        cells = [*bad.cells, *[""] * (self._width - len(bad.cells))]
        self._rows.writerow([*map(_harmless, cells), inert(f"{bad.where}: {bad.reason}")])
        self._count += 1

    def content(self) -> bytes | None:
        """With a byte-order mark, so that Excel reads names right; None if there is no record."""
        if not self._count:
            return None
        if self._more:
            self._rows.writerow([*[""] * self._width, f"{self._more:,} more were refused"])
        return ("\ufeff" + self._text.getvalue()).encode()


def _harmless(cell: str) -> str:
    """Whoever wrote the file may be a stranger, and it is opened in a spreadsheet; a number stays one."""
    return cell if _NUMBER.fullmatch(cell) else inert(cell)
