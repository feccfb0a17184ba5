"""From a file's bytes to its table: what kind of file it is, how its text is encoded, and where its heading stands."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from domain.files.import_fields import COLUMNS, STATE, shown
from domain.files.reading.layouts.known import BY_NAME, EXPORT, LAYOUTS, PLAIN
from domain.files.reading.layouts.layout import Layout
from domain.files.reading.maps import FileMap
from domain.files.reading.plain import is_plain
from domain.files.reading.recognising import (
    SEPARATORS,
    Found,
    find_by_map,
    find_heading,
    guess_heading,
    what_differs,
)
from domain.files.reading.records import FileUnusable
from domain.files.reading.sources.content import Content
from domain.files.reading.sources.csv_records import HEADING_LINES, CsvRecords
from domain.files.reading.sources.einvoices import FORMS
from domain.files.reading.sources.text import ENCODINGS, encoding_of, first_fault
from domain.files.reading.sources.workbook import Workbook
from domain.files.reading.tables import Chained, Records, Table, first_rows, unique_names


@dataclass(frozen=True)
class Opened:
    """``layout`` is None where the heading isn't known; ``refusal`` then says what it is, unless a map describes it."""

    table: Table
    layout: Layout | None
    refusal: str = ""


def layouts_of(name: str) -> tuple[Layout, ...]:
    """Those to look for: the one that is named, or all. Raises FileUnusable."""
    if not name:
        return LAYOUTS
    if name in FORMS:
        raise FileUnusable(f"The file isn't XML, as {name} is: leave --from out")
    if name not in BY_NAME:
        raise FileUnusable(
            f"There is no layout {shown(name)!r}: write one of {', '.join([*BY_NAME, *FORMS])}"
        )
    return (BY_NAME[name],)


def open_workbook(content: Content, workbook: Workbook, layout: str, map: FileMap | None) -> Opened:
    """The first sheet that has a known heading, else the first that has any text. Raises FileUnusable."""
    unknown: Opened | None = None
    for sheet in workbook.sheets:
        opened = _look(content, sheet, layout, map, encoding="", separator="")
        if opened is not None and (opened.layout is not None or map is not None):
            return _check_export(content, _with_further_sheets(opened, workbook))
        unknown = unknown or opened
    if unknown is None:
        raise FileUnusable(f"{content.name} has no row in any of its sheets: export it again")
    return unknown


def _with_further_sheets(opened: Opened, workbook: Workbook) -> Opened:
    """An export of more invoices than a sheet can hold goes on in the next ones."""
    if opened.layout is None or opened.layout.name != EXPORT:
        return opened
    same = [sheet for sheet in workbook.sheets if _begins(sheet) == _begins(opened.table.records)]
    if len(same) < 2:
        return opened
    return replace(opened, table=replace(opened.table, records=Chained(same)))


def _begins(records: Records) -> tuple[str, ...]:
    return next((tuple(record.cells) for record in records), ())


def open_text(content: Content, layout: str, map: FileMap | None) -> Opened:
    """Raises FileUnusable if it is no text in any encoding."""
    unknown: Opened | None = None
    faults: list[tuple[str, int]] = []
    for encoding in _encodings(content, map):
        fault = first_fault(content, encoding)
        if fault is not None:
            faults.append((encoding, fault))
            continue
        for separator in [map.separator] if map and map.separator else SEPARATORS:
            # Strict or not, the heading is the same.
            records = CsvRecords(content, encoding, separator, strict=False)
            opened = _look(content, records, layout, map, encoding=encoding, separator=separator)
            if opened is None:
                continue
            if opened.layout is not None or (map is not None and not opened.refusal):
                return _check_plain(content, opened, faults)
            if unknown is None or len(opened.table.heading) > len(unknown.table.heading):
                unknown = opened
        if unknown is not None and encoding != "cp1252":  # nearly anything is Windows-1252
            break
    if unknown is None:
        raise FileUnusable(_not_text(content, faults) if faults else _no_heading(content, map))
    return unknown


def _encodings(content: Content, map: FileMap | None) -> Iterator[str]:
    if map is not None and map.encoding:
        yield map.encoding
    elif (said := encoding_of(content)) is not None:
        yield said
    else:
        yield from (encoding for encoding in ENCODINGS if encoding != "utf-16")


def _look(
    content: Content, records: Records, layout: str, map: FileMap | None, *, encoding: str, separator: str
) -> Opened | None:
    rows = first_rows(records)
    found = find_by_map(rows, map) if map is not None else find_heading(rows, layouts_of(layout))
    if found is not None:
        return Opened(_table(records, found, encoding, separator), found.layout)
    guessed = guess_heading(rows)
    if guessed is None:
        return None
    differs = what_differs(guessed.cells, separator)
    if map is not None:
        differs = "hasn't the headings that the map names"
    elif layout:
        differs = f"hasn't the heading of {layout}"
    table = _table(records, guessed, encoding, separator)
    return Opened(table, None, f"{content.name} {differs}")


def _table(records: Records, found: Found, encoding: str, separator: str) -> Table:
    return Table(records, found.row, unique_names(found.cells), encoding, separator)


def _check_plain(content: Content, opened: Opened, faults: list[tuple[str, int]]) -> Opened:
    """The strict dialect and the export are UTF-8, and their names are written as they are."""
    table = opened.table
    if opened.layout is None or opened.layout.name not in (PLAIN, EXPORT):
        return opened
    if faults:
        encoding, line = faults[0]
        raise FileUnusable(
            f"{content.name} isn't {ENCODINGS[encoding]}: line {line:,} holds something else; save it as UTF-8 and "
            "import it again"
        )
    if opened.layout.name == EXPORT:
        return _check_export(content, opened)
    if opened.layout.name == PLAIN and not (table.separator == "," and is_plain(table.heading)):
        return Opened(table, None, f"{content.name} {what_differs(table.heading, table.separator)}")
    return opened


def _check_export(content: Content, opened: Opened) -> Opened:
    """What an export says of an invoice and this file doesn't would be taken for blank."""
    if opened.layout is None or opened.layout.name != EXPORT:
        return opened
    missing = [name for name in (*COLUMNS, STATE) if name not in opened.table.heading]
    if not missing:
        return opened
    lacks = f"{content.name} is an export of Paylink's without {' and '.join(missing)} in its heading"
    return Opened(opened.table, None, f"{lacks}: import it with its columns as they are")


def _no_heading(content: Content, map: FileMap | None) -> str:
    """Of text none of whose first rows can be read, if there are any."""
    for row in first_rows(CsvRecords(content, next(_encodings(content, map)), ",", strict=False)):
        return f"{content.name} can't be read: line {row.line:,}: {row.fault}"
    return f"{content.name} holds no text in its first {HEADING_LINES:,} lines: export it again"


def _not_text(content: Content, faults: list[tuple[str, int]]) -> str:
    tried = " or ".join(ENCODINGS.get(encoding, encoding) for encoding, _ in faults)
    encoding, line = faults[0]
    return (
        f"{content.name} isn't text in {tried}: the first fault of {ENCODINGS.get(encoding, encoding)} is in line {line:,}; "
        "save it as UTF-8 and import it again"
    )
