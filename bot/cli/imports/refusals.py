"""The file of refused records: as they were, with a column that says why."""

import contextlib
import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from bot.stop import Stop

if TYPE_CHECKING:
    from domain.files.reading.invoice_file import InvoiceFile
    from domain.files.reading.records import BadLine


@contextlib.contextmanager
def writing_bad(path: Path | None, file: "InvoiceFile") -> Iterator[Callable[["BadLine"], None]]:
    """Writes CSV in UTF-8 with the file's own separator, which can be imported again once it is mended. Raises Stop."""
    if path is None:
        yield lambda _: None
        return
    from domain.files.reading.plain import WHY

    if path.exists() and Path(file.name).exists() and path.samefile(file.name):
        raise Stop(f"{path} is the file that is imported: write the refused records to another one.")
    try:
        with _replacing(path) as output:
            writer = csv.writer(output, delimiter=file.map.separator or ",", lineterminator="\n")
            writer.writerow([*file.heading, WHY])

            def write(line: "BadLine") -> None:
                cells = [*line.cells, *[""] * (len(file.heading) - len(line.cells))]
                writer.writerow([*cells, f"{line.where}: {line.reason}"])

            yield write
    except OSError as error:
        raise Stop(f"The refused records can't be written to {path}: {error.strerror or error}.") from None


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """What stands there stays until all is written, and where the command stops before."""
    wanted = path.resolve()
    if wanted.exists() and not wanted.is_file():  # a terminal or a pipe
        with wanted.open("w", encoding="utf-8", newline="") as output:
            yield output
        return
    partial = wanted.with_name(f"{wanted.name}.part")
    try:
        with partial.open("w", encoding="utf-8", newline="") as output:
            yield output
        partial.replace(wanted)
    finally:
        partial.unlink(missing_ok=True)
