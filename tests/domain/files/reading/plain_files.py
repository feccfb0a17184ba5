"""Files of the plain layout, and what becomes of their lines."""

from collections.abc import Callable
from pathlib import Path

import pytest

from domain.files.import_fields import COLUMNS
from domain.files.reading.invoice_file import open_path
from domain.files.reading.plain import HEADING
from domain.files.reading.records import BadLine, Item

GOOD = "INV-1,Acme,billing@acme.example,1200.50,USD,2026-10-31,2026-11-30,Consulting"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file below the heading; return its path."""

    def write(content: str | bytes, *, heading: str = f"{HEADING}\n", name: str = "invoices.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(heading.encode() + (content.encode() if isinstance(content, str) else content))
        return path

    return write


def read(path: Path) -> list[Item]:
    with open_path(path) as file:
        return list(file.read())


def outcomes(path: Path) -> list[str]:
    """What became of each line: a number, or the line and the reason."""
    return [
        one.number if not isinstance(one, BadLine) else f"{one.where.removeprefix('line ')}: {one.reason}"
        for one in read(path)
    ]


def row(**fields: str) -> str:
    values = dict(zip(COLUMNS, GOOD.split(","), strict=True)) | fields
    return ",".join(values.values()) + "\n"
