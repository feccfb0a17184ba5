"""PDFs with an electronic invoice in them, from anybody."""

import io

import pypdf
import pytest

from domain.files.import_fields import ImportedInvoice
from domain.files.reading.records import FileUnusable
from domain.files.reading.sources import pdf_process
from tests.domain.files.reading.sources.test_xml_files import CII, UBL, read, unusable


def pdf(*attached: tuple[str, str], password: str = "") -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    for name, data in attached:
        writer.add_attachment(name, data.encode())
    if password:
        writer.encrypt(password, algorithm="AES-256")
    found = io.BytesIO()
    writer.write(found)
    return found.getvalue()


@pytest.mark.parametrize("name", ["factur-x.xml", "ZUGFeRD-invoice.xml", "xrechnung.xml"])
def test_of_a_pdf_the_invoice_in_it_is_taken(name: str) -> None:
    again = (name, CII)  # some programs attach it twice
    [found] = read(pdf(("terms.xml", "<a/>"), (name, CII), again), "invoice.pdf")
    assert isinstance(found, ImportedInvoice)
    assert (found.number, found.amount, found.currency) == ("FX-2026-118", 30_000, "EUR")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pdf(), "is a PDF without an electronic invoice"),
        (pdf(("invoice.xml", CII)), "is a PDF without an electronic invoice"),
        (pdf(("factur-x.xml", CII), ("xrechnung.xml", UBL)), "with several electronic invoices"),
        (pdf(("factur-x.xml", CII), password="secret"), "with a password"),
        (pdf(("factur-x.xml", "<a/>")), "no UBL or CII invoice"),
        (pdf(("factur-x.xml", CII))[:400], "is a PDF"),
        (b"%PDF-1.7\n" + b"[" * 1_000_000, "is a PDF that can't be read"),
        (b"%PDF-1.7\nstartxref\n99999999\n%%EOF", "is a PDF that can't be read"),
    ],
)
def test_any_other_pdf_is_a_sentence(data: bytes, words: str) -> None:
    assert words in unusable(data, "invoice.pdf")


def test_one_that_is_far_larger_inside_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileUnusable, match="larger than 20 MB"):
        read(pdf(("factur-x.xml", "<a>" + " " * (pdf_process.MOST_BYTES + 1))), "invoice.pdf")
