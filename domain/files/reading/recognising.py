"""Which layout a file has: by its heading, after any title rows; and what to say when it has none that is known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.files.import_fields import shown
from domain.files.reading.layouts.known import EXPORT, LAYOUTS, PLAIN
from domain.files.reading.layouts.layout import Layout, heading_key
from domain.files.reading.maps import FileMap
from domain.files.reading.plain import HEADING, NEEDED, is_plain
from domain.files.reading.records import Record
from domain.files.reading.tables import unique_names

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Found:
    """A heading in the rows of a file, and its layout if it is known."""

    row: int
    cells: tuple[str, ...]
    layout: Layout | None


def find_heading(rows: Sequence[Record], layouts: Iterable[Layout] = LAYOUTS) -> Found | None:
    """The first row that is the heading of a layout. Of several layouts, the one most of whose columns it has."""
    layouts = tuple(layouts)
    for record in rows:
        if record.fault is not None:
            continue
        known = [layout for layout in layouts if layout.matches(record.cells)]
        if known:
            best = max(
                known,
                key=lambda layout: (layout.name in (EXPORT, PLAIN), len(layout.find_columns(record.cells))),
            )
            return Found(record.line, tuple(record.cells), best)
    return None


def guess_heading(rows: Sequence[Record]) -> Found | None:
    """The row that is most like a heading in a file of an unknown layout: the first with as many names as any has."""
    named = [
        (sum(bool(cell.strip()) for cell in record.cells), record) for record in rows if record.fault is None
    ]
    if not named:
        return None
    most = max(count for count, _ in named)
    record = next(record for count, record in named if count * 5 >= most * 4)
    return Found(record.line, tuple(record.cells), None)


def find_by_map(rows: Sequence[Record], map: FileMap) -> Found | None:
    """The row that has the map's headings, by the names that tell its columns apart."""
    wanted = {name for names in map.columns.values() for name in names} | set(map.keep)
    for record in rows:
        if map.heading_row in (0, record.line) and wanted.issubset(unique_names(record.cells)):
            return Found(record.line, tuple(record.cells), None)
    return None


def map_of(layout: Layout, heading: Sequence[str]) -> FileMap:
    return FileMap(
        layout=layout.name,
        columns=layout.find_columns(heading),
        decimal_sign=layout.decimal_sign,
        date_order=layout.date_order,
        currency=layout.currency,
        rows_of_one_number=layout.repeats,
        keep=layout.find_kept(heading),
    )


def propose_columns(heading: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """For each field the column whose name some layout has for it."""
    found: dict[str, tuple[str, ...]] = {}
    taken: set[str] = set()
    for layout in LAYOUTS:
        for one, names in layout.find_columns([name for name in heading if name not in taken]).items():
            if one not in found:
                found[one] = names[:1]
                taken.add(names[0])
    return found


def what_differs(heading: Sequence[str], separator: str) -> str:
    """How the heading differs from the strict dialect's, if it is meant to be that; else that it isn't known."""
    names = [name.strip() for name in heading]
    by_key = {heading_key(name): name for name in names}
    meant = [name for name in NEEDED if heading_key(name) in by_key]
    if separator not in (",", "") and len(meant) >= 2:
        return f"is separated by {SEPARATORS.get(separator, shown(separator))}: save it with commas, or describe it with --map"
    if len(meant) >= 2:
        return _plain_differs(names, by_key)
    listed = ", ".join(shown(name) for name in names[:12] if name)
    return (
        f"doesn't begin with the heading {HEADING}, nor with one of a known program; its columns are {listed or 'blank'}: "
        "see `paylink import --explain FILE`"
    )


def _plain_differs(names: list[str], by_key: dict[str, str]) -> str:
    if missing := [name for name in NEEDED if heading_key(name) not in by_key]:
        return f"lacks {' and '.join(missing)} in its heading: the columns are {HEADING}"
    for name in NEEDED:
        if name not in names:
            return f"has {shown(by_key[heading_key(name)])!r} in its heading where {name!r} is meant: write it so"
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        return f"has {shown(twice)!r} twice in its heading: leave one of them out"
    unknown = next((name for name in names if not is_plain([*NEEDED, name]) and name not in NEEDED), "")
    return f"has {shown(unknown)!r} in its heading, which is none of {HEADING},state: leave it out, or describe the file with --map"
