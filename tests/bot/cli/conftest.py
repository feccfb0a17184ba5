"""An organisation on the command line, and a file of its invoices."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.__main__ import main
from domain.files.reading.plain import HEADING

GOOD = "INV-1,Acme,,1200.50,USD,2026-10-31,2026-11-30,Consulting\n"
TEAM = "T0PAYLINK"
Env = dict[str, str]
Write = Callable[..., str]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def env(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Env:
    """A database without an organisation."""
    monkeypatch.chdir(tmp_path)
    return {"HOME": str(tmp_path), "DATABASE_URL": sqlite_url}


@pytest.fixture
def team(env: Env, capsys: Capture) -> str:
    """The only organisation."""
    assert main(["organization", "add", TEAM], env) == 0
    capsys.readouterr()
    return TEAM


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write lines below the heading; return the file's path."""

    def write(lines: str, name: str = "invoices.csv") -> str:
        path = tmp_path / name
        path.write_text(f"{HEADING}\n{lines}")
        return str(path)

    return write


def exported(env: Env, capsys: Capture, *arguments: str) -> list[str]:
    capsys.readouterr()
    assert main(["export", *arguments], env) == 0
    return capsys.readouterr().out.splitlines()[1:]
