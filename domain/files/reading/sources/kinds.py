"""What a file is, by its first bytes, whatever its name says."""

import zipfile
from enum import StrEnum

from domain.files.reading.records import FileUnusable
from domain.files.reading.sources.content import Content

MOST_ENTRIES = 10_000
MOST_UNPACKED = 1 << 30
MOST_RATIO = 150
"""Workbooks of invoices shrink to a fifth, or of one value to a fiftieth; a bomb to a thousandth."""
_SMALL = 1 << 24


class Kind(StrEnum):
    TEXT = "text"
    WORKBOOK = "workbook"
    ZIP = "zip"
    """Of something else than a workbook."""
    XML = "xml"
    PDF = "pdf"


# In order: the first that a file begins with says what it is.
_UNUSABLE = (
    (b"\x89PNG", "a picture (PNG)", "export the invoices as CSV or .xlsx"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "export the invoices as CSV or .xlsx"),
    (b"GIF8", "a picture (GIF)", "export the invoices as CSV or .xlsx"),
    (b"RIFF", "a picture or a recording (RIFF)", "export the invoices as CSV or .xlsx"),
    (b"II*\0", "a picture (TIFF)", "export the invoices as CSV or .xlsx"),
    (b"MM\0*", "a picture (TIFF)", "export the invoices as CSV or .xlsx"),
    (b"{\\rtf", "a text document (RTF)", "export the invoices as CSV or .xlsx"),
    (b"\x1f\x8b", "compressed (gzip)", "unpack it and import what is in it"),
    (b"7z\xbc\xaf", "compressed (7z)", "unpack it and import what is in it"),
    (b"Rar!", "compressed (rar)", "unpack it and import what is in it"),
    (b"BZh", "compressed (bzip2)", "unpack it and import what is in it"),
    (b"\xfd7zXZ", "compressed (xz)", "unpack it and import what is in it"),
    (b"SQLite format 3", "an SQLite database", "export the invoices as CSV or .xlsx"),
)
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def kind_of(content: Content) -> Kind:
    """Raises FileUnusable for what no invoices can be read from, with what it is and what to do."""
    start = content.beginning().read(4096)
    if not start:
        raise FileUnusable(f"{content.name} is empty: export it again")
    if start.startswith(b"%PDF"):
        return Kind.PDF
    for beginning, what, do in _UNUSABLE:
        if start.startswith(beginning):
            raise FileUnusable(f"{content.name} is {what}: {do}")
    if start.startswith(_OLD_EXCEL):
        raise FileUnusable(_old_office(content))
    if start.startswith(b"PK\x03\x04") or start.startswith(b"PK\x05\x06"):
        return _in_zip(content)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<table")):
        raise FileUnusable(
            f"{content.name} is a web page (HTML), whatever its name says: open it in a spreadsheet and save it as .xlsx"
        )
    if start.startswith((b"\xff\xfe<\0", b"\xfe\xff\0<")):  # in UTF-16
        return Kind.XML
    return Kind.XML if text.startswith(b"<") else Kind.TEXT


def _old_office(content: Content) -> str:
    holds = content.beginning().read(1 << 20)
    if "EncryptedPackage".encode("utf-16-le") in holds:
        return f"{content.name} is an Excel workbook with a password: save it without one"
    return f"{content.name} is an Excel workbook of the old kind (.xls): save it as .xlsx or CSV"


def _in_zip(content: Content) -> Kind:
    try:
        with zipfile.ZipFile(content.beginning()) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            kind = b""
            if "mimetype" in names:
                with archive.open("mimetype") as told:
                    kind = told.read(100)
    except (zipfile.BadZipFile, NotImplementedError, OSError, RuntimeError, ValueError, KeyError) as error:
        raise FileUnusable(f"{content.name} is a damaged workbook or zip: save it again") from error
    unpacked = sum(entry.file_size for entry in entries)
    if (
        len(entries) > MOST_ENTRIES
        or unpacked > MOST_UNPACKED
        or (unpacked > _SMALL and unpacked > MOST_RATIO * content.size)
    ):
        raise FileUnusable(
            f"{content.name} would be far too large when it is unpacked: export fewer invoices at once, or CSV"
        )
    if "xl/workbook.bin" in names:
        raise FileUnusable(f"{content.name} is a binary Excel workbook (.xlsb): save it as .xlsx or CSV")
    if b"opendocument" in kind:
        raise FileUnusable(f"{content.name} is an OpenDocument file: save it as .xlsx or CSV")
    if any(name.startswith("word/") for name in names):
        raise FileUnusable(f"{content.name} is a Word document: export the invoices as CSV or .xlsx")
    if any(name.startswith("ppt/") for name in names):
        raise FileUnusable(f"{content.name} is a presentation: export the invoices as CSV or .xlsx")
    return Kind.WORKBOOK if any(name.startswith("xl/") for name in names) else Kind.ZIP
