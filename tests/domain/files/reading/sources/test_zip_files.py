"""Several documents in a .zip: each is taken once, and no zip is more than a sentence."""

import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.files.import_fields import ImportedInvoice
from domain.files.reading.invoice_file import open_path
from domain.files.reading.records import BadLine, FileUnusable, LeftOut
from domain.files.reading.sources import einvoices, pdf_process, xml_files
from tests.domain.files.reading.sources.test_pdf import pdf
from tests.domain.files.reading.sources.test_xml_files import CII, UBL


@contextmanager
def zipped(
    path: Path, compression: int = zipfile.ZIP_DEFLATED
) -> Iterator[Callable[[str, str | bytes], None]]:
    with zipfile.ZipFile(path, "w", compression) as archive:
        yield lambda name, data: archive.writestr(name, data)


def test_a_zip_brings_each_invoice_once_and_leaves_out_what_is_none(tmp_path: Path) -> None:
    with zipped(tmp_path / "a.zip") as add:
        add("october/a.xml", UBL)
        add("october/b.XML", CII)
        add("october/b.pdf", pdf())
        add("damaged.pdf", b"%PDF")
        add("november/c.pdf", pdf(("factur-x.xml", CII.replace("FX-2026-118", "FX-2026-119"))))
        add("again.xml", UBL)
        add(
            "credit.xml", CII.replace("<ram:TypeCode>380", "<ram:TypeCode>381").replace("FX-2026-118", "FX-1")
        )
        add("broken.xml", "<a>")
        add("__MACOSX/october/._a.xml", b"\0")
        add("october/.DS_Store", b"\0")
    with open_path(tmp_path / "a.zip") as file:
        assert file.layout == "ubl and cii"
        items = list(file.read())
        assert file.heading[:2] == ("file", "number")
    taken = {item.number: item.line for item in items if isinstance(item, ImportedInvoice)}
    assert taken == {"PEP-2026-041": 1, "FX-2026-118": 2, "FX-2026-119": 5}
    assert sorted(item.number for item in items if isinstance(item, LeftOut)) == [
        "PEP-2026-041",
        "october/b.pdf",
    ]
    told = {item.line: item.reason for item in items if isinstance(item, BadLine)}
    assert told.keys() == {4, 7, 8}
    assert "damaged.pdf is a PDF that can't be read" in told[4]
    assert "credit note" in told[7]
    assert "broken.xml isn't well-formed" in told[8]


def test_two_amounts_for_one_number_are_both_refused(tmp_path: Path) -> None:
    with zipped(tmp_path / "a.zip") as add:
        add("a.xml", UBL)
        add("b.xml", UBL.replace(">1000.00</cbc:PayableAmount>", ">999.00</cbc:PayableAmount>"))
    with open_path(tmp_path / "a.zip") as file:
        assert [type(item) for item in file.read()] == [BadLine, BadLine]


def test_a_pdf_that_is_too_large_isnt_read_as_far_as_it_may_be(tmp_path: Path) -> None:
    revision = pdf(("factur-x.xml", CII))
    with zipped(tmp_path / "a.zip", zipfile.ZIP_STORED) as add:
        add("a.pdf", revision.ljust(einvoices.MOST_BYTES + 1, b"\n") + b"a later revision")
        add("b.xml", UBL)
    with open_path(tmp_path / "a.zip") as file:
        too_large, taken = file.read()
    assert isinstance(too_large, BadLine)
    assert "a.pdf is a PDF larger than 20 MB" in too_large.reason
    assert isinstance(taken, ImportedInvoice)


def unusable_file(path: Path) -> str:
    with pytest.raises(FileUnusable) as raised, open_path(path) as file:
        list(file.read())
    return str(raised.value)


def test_pdfs_that_end_their_reader_end_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_process, "__file__", str(tmp_path / "reader.py"))
    # Ends at the first and the third PDF, and says of the others that there is nothing in them.
    (tmp_path / "reader.py").write_text(
        "import struct, sys\n"
        "read, write = sys.stdin.buffer.read, sys.stdout.buffer\n"
        "while size := read(8):\n"
        "    if read(*struct.unpack('>Q', size)).endswith(b'ends'):\n"
        "        sys.exit(1)\n"
        "    write.write(struct.pack('>BQ', 65, 0))\n"
        "    write.flush()\n"
    )
    with zipped(tmp_path / "a.zip") as add:
        for place, data in enumerate((b"ends", b"", b"ends", b""), start=1):
            add(f"{place}.pdf", b"%PDF" + data)
        add("a.xml", UBL)
    with open_path(tmp_path / "a.zip") as file:
        items = list(file.read())
    # After two, no further PDF is read.
    assert [(item.line, type(item)) for item in items] == [
        (1, BadLine),
        (2, LeftOut),
        (3, BadLine),
        (4, BadLine),
        (5, ImportedInvoice),
    ]


def test_a_zip_without_electronic_invoices_is_a_sentence(tmp_path: Path) -> None:
    with zipped(tmp_path / "b.zip") as add:
        add("a.pdf", pdf())
    assert "without any .xml or PDF" in unusable_file(tmp_path / "b.zip")
    with zipped(tmp_path / "a.zip") as add:
        add("a.txt", "x")
    assert "without any .xml or PDF" in unusable_file(tmp_path / "a.zip")


def test_bombs_are_refused_before_anything_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipped(tmp_path / "ratio.zip") as add:
        add("a.xml", UBL)
        add("b.xml", b" " * (64 << 20))
    assert "far too large" in unusable_file(tmp_path / "ratio.zip")

    monkeypatch.setattr(xml_files, "MOST_DOCUMENTS", 3)
    with zipped(tmp_path / "many.zip") as add:
        for number in range(4):
            add(f"{number}.xml", UBL)
    assert "more than 3 documents" in unusable_file(tmp_path / "many.zip")

    monkeypatch.setattr(xml_files, "MOST_UNPACKED", len(UBL.encode()) * 2)
    with zipped(tmp_path / "sum.zip") as add:
        for number in range(3):
            add(f"{number}.xml", UBL)
    assert "far too large" in unusable_file(tmp_path / "sum.zip")


def test_a_zip_that_says_less_than_it_holds_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipped(path) as add:
        add("a.xml", UBL)
    data = bytearray(path.read_bytes())
    directory = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, directory + 24, 10)
    path.write_bytes(data)
    assert "damaged zip" in unusable_file(path)


def test_a_zip_with_a_password_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipped(path) as add:
        add("a.xml", UBL)
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    path.write_bytes(data)
    assert "password" in unusable_file(path)


@given(st.integers(min_value=0, max_value=2_000), st.binary(min_size=1, max_size=20))
def test_no_damage_to_a_zip_is_more_than_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, place: int, damage: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    with zipped(path) as add:
        add("a.xml", UBL)
    data = path.read_bytes()
    at = place % len(data)
    path.write_bytes(data[:at] + damage + data[at + len(damage) :])
    with suppress(FileUnusable), open_path(path) as file:
        list(file.read())
