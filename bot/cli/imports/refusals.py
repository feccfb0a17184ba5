"""The file of refused records: as they were, with a column that says why."""

import contextlib
import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

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
        with path.open("w", encoding="utf-8", newline="") as output:
            writer = csv.writer(output, delimiter=file.map.separator or ",", lineterminator="\n")
            writer.writerow([*file.heading, WHY])

            def write(line: "BadLine") -> None:
                cells = [*line.cells, *[""] * (len(file.heading) - len(line.cells))]
                writer.writerow([*cells, f"{line.where}: {line.reason}"])

            yield write
    except OSError as error:
        raise Stop(f"The refused records can't be written to {path}: {error.strerror or error}.") from None
