"""A file of invoices, from its bytes to invoices: the one door to everything in this folder.

    with Content.of_path(path) as content:
        file = InvoiceFile(content, Choices(currency="EUR"))
        take(db, organisation, file.read(), now=now)

Opening it says what it is (``layout``, ``map``, ``columns``), or raises FileUnusable. ``open_questions`` is what must be
answered by Choices before it can be read; ``read`` raises Undecided while something is left. What a person chooses is a
FileMap: ``map`` is what would be taken, to be changed by ``dataclasses.replace`` and given back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from domain.files.import_fields import is_currency
from domain.files.reading.layouts.known import EXPORT, PLAIN
from domain.files.reading.mapped import MappedTable
from domain.files.reading.maps import AMOUNT_DUE, FileMap
from domain.files.reading.opening import Opened, open_text, open_workbook
from domain.files.reading.plain import NEEDED, PlainTable
from domain.files.reading.recognising import map_of, propose_columns
from domain.files.reading.records import FileUnusable, Item
from domain.files.reading.repeated import Items, without_repeats
from domain.files.reading.sources.content import Content
from domain.files.reading.sources.csv_records import CsvRecords
from domain.files.reading.sources.json_lines import JsonLines, is_json_lines
from domain.files.reading.sources.kinds import Kind, kind_of
from domain.files.reading.sources.pdf import electronic_invoice
from domain.files.reading.sources.text import UTF_8, first_fault
from domain.files.reading.sources.workbook import Workbook
from domain.files.reading.sources.xml_files import XmlFile, ZipOfXml
from domain.files.reading.tables import Column
from domain.files.reading.values.deciding import Doubt
from domain.files.reading.values.texts import Prepare, restored, restored_from_cells, unmarked


@dataclass(frozen=True)
class Choices:
    """What people say of a file; what they leave blank is found out, or asked for."""

    layout: str = ""
    """One of layouts/known.py's BY_NAME."""
    map: FileMap | None = None
    decimal_sign: str = ""
    date_order: str = ""
    currency: str = ""


NO_CHOICES = Choices()


@dataclass(frozen=True)
class OpenQuestions:
    """What must be said before a file can be read: fields without a column, a currency, and doubts about its values."""

    missing: tuple[str, ...] = ()
    """Of COLUMNS, those that are needed; ``currency`` may be given as a column or for the whole file."""
    doubts: tuple[Doubt, ...] = ()
    refusal: str = ""
    """Of a file whose heading isn't known: the sentence that says what it is."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.doubts or self.refusal)


class Undecided(FileUnusable):
    """The file can't be read before its open questions are answered; nothing was guessed, and nothing taken."""

    def __init__(self, name: str, questions: OpenQuestions) -> None:
        super().__init__(questions.refusal or f"{name} leaves something open")
        self.name = name
        self.questions = questions


@contextmanager
def open_path(path: Path, choices: Choices = NO_CHOICES) -> Iterator["InvoiceFile"]:
    """Raises FileUnusable."""
    with Content.of_path(path) as content:
        yield InvoiceFile(content, choices)


