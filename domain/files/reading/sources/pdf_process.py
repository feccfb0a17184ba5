"""Run by itself, as another process: ``python pdf_process.py`` reads PDFs and writes the electronic invoice that each holds.

A PDF comes with its length before it (QUESTION), and so does what it holds, with what became of it (ANSWER). It knows
nothing of Paylink. A PDF is a stranger's, and a reader of PDFs goes wherever its tables point.
"""

import io
import resource
import struct
import sys

MEMORY = 1 << 30
CPU_SECONDS = 30
"""For each PDF."""
ALL_CPU_SECONDS = 120
"""For all of them."""
MOST_BYTES = 20 << 20
NAMES = frozenset({"factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml"})
"""What Factur-X and ZUGFeRD call the file, in one case; other files in it are other things."""
QUESTION = struct.Struct(">Q")
ANSWER = struct.Struct(">BQ")
FOUND = 0
NONE = 65
SEVERAL = 66
PASSWORD = 67
DAMAGED = 68


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    while length := questions.read(QUESTION.size):
        used = resource.getrusage(resource.RUSAGE_SELF)
        until = min(int(used.ru_utime + used.ru_stime) + CPU_SECONDS, ALL_CPU_SECONDS)
        resource.setrlimit(resource.RLIMIT_CPU, (until, ALL_CPU_SECONDS))
        what, xml = take_out(questions.read(*QUESTION.unpack(length)))
        answers.write(ANSWER.pack(what, len(xml)) + xml)
        answers.flush()


def take_out(pdf: bytes) -> tuple[int, bytes]:
    import pypdf
    from pypdf.errors import DependencyError, FileNotDecryptedError

    try:
        reader = pypdf.PdfReader(io.BytesIO(pdf))
        found = {bytes(one.content) for one in reader.attachment_list if one.name.lower() in NAMES}
    except (FileNotDecryptedError, DependencyError):
        return PASSWORD, b""
    except Exception:
        return DAMAGED, b""
    if len(found) != 1:
        return SEVERAL if found else NONE, b""
    return FOUND, found.pop()[: MOST_BYTES + 1]


if __name__ == "__main__":
    main()
