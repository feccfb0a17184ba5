"""What `paylink import` says while it goes on, and of what it leaves out."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.cli.imports import progress
from domain.coordination.turns import turn
from domain.database import Database
from domain.files.reading.plain import HEADING
from tests.bot.cli.conftest import GOOD, Capture, Env, Write, exported


def test_a_long_import_says_how_far_it_is(
    env: Env, team: str, write: Write, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LINES_BETWEEN", 1_000)
    monkeypatch.setattr("domain.files.importing.CHUNK_ROWS", 1_000)
    path = write("".join(f"INV-{n},Acme,,1.00,USD,,,\n" for n in range(2_500)))

    assert main(["import", path], env) == 0

    assert capsys.readouterr().err.splitlines() == ["1,000 records so far", "2,000 records so far"]


def test_on_a_terminal_bad_lines_stand_beside_the_bar(
    env: Env, team: str, write: Write, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["import", write("[red],x\n" + GOOD)], env) == 1
    assert "line 2 ([red]): 2 fields instead of 8" in capsys.readouterr().err


def test_refused_records_are_written_as_they_were_with_why(
    env: Env, team: str, write: Write, tmp_path: Path, capsys: Capture
) -> None:
    bad = tmp_path / "bad.csv"
    path = write(GOOD + 'INV-2,"Acme, Inc",,x,USD,,,"Two\nlines"\n')
    assert main(["import", path, "--bad", str(bad)], env) == 1
    assert bad.read_text().splitlines()[0] == f"{HEADING},why"
    assert 'INV-2,"Acme, Inc",,x,USD,,,"Two\nlines","lines 3 to 4: billing_amount: ' in bad.read_text()
    bad.write_text(bad.read_text().replace(",x,", ",5,"))
    assert main(["import", str(bad)], env) == 0
    assert main(["import", path, "--bad", path], env) == 2


def test_the_file_of_refused_records_stays_as_it_is_where_the_command_stops_early(
    env: Env, team: str, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("mended by hand")
    path = write("INV-1,Acme,,x,USD,,,\n" + GOOD)

    def interrupt(_report: object, _so_far: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(progress.Report, "_show", interrupt)
        assert main(["import", path, "--bad", str(bad)], env) == 130
    assert bad.read_text() == "mended by hand"
    assert main(["import", path, "--bad", str(bad)], env) == 1
    assert "INV-1,Acme,,x" in bad.read_text()
    assert [one.name for one in tmp_path.glob("bad*")] == ["bad.csv"]


def test_standard_input_is_read(env: Env, team: str, write: Write) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "import", "-"],
        env=env,
        cwd=Path(__file__).parents[3],
        input=Path(write(GOOD)).read_bytes(),
        stdout=subprocess.PIPE,
        check=True,
    )
    assert done.stdout.startswith(b"1 taken (1 new")


def test_what_is_left_out_is_counted_and_repetitions_are_told(
    env: Env, team: str, write: Write, capsys: Capture
) -> None:
    assert main(["import", write(GOOD + GOOD)], env) == 0
    captured = capsys.readouterr()
    assert captured.out == (
        "1 taken (1 new, 0 updated, 0 unchanged), 0 bad, 1 left out (1 the same as an earlier one).\n"
    )
    assert captured.err == "line 3 (INV-1): the same as line 2, which is taken\n"


def test_one_is_counted_as_one_and_several_as_several(
    env: Env, team: str, tmp_path: Path, capsys: Capture
) -> None:
    heading = "Invoice Number,Customer Name,Total,Currency Code,Invoice Status\n"
    one = "A-1,Acme,5.00,USD,Sent\nA-2,Acme,5.00,USD,Draft\n,,5.00,,\n"
    path = tmp_path / "zoho.csv"
    for rows, told in (
        (one, "2 left out (1 draft, 1 row of totals)"),
        (one + "A-3,Acme,5.00,USD,Draft\n,,5.00,,\n", "4 left out (2 drafts, 2 rows of totals)"),
    ):
        path.write_text(heading + rows)
        assert main(["import", str(path), "--dry-run"], env) == 0
        assert told in capsys.readouterr().out


def test_an_interrupted_import_says_what_was_taken_and_that_it_may_run_again(
    env: Env, team: str, write: Write, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.files.importing.CHUNK_ROWS", 1)

    def interrupt(_report: object, _so_far: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(progress.Report, "_show", interrupt)
    assert main(["import", write(GOOD + "INV-2,Acme,,1,USD,,,\n")], env) == 130
    assert capsys.readouterr().out == (
        "1 taken (1 new, 0 updated, 0 unchanged), 0 bad.\n"
        "Interrupted. What is counted here was taken; running it again is safe.\n"
    )


def test_an_import_waits_for_the_one_that_is_under_way_and_says_so(
    env: Env, team: str, write: Write, capsys: Capture, sqlite_url: str
) -> None:
    db = Database(sqlite_url)
    path = write(GOOD)
    with turn(db, "import 1", lambda: None):
        second = threading.Thread(target=lambda: main(["import", path], env))
        second.start()
        second.join(1.5)
        assert "Another import is under way" in capsys.readouterr().err
        assert exported(env, capsys) == []
    second.join()
    assert len(exported(env, capsys)) == 1
    db.close_now()
