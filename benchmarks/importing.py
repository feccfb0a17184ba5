"""An import as a process of its own: `python -m benchmarks.importing URL FILE` prints seconds and memory as JSON."""

import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import resident
from benchmarks.services import ROOT


@dataclass(frozen=True)
class Import:
    seconds: float
    lines: int
    memory: tuple[int, ...]
    """Bytes held after each tenth of the lines."""
    others: int = 0
    """Bytes that a process that read for it held at most."""
    cpu: float = 0.0
    """Seconds of the processor, with that process's: on a machine that others use, what says something."""


def measure(url: str, file: Path, lines: int) -> Import:
    """Fill an empty database from the file."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.importing", url, str(file), str(lines)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found = json.loads(done.stdout)
    return Import(found["seconds"], lines, tuple(found["memory"]), found["others"], found["cpu"])


def main(url: str, path: str, lines: str) -> None:
    from benchmarks.data import NOW, TEAM
    from domain.database import Database
    from domain.files.importing import ImportResult, take
    from domain.files.reading.invoice_file import open_path
    from domain.organisations import organisations

    db = Database(url)
    memory: list[int] = []
    due = int(lines) // 10

    def progress(so_far: ImportResult) -> None:
        if so_far.taken >= due * (len(memory) + 1):
            memory.append(resident())

    organisation = db.run(organisations.get_by_team, TEAM)
    began = time.perf_counter()
    with open_path(Path(path)) as opened:
        result = take(db, organisation, opened.read(), now=NOW, on_progress=progress)
    seconds = time.perf_counter() - began
    db.close_now()
    assert result.taken == int(lines), result
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    found = {
        "seconds": seconds,
        "memory": memory,
        "others": others.ru_maxrss * 1024,
        "cpu": sum(one.ru_utime + one.ru_stime for one in (own, others)),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
