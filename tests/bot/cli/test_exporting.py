"""`paylink export` from outside."""

import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from bot.__main__ import main
from domain.database import Database
from tests.bot.cli.conftest import GOOD, Capture, Env, Write
from tests.domain.factories import make_ledger


def test_whoever_reads_an_export_may_stop_reading(env: Env, team: str, write: Write) -> None:
    path = write("".join(f"INV-{n},{'x' * 2_000},,1.00,USD,,,\n" for n in range(2_500)))
    assert main(["import", path], env) == 0
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "export"],
        env=env,
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(6) == b"number"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_an_export_that_cannot_be_written_is_told_with_one_sentence(
    env: Env, team: str, write: Write
) -> None:
    assert main(["import", write(GOOD)], env) == 0
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bot", "export"],
            env=env,
            cwd=Path(__file__).parents[3],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )

    assert done.returncode == 2
    assert done.stderr == "The export can't be written to its end: No space left on device.\n"


def test_an_export_goes_into_a_file_in_the_format_of_its_name(
    env: Env, team: str, write: Write, tmp_path: Path
) -> None:
    assert main(["import", write(GOOD)], env) == 0
    begins = {
        "out.csv": b"number,",
        "out.xlsx": b"PK",
        "out.jsonl": b'{"number": "INV-1"',
        "out.txt": b"number,",
    }
    for name, begin in begins.items():
        assert main(["export", "-o", str(tmp_path / name)], env) == 0
        assert (tmp_path / name).read_bytes().startswith(begin)
    assert main(["export", "--bom", "-o", str(tmp_path / "out.txt")], env) == 0
    assert (tmp_path / "out.txt").read_bytes().startswith(b"\xef\xbb\xbfnumber")
    assert main(["export", "--format", "jsonl", "--output", str(tmp_path / "out.txt")], env) == 0
    assert (tmp_path / "out.txt").read_bytes().startswith(b"{")


def test_a_file_that_cant_be_written_stays_as_it_was(
    env: Env, team: str, write: Write, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")

    def fail(*_: object, **__: object) -> Generator[bytes]:
        yield b"half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("domain.files.exporting.export_all", fail)
    assert main(["export", "-o", str(path)], env) == 2
    assert f"can't be written to {path} to its end: No space left on device." in capsys.readouterr().err
    assert path.read_text() == "before"
    assert main(["export", "-o", str(tmp_path / "none" / "out.csv")], env) == 2
    assert "No such file or directory" in capsys.readouterr().err
    assert [each.name for each in tmp_path.glob(".*")] == []


def test_a_format_that_doesnt_fit_is_a_sentence(
    env: Env, team: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    capsys.readouterr()
    assert main(["export", "--bom", "--format", "xlsx"], env) == 2
    assert "--bom is for CSV" in capsys.readouterr().err
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["export", "--format", "xlsx"], env) == 2
    assert "-o FILE" in capsys.readouterr().err


def test_links_of_a_test_key_are_not_exported_under_a_live_one(
    env: Env, team: str, write: Write, sqlite_url: str, capsys: Capture
) -> None:
    assert main(["import", write(GOOD)], env) == 0
    db = Database(sqlite_url)
    make_ledger(db)
    db.close_now()
    capsys.readouterr()
    assert main(["export"], env | {"STRIPE_API_KEY": "sk_test_1"}) == 0
    assert main(["export"], env | {"STRIPE_API_KEY": "sk_live_1"}) == 2
    assert "STRIPE_API_KEY is a live key" in capsys.readouterr().err
