"""An export as a process of its own, in each format: `python -m benchmarks.exporting --invoices N` shows them side by side.

With ``--url`` and ``--format`` it is that process, and prints seconds, bytes and memory as JSON.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import data, importing
from benchmarks.measuring import duration, machine, resident, size
from benchmarks.services import ROOT
from domain.files.exports import Format


@dataclass(frozen=True)
class Exported:
    seconds: float
    length: int
    memory: tuple[int, ...]
    """Bytes held after each tenth of the pieces that make up the file."""


def measure(url: str, format: Format) -> Exported:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.exporting", "--url", url, "--format", format.value],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    found = json.loads(done.stdout)
    return Exported(found["seconds"], found["length"], tuple(found["memory"]))


def export(url: str, format: Format) -> Exported:
    from domain.database import Database
    from domain.files.exporting import export_all
    from domain.organisations import organisations

    db = Database(url)
    organisation = db.run(organisations.get_by_team, data.TEAM)
    memory: list[int] = []
    began = last = time.perf_counter()
    length = 0
    with tempfile.TemporaryFile() as file:
        for piece in export_all(db, organisation.id, format=format):
            length += file.write(piece)
            if time.perf_counter() - last > 1 or not memory:
                last = time.perf_counter()
                memory.append(resident())
    seconds = time.perf_counter() - began
    db.close_now()
    return Exported(seconds, length, (*memory, resident()))


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=100_000)
    parser.add_argument("--url", help="of a database that is filled already")
    parser.add_argument("--format", type=Format, choices=list(Format))
    given = parser.parse_args(argv)
    if given.url and given.format:
        done = export(given.url, given.format)
        sys.stdout.write(json.dumps(vars(done)) + "\n")
        return
    with tempfile.TemporaryDirectory() as directory:
        url = given.url or f"sqlite:///{directory}/paylink.db"
        if not given.url:
            file = Path(directory) / "invoices.csv"
            data.write_csv(file, given.invoices)
            data.prepare_paylink(url)
            importing.measure(url, file, given.invoices)
            data.add_links(url, given.invoices)
        sys.stdout.write(f"{machine()}\n")
        for kind in Format:
            done = measure(url, kind)
            held = f"{size(done.memory[0])} to {size(max(done.memory))} of memory"
            sys.stdout.write(f"{kind}: {duration(done.seconds)}, {size(done.length)}, {held}\n")


if __name__ == "__main__":
    main()
