"""Files of electronic invoices: one XML document, or a zip of them.

A zip is a stranger's: how much is in it is counted while it is unpacked, whatever it says of itself.
"""

import zipfile
import zlib
from collections.abc import Iterator

from domain.files.import_fields import Problem, RecordRefused, shown
from domain.files.reading.numbers_again import NumbersAgain
from domain.files.reading.records import BadLine, FileUnusable, Item, LeftOut, LeftOutBecause
from domain.files.reading.sources.content import Content
from domain.files.reading.sources.einvoices import FIELDS, FORMS, MOST_BYTES, Document, read_document
from domain.invoices.numbers.keys import number_key

MOST_DOCUMENTS = 10_000
MOST_UNPACKED = 1 << 30
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
    EOFError,
)


class XmlFile:
    """The one invoice of a document. Raises FileUnusable if it is none."""

    heading = FIELDS

    def __init__(self, content: Content, layout: str = "") -> None:
        self._document = read_document(content.beginning().read(MOST_BYTES + 1), content.name)
        _check_layout(self._document, layout, content.name)
        self.layout = self._document.form.name

    def __iter__(self) -> Iterator[Item]:
        yield _item(self._document, 1)

    def numbers_again(self) -> NumbersAgain:
        return NumbersAgain.among([number_key(self._document.number)])


class ZipOfXml:
    """The invoices of a zip, each as its own record: which file of the zip it is takes the place of the line.

    What isn't named .xml is left out. Raises FileUnusable if nothing can be taken from it.
    """

    heading = ("file", *FIELDS)

    def __init__(self, content: Content, layout: str = "") -> None:
        self._content = content
        self._layout = layout
        names = [entry.filename for entry in self._entries()]
        documents = [name for name in names if _is_document(name)]
        if not documents:
            raise FileUnusable(
                f"{content.name} is a zip without any .xml: export the invoices as CSV or .xlsx"
            )
        if len(documents) > MOST_DOCUMENTS:
            raise FileUnusable(
                f"{content.name} holds more than {MOST_DOCUMENTS:,} documents: import them in several zips"
            )
        # The sum is known only when all of it was unpacked once; nothing may be taken before.
        found = self._look_through()
        self.layout = " and ".join(name for name in FORMS if name in found)

    def __iter__(self) -> Iterator[Item]:
        for place, name, data in self._documents():
            if data is None:
                yield LeftOut(place, place, LeftOutBecause.OTHER_KIND, shown(name))
                continue
            try:
                document = read_document(data, shown(name))
                _check_layout(document, self._layout, shown(name))
            except FileUnusable as unusable:
                problem = Problem("", "", str(unusable))
                yield BadLine(place, place, (problem,), cells=(name,))
            else:
                yield _item(document, place, name)

    def numbers_again(self) -> NumbersAgain:
        return NumbersAgain.among(item.number_key for item in self)

    def _look_through(self) -> set[str]:
        found: set[str] = set()
        for _, name, data in self._documents():
            if data is not None:
                try:
                    found.add(read_document(data, name).form.name)
                except FileUnusable:
                    continue
        return found

    def _entries(self) -> list[zipfile.ZipInfo]:
        try:
            with zipfile.ZipFile(self._content.beginning()) as archive:
                return archive.infolist()
        except _DAMAGED as error:
            raise FileUnusable(f"{self._content.name} is a damaged zip: make it again") from error

    def _documents(self) -> Iterator[tuple[int, str, bytes | None]]:
        """Each file's place, name and bytes; None for those that are no documents."""
        left = MOST_UNPACKED
        try:
            with zipfile.ZipFile(self._content.beginning()) as archive:
                for place, entry in enumerate(archive.infolist(), start=1):
                    if entry.is_dir() or _is_litter(entry.filename):
                        continue
                    if not _is_document(entry.filename):
                        yield place, entry.filename, None
                        continue
                    if entry.flag_bits & 1:
                        raise FileUnusable(f"{self._content.name} is a zip with a password: make one without")
                    with archive.open(entry) as file:
                        data = file.read(MOST_BYTES + 1)
                    left -= len(data)
                    if left < 0:
                        raise FileUnusable(
                            f"{self._content.name} would be far too large when it is unpacked: import it in several zips"
                        )
                    yield place, entry.filename, data
        except _DAMAGED as error:
            raise FileUnusable(f"{self._content.name} is a damaged zip: make it again") from error


def _item(document: Document, place: int, name: str = "") -> Item:
    try:
        return document.read(place)
    except RecordRefused as refused:
        number = document.number
        problems = tuple(
            Problem(problem.field, problem.found or shown(name), problem.right)
            for problem in refused.problems
        )
        cells = [name, *document.cells()] if name else document.cells()
        return BadLine(place, place, problems, shown(number), cells, number_key(number))


def _check_layout(document: Document, layout: str, name: str) -> None:
    if layout and document.form.name != layout:
        raise FileUnusable(f"{name} is an invoice in {document.form.name}, not in {layout}: leave --from out")


def _is_document(name: str) -> bool:
    return name.lower().endswith(".xml") and not _is_litter(name)


def _is_litter(name: str) -> bool:
    """What an operating system puts into zips by itself."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] in (
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
    )
