"""Files of electronic invoices: one XML document, or a zip of them and of PDFs that hold one.

A zip is a stranger's: how much is in it is counted while it is unpacked, whatever it says of itself.
"""

import pickle
import tempfile
import zipfile
import zlib
from collections.abc import Iterator

from domain.files.import_fields import Problem, RecordRefused, shown
from domain.files.reading.numbers_again import NumbersAgain
from domain.files.reading.records import BadLine, FileUnusable, Item, LeftOut, LeftOutBecause
from domain.files.reading.sources.content import Content
from domain.files.reading.sources.einvoices import FIELDS, FORMS, MOST_BYTES, Document, read_document
from domain.files.reading.sources.pdf import NoInvoiceInside, Pdfs
from domain.invoices.numbers.keys import number_key

MOST_DOCUMENTS = 10_000
MOST_UNPACKED = 1 << 30
_NOTHING = (
    "is a zip without any .xml or PDF that is an electronic invoice: export the invoices as CSV or .xlsx"
)
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

    What is named neither .xml nor .pdf, and a PDF that holds no invoice, is left out. Each file is read once; what was found is kept in a
    temporary file. Raises FileUnusable if nothing can be taken from it.
    """

    heading = ("file", *FIELDS)

    def __init__(self, content: Content, layout: str = "") -> None:
        self._content = content
        self._layout = layout
        self._forms: set[str] = set()
        documents = sum(_is_document(entry.filename) for entry in self._entries())
        if not documents:
            raise FileUnusable(f"{content.name} {_NOTHING}")
        if documents > MOST_DOCUMENTS:
            raise FileUnusable(
                f"{content.name} holds more than {MOST_DOCUMENTS:,} documents: import them in several zips"
            )
        self._again = NumbersAgain()
        self._kept = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the content
        content.close_too(self._kept)
        # How much is in it is known only when all of it was unpacked once; nothing may be taken before.
        refused = False
        for item in self._read():
            refused = refused or isinstance(item, BadLine)
            self._again.see(item.number_key)
            pickle.dump(item, self._kept)
        self._again.closed()
        if not self._forms and not refused:
            raise FileUnusable(f"{content.name} {_NOTHING}")
        self.layout = " and ".join(name for name in FORMS if name in self._forms)

    def __iter__(self) -> Iterator[Item]:
        at = 0
        while True:
            self._kept.seek(at)  # another one may have read on meanwhile
            try:
                item = pickle.load(self._kept)  # noqa: S301 - written above
            except EOFError:
                return
            at = self._kept.tell()
            yield item

    def numbers_again(self) -> NumbersAgain:
        return self._again

    def _read(self) -> Iterator[Item]:
        with Pdfs() as pdfs:
            for place, name, data in self._documents():
                if data is None:
                    yield LeftOut(place, place, LeftOutBecause.OTHER_KIND, shown(name))
                    continue
                try:
                    if data.startswith(b"%PDF") or name.lower().endswith(".pdf"):
                        if len(data) > MOST_BYTES:  # what is cut off may be a later revision of the invoice
                            raise FileUnusable(
                                f"{shown(name)} is a PDF larger than {MOST_BYTES >> 20} MB: import it by itself"
                            )
                        data = pdfs.electronic_invoice(data, shown(name))
                    document = read_document(data, shown(name))
                    self._forms.add(document.form.name)
                    _check_layout(document, self._layout, shown(name))
                except NoInvoiceInside:
                    yield LeftOut(place, place, LeftOutBecause.OTHER_KIND, shown(name))
                except FileUnusable as unusable:
                    problem = Problem("", "", str(unusable))
                    yield BadLine(place, place, (problem,), cells=(name,))
                else:
                    yield _item(document, place, name)

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
    return name.lower().endswith((".xml", ".pdf")) and not _is_litter(name)


def _is_litter(name: str) -> bool:
    """What an operating system puts into zips by itself."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] in (
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
    )