class InvoiceFile:
    """``content`` is closed by whoever opened it. Raises FileUnusable if nothing can be taken from it, whatever is chosen."""

    def __init__(self, content: Content, choices: Choices = NO_CHOICES) -> None:
        self._content = content
        self._choices = choices
        self._opened: Opened | None = None
        self._items: Items | None = None
        self._source: JsonLines | XmlFile | ZipOfXml | None = None
        self._map = FileMap()
        kind = kind_of(content)
        if kind is Kind.WORKBOOK:
            self._take(open_workbook(content, Workbook(content), choices.layout, choices.map))
        elif kind is Kind.XML:
            self._items = self._source = XmlFile(content, choices.layout)
        elif kind is Kind.PDF:
            self._items = self._source = XmlFile(electronic_invoice(content), choices.layout)
        elif kind is Kind.ZIP:
            self._items = self._source = ZipOfXml(content, choices.layout)
        elif choices.map is None and not choices.layout and is_json_lines(content):
            self._items = self._source = self._json_lines()
        else:
            self._take(open_text(content, choices.layout, choices.map))

    def _json_lines(self) -> JsonLines:
        if (line := first_fault(self._content, UTF_8)) is not None:
            raise FileUnusable(
                f"{self._content.name} isn't UTF-8: line {line:,} holds something else; save it as UTF-8 and import it again"
            )
        return JsonLines(self._content)

    def _take(self, opened: Opened) -> None:
        self._opened = opened
        choices, table = self._choices, opened.table
        if choices.map is not None:
            known = choices.map
        elif opened.layout is not None:
            known = map_of(opened.layout, table.heading)
        else:
            known = FileMap(columns=propose_columns(table.heading))
        self._map = replace(
            known,
            encoding=known.encoding or table.encoding,
            separator=known.separator or table.separator,
            heading_row=table.row,
            decimal_sign=choices.decimal_sign or known.decimal_sign,
            date_order=choices.date_order or known.date_order,
            currency=choices.currency or known.currency,
        )
        if self._map.currency and not is_currency(self._map.currency):
            raise FileUnusable(f"{self._map.currency!r} is no currency of ISO 4217: write one such as USD")
        if opened.layout is not None and opened.layout.name in (PLAIN, EXPORT):
            records = table.records
            if isinstance(records, CsvRecords):
                records = CsvRecords(self._content, table.encoding, table.separator, strict=True)
            prepare: Prepare = unmarked
            if opened.layout.name == EXPORT:
                prepare = restored if table.separator else restored_from_cells
            self._items = PlainTable(replace(table, records=records), prepare)

    @property
    def name(self) -> str:
        return self._content.name

    @property
    def size(self) -> int:
        return self._content.size

    @property
    def bytes_read(self) -> int:
        """About how much of ``size`` has been read."""
        return self._content.bytes_read

    @property
    def layout(self) -> str:
        """Its name; blank if the heading isn't known, or a map describes it."""
        if self._opened is None:
            assert self._source is not None
            return self._source.layout
        return "" if self._opened.layout is None else self._opened.layout.name

    @property
    def heading(self) -> tuple[str, ...]:
        """What the cells of its records are called."""
        if self._opened is None:
            assert self._source is not None
            return self._source.heading
        return self._opened.table.heading

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The headings, each with the first values below it."""
        return () if self._opened is None else self._opened.table.columns()

    @cached_property
    def map(self) -> FileMap:
        """What would be taken: with the decimal sign and the order of dates, if the file decides them. Reads all of it."""
        if isinstance(self._items, PlainTable) or self._opened is None:
            return self._map
        evidence = self._mapped.evidence
        sign, order = evidence.decimal_sign, evidence.date_order
        return replace(
            self._map,
            decimal_sign=self._map.decimal_sign or (sign if isinstance(sign, str) else ""),
            date_order=self._map.date_order or (order if isinstance(order, str) else ""),
        )

    @cached_property
    def open_questions(self) -> OpenQuestions:
        """Reads all of the file."""
        if self._items is not None or self._opened is None:
            return OpenQuestions()
        if self._opened.layout is None and (self._choices.map is None or self._opened.refusal):
            return OpenQuestions(self._missing(), self._doubts(), self._opened.refusal)
        return OpenQuestions(self._missing(), self._doubts())

    def _missing(self) -> tuple[str, ...]:
        has = dict(self._map.columns)
        if AMOUNT_DUE in has:
            has["billing_amount"] = has[AMOUNT_DUE]
        if self._map.currency:
            has["currency"] = ()
        return tuple(name for name in NEEDED if name not in has)

    def _doubts(self) -> tuple[Doubt, ...]:
        evidence, asked = self._mapped.evidence, []
        if not self._map.decimal_sign:
            asked.append(evidence.decimal_sign)
        if not self._map.date_order:
            asked.append(evidence.date_order)
        return tuple(one for one in asked if isinstance(one, Doubt))

    @cached_property
    def _mapped(self) -> MappedTable:
        assert self._opened is not None
        return MappedTable(self._opened.table, self._map)

    def read(self) -> Iterator[Item]:
        """Every record once. Raises Undecided, before the first of them, while there are open questions."""
        if self._items is not None:
            return without_repeats(self._items)
        if self.open_questions:
            raise Undecided(self.name, self.open_questions)
        return without_repeats(self._mapped.decided(self.map), self._map.rows_of_one_number)
