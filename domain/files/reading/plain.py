"""The strict dialect, which needs no guess: names as they are, UTF-8, commas, amounts with a point, dates as in ISO 8601."""

from collections.abc import Iterator, Sequence

from domain.files.import_fields import COLUMNS, OPTIONAL, STATE, Problem, RecordRefused, read_fields, shown
from domain.files.reading.numbers_again import NumbersAgain
from domain.files.reading.records import BadLine, Item, Record, Unreadable
from domain.files.reading.tables import Table
from domain.files.reading.values.texts import Prepare, unmarked
from domain.invoices.numbers.keys import number_key

HEADING = ",".join(COLUMNS)
NEEDED = tuple(name for name in COLUMNS if name not in OPTIONAL)
WHY = "why"
"""The column that a file of refused records has besides its own; it is passed over."""
TEMPLATE = f"""{HEADING}
INV-1001,Acme Corporation,billing@acme.example,1200.50,USD,2026-10-31,2026-11-30,Consulting in October
INV-1002,"Müller, Söhne & Co.",,98000,JPY,2026-10-31,2026-11-30,"Two lines,
in quotation marks"
INV-1003,Gulf Trading,ap@gulf.example,1.500,KWD,,,
"""


def is_plain(heading: Sequence[str]) -> bool:
    """Whether it holds every column that is needed, none twice, and none that isn't known."""
    names = set(heading)
    return len(names) == len(heading) and names.issuperset(NEEDED) and names.issubset({*COLUMNS, STATE, WHY})


class PlainTable:
    """The records below a heading of the strict dialect; columns that it hasn't are passed over.

    ``prepare`` gets each record's values before they are read.
    """

    def __init__(self, table: Table, prepare: Prepare = unmarked) -> None:
        self._table = table
        self._prepare = prepare
        self.heading = table.heading
        self._number = self.heading.index("number")

    def __iter__(self) -> Iterator[Item]:
        heading, number, width = self.heading, self._number, len(self.heading)
        # A sheet's rows end with their last text.
        ends_with_text = not self._table.separator
        for record in self._table.below():
            cells = record.cells
            if ends_with_text and len(cells) < width:
                cells = [*cells, *[""] * (width - len(cells))]
            try:
                if record.fault is not None or len(cells) != width or record.last != record.line:
                    self._check(record, cells)
                values = self._prepare(dict(zip(heading, cells, strict=True)))
                yield read_fields(record.line, values, record.last, cells)
            except RecordRefused as refused:
                written = self._as_prepared(cells[number]).strip() if number < len(cells) else ""
                key = number_key(written)
                yield BadLine(record.line, record.last, refused.problems, shown(written), cells, key)

    def numbers_again(self) -> NumbersAgain:
        return NumbersAgain.among(self._keys())

    def _keys(self) -> Iterator[str]:
        number, width, unreadable = self._number, len(self.heading), Unreadable()
        for count, record in enumerate(self._table.below(), start=1):
            cells = record.cells
            if record.fault is not None or len(cells) > width:
                unreadable.see(record.line, record.fault or self._not_so_many(cells), count)
            elif len(cells) < width and self._table.separator:
                unreadable.see(record.line, self._not_so_many(cells), count)
            yield number_key(self._as_prepared(cells[number])) if number < len(cells) else ""

    def _as_prepared(self, number: str) -> str:
        if "'" not in number:
            return number
        try:
            return self._prepare({"number": number})["number"]
        except RecordRefused:
            return number

    def _check(self, record: Record, cells: Sequence[str]) -> None:
        """Raise RecordRefused if the record doesn't have the heading's fields, each on one line but for the description."""
        if record.fault is not None:
            raise RecordRefused(record.fault)
        if len(cells) != len(self.heading):
            raise RecordRefused(self._not_so_many(cells))
        for name, cell in zip(self.heading, cells, strict=True):
            if ("\n" in cell or "\r" in cell) and name != "description":
                raise RecordRefused(
                    Problem(name, "", "a quotation mark opens it and isn't closed in this line")
                )

    def _not_so_many(self, cells: Sequence[str]) -> Problem:
        more = len(cells) > len(self.heading)
        wanted = "put a field that holds a comma in quotation marks" if more else "write all fields"
        return Problem("", "", wanted, f"{len(cells):,} fields instead of {len(self.heading)}")
