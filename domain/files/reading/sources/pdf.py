"""PDFs that hold an electronic invoice, as Factur-X and ZUGFeRD do: the XML is what is read, never what the page shows.

A PDF is a stranger's, so another process takes the XML out, with a limit to its memory and its time.
"""

import shutil
import subprocess
import sys
import tempfile

from domain.files.reading.records import FileUnusable
from domain.files.reading.sources import pdf_process
from domain.files.reading.sources.content import Content

SECONDS = 300
_SENTENCES = {
    pdf_process.NONE: "is a PDF without an electronic invoice (Factur-X, ZUGFeRD) in it: export the invoices as CSV or .xlsx",
    pdf_process.SEVERAL: "is a PDF with several electronic invoices in it: import the XML of each",
    pdf_process.PASSWORD: "is a PDF with a password: save it without one",
}
_ELSE = "is a PDF that can't be read: export the invoices as CSV or .xlsx"


def electronic_invoice(content: Content) -> Content:
    """The XML in the PDF, called as the PDF is. Raises FileUnusable if there is none, or nobody can say which."""
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(content.beginning(), copy)
        copy.seek(0)
        command = [sys.executable, "-I", pdf_process.__file__]
        try:
            done = subprocess.run(command, stdin=copy, capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise FileUnusable(f"{content.name} {_ELSE}") from None
    if done.returncode:
        raise FileUnusable(f"{content.name} {_SENTENCES.get(done.returncode, _ELSE)}")
    return Content.of_bytes(done.stdout, content.name)
