"""Run by itself, as another process: ``python pdf_process.py < PDF`` writes the electronic invoice that the PDF holds.

It knows nothing of Paylink. A PDF is a stranger's, and a reader of PDFs goes wherever its tables point.
"""

import resource
import sys

MEMORY = 1 << 30
CPU_SECONDS = 30
MOST_BYTES = 20 << 20
NAMES = frozenset({"factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml"})
"""What Factur-X and ZUGFeRD call the file, in one case; other files in it are other things."""
NONE = 65
SEVERAL = 66
PASSWORD = 67
DAMAGED = 68


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    import pypdf
    from pypdf.errors import DependencyError, FileNotDecryptedError

    try:
        reader = pypdf.PdfReader(sys.stdin.buffer)
        found = {bytes(one.content) for one in reader.attachment_list if one.name.lower() in NAMES}
    except (FileNotDecryptedError, DependencyError):
        return PASSWORD
    except Exception:
        return DAMAGED
    if len(found) != 1:
        return SEVERAL if found else NONE
    sys.stdout.buffer.write(found.pop()[: MOST_BYTES + 1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
