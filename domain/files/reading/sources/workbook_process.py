"""Run by itself, as another process: ``python workbook_process.py BOOK`` writes each sheet's rows beside the workbook.

A row is one line of JSON: its number, its cells as text, and the places of those whose type says what they are. It knows
nothing of Paylink, and gets no more memory than twice what a workbook of a million invoices takes.
"""

import json
import resource
import sys
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

MEMORY = 3 << 29
"""Of its addresses: a million rows of eight columns take 0.8 GiB of them, and each further column 0.05."""
CPU_SECONDS = 240
WRITTEN = 2 << 30
DAMAGED = 65
PASSWORD = 66
TOO_LARGE = 67
SHEETS = 68
MOST_SHEETS = 200
"""Each is a file that is open while the workbook is read."""


def main(book: str) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN, WRITTEN))
    import python_calamine

    try:
        workbook = python_calamine.load_workbook(book)
        if len(workbook.sheets_metadata) > MOST_SHEETS:
            return SHEETS
        order = sorted(
            enumerate(workbook.sheets_metadata),
            key=lambda one: one[1].visible != python_calamine.SheetVisibleEnum.Visible,
        )
        for place, (index, metadata) in enumerate(order):
            if metadata.typ == python_calamine.SheetTypeEnum.WorkSheet:
                write(workbook.get_sheet_by_index(index), Path(book).with_name(f"{place:05d}.rows"))
    except python_calamine.PasswordError:
        return PASSWORD
    except (MemoryError, OSError):
        return TOO_LARGE
    except Exception as error:
        sys.stdout.write(type(error).__name__)
        return DAMAGED
    return 0


def write(sheet: object, file: Path) -> None:
    start = getattr(sheet, "start", None)
    first = (start[0] if start else 0) + 1
    with file.open("w", encoding="utf-8") as rows:
        for row, values in enumerate(sheet.iter_rows(), start=first):  # type: ignore[attr-defined]
            cells, exact = [], []
            for at, value in enumerate(values):
                if isinstance(value, str):
                    cells.append(value)
                else:
                    cells.append(written(value))
                    exact.append(at)
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                rows.write(json.dumps([row, cells, [at for at in exact if at < len(cells)]]) + "\n")


def written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, int | timedelta) else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
