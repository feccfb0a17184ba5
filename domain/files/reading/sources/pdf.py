"""PDFs that hold an electronic invoice, as Factur-X and ZUGFeRD do: the XML is what is read, never what the page shows.

A PDF is a stranger's, so another process takes the XML out, with a limit to its memory and its time.
"""

import subprocess
import sys
from threading import Timer
from typing import IO

from domain.files.reading.records import FileUnusable
from domain.files.reading.sources import pdf_process
from domain.files.reading.sources.content import Content

SECONDS = 300
"""By the clock, for each PDF, on a machine that others use."""
MOST_ENDED = 2
"""After so many PDFs that ended the process, no further one is read."""
_SENTENCES = {
    pdf_process.NONE: "is a PDF without an electronic invoice (Factur-X, ZUGFeRD) in it: export the invoices as CSV or .xlsx",
    pdf_process.SEVERAL: "is a PDF with several electronic invoices in it: import the XML of each",
    pdf_process.PASSWORD: "is a PDF with a password: save it without one",
}
_ELSE = "is a PDF that can't be read: export the invoices as CSV or .xlsx"


class NoInvoiceInside(FileUnusable):
    """It is a PDF as any other."""


class Pdfs:
    """The process that reads PDFs, one after the other; it begins with the first of them."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = 0

    def __enter__(self) -> "Pdfs":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def electronic_invoice(self, pdf: bytes, name: str) -> bytes:
        """The XML in the PDF. Raises FileUnusable if nobody can say what it is, and NoInvoiceInside if there is none."""
        what, xml = self._ask(pdf)
        if what == pdf_process.FOUND:
            return xml
        kind = NoInvoiceInside if what == pdf_process.NONE else FileUnusable
        raise kind(f"{name} {_SENTENCES.get(what, _ELSE)}")

    def _ask(self, pdf: bytes) -> tuple[int, bytes]:
        if self._ended >= MOST_ENDED:
            return pdf_process.DAMAGED, b""
        if self._process is None:
            command = [sys.executable, "-I", pdf_process.__file__]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        limit = Timer(SECONDS, process.kill)
        limit.start()
        try:
            process.stdin.write(pdf_process.QUESTION.pack(len(pdf)) + pdf)
            process.stdin.flush()
            what, length = pdf_process.ANSWER.unpack(_all(process.stdout, pdf_process.ANSWER.size))
            return what, _all(process.stdout, length)
        except (OSError, EOFError):
            self._ended += 1
            self._end()
            return pdf_process.DAMAGED, b""
        finally:
            limit.cancel()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.communicate()


def _all(stream: IO[bytes], length: int) -> bytes:
    found = stream.read(length)
    if len(found) < length:
        raise EOFError
    return found


def electronic_invoice(content: Content) -> Content:
    """The XML in the PDF, called as the PDF is. Raises FileUnusable if there is none, or nobody can say which."""
    with Pdfs() as pdfs:
        return Content.of_bytes(
            pdfs.electronic_invoice(content.beginning().read(), content.name), content.name
        )
