"""The command line from outside: what it prints, and its exit status."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.cli.app import ELSEWHERE
from domain.migrations import REVISIONS, SchemaBusy

SLACK = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    return {"HOME": str(tmp_path)}


def data_file(env: dict[str, str]) -> Path:
    return Path(env["HOME"]) / ".local/share/paylink/paylink.sqlite3"


def test_a_line_of_the_env_file_that_cannot_be_read_is_one_sentence_and_status_2(
    env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(env["HOME"]) / ".env").write_text("PORT=8000\nhunter2 is no setting\n")

    assert main(["organization", "list"], env) == 2

    [sentence] = capsys.readouterr().err.splitlines()
    assert sentence.startswith("Line 2 of the file .env can't be read: ")


def test_help_names_every_command(env: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"], env) == 0

    told = capsys.readouterr().out
    for command in ("serve", "doctor", "db", "announcements"):
        assert command in told


def test_the_help_of_all_says_of_each_command_what_its_own_help_begins_with(
    env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for name, (_, line) in ELSEWHERE.items():
        assert main([name, "-h"], env) == 0
        assert line in " ".join(capsys.readouterr().out.split()), name


def test_the_help_of_all_loads_none_of_the_commands() -> None:
    """Whoever asks for it waits for no database, web server or local service."""
    asked = "import sys; from bot.__main__ import main; main(['--help'], {}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"sqlalchemy", "aiohttp", "stripe", "slack_sdk", "pydantic", "sandbox.demo"}


def test_a_command_that_is_nearly_one_is_answered_with_it(
    env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["exprt"], env) == 2
    assert "Did you mean 'export'?" in capsys.readouterr().err


def test_the_shell_completes_commands_and_those_below_them(env: dict[str, str]) -> None:
    asked = env | {
        "PATH": os.environ["PATH"],
        "_PAYLINK_COMPLETE": "complete_bash",
        "COMP_WORDS": "paylink organization ",
        "COMP_CWORD": "2",
    }
    done = subprocess.run(
        [sys.executable, "-m", "bot"], env=asked, capture_output=True, text=True, check=False
    )

    assert {"add", "list", "set"} <= set(done.stdout.split())


def test_an_unknown_command_is_refused_with_status_2(
    env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["frobnicate"], env) == 2
    assert "frobnicate" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["export", "--filter", "bogus"], ["organization", "set", "T0ACME", "--add-on", "bogus"]]
)
def test_a_choice_that_is_none_is_told_with_those_there_are(
    arguments: list[str], env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments, env) == 2

    error = capsys.readouterr().err
    assert f"Invalid value for '{arguments[-2]}': 'bogus' is not one of '" in error


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        ({}, "SLACK_BOT_TOKEN and STRIPE_API_KEY aren't set"),
        (SLACK, "STRIPE_API_KEY isn't set"),
        (
            {"SLACK_BOT_TOKEN": "xoxb-1", "STRIPE_API_KEY": "sk_test_1"},
            "PORT and SLACK_SIGNING_SECRET aren't set",
        ),
        (SLACK | {"STRIPE_API_KEY": "hunter2"}, "STRIPE_API_KEY must be"),
        (
            SLACK | {"STRIPE_API_KEY": "sk_test_1", "PAYLINK_NOTIFICATION_CHANNEL": "#general"},
            "must be a channel's id",
        ),
        (
            SLACK | {"STRIPE_API_KEY": "sk_test_1", "DATABASE_URL": "mysql://u:hunter2@db/x"},
            "DATABASE_URL must be",
        ),
    ],
)
def test_serve_refuses_bad_settings_with_one_sentence(
    extra: dict[str, str],
    sentence: str,
    env: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["serve"], env | extra) == 2

    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert "Traceback" not in error
    assert "hunter2" not in error


@pytest.mark.parametrize(
    "command", [["announcements", "list"], ["announcements", "resend", "1"], ["db", "upgrade"]]
)
def test_a_schema_of_a_later_paylink_is_refused_with_a_sentence(
    command: list[str], env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = data_file(env)
    path.parent.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")

    assert main(command, env) == 2
    assert "newer schema 9999" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["organization", "list"], ["db", "upgrade"]])
def test_a_file_that_is_no_database_is_refused_with_a_sentence(
    command: list[str], env: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam, " * 100)

    assert main(command, env | {"DATABASE_URL": f"sqlite:///{tmp_path}/letter.txt"}) == 2
    assert capsys.readouterr().err.startswith(
        "The database can't be used (DatabaseError): see that DATABASE_URL"
    )


def test_upgrading_says_whether_there_was_anything_to_do(
    env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["db", "upgrade"], env) == 0
    assert "was brought up to date" in capsys.readouterr().out
    assert main(["db", "upgrade"], env) == 0
    assert "is up to date" in capsys.readouterr().out
    assert main(["audit", "export"], env) == 0
    [entry] = map(json.loads, capsys.readouterr().out.splitlines())
    assert (entry["deed"], entry["source"], entry["after"]) == ("schema.upgrade", "cli", REVISIONS[-1])
    assert entry["actor"].startswith("operator:")
    assert oct(data_file(env).stat().st_mode)[-3:] == "600"
    assert oct(data_file(env).parent.stat().st_mode)[-3:] == "700"


def test_an_upgrade_that_finds_no_moment_says_why(
    env: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_none(*_: object) -> None:
        raise SchemaBusy

    monkeypatch.setattr("domain.migrations.upgrade", find_none)

    assert main(["db", "upgrade"], env) == 2

    [sentence] = capsys.readouterr().err.splitlines()
    assert sentence.startswith("The schema isn't brought up to date yet: another transaction")


def test_a_database_that_cannot_be_reached_ends_a_command_with_a_sentence(
    env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    away = env | {"DATABASE_URL": "postgresql://paylink:hunter2@127.0.0.1:1/paylink"}

    assert main(["db", "upgrade"], away) == 2

    error = capsys.readouterr().err
    assert "can't be reached" in error
    assert "hunter2" not in error


def test_a_data_directory_that_cannot_be_made_is_told_with_a_sentence(
    env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    (Path(env["HOME"]) / "file").touch()
    blocked = env | {"DATABASE_URL": f"sqlite:///{env['HOME']}/file/paylink.sqlite3"}

    assert main(["db", "upgrade"], blocked) == 2
    assert f"The database file {env['HOME']}/file/paylink.sqlite3 can't be made: " in capsys.readouterr().err


def test_nothing_stuck_is_said_so(env: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["announcements", "list"], env) == 0
    assert "No message waits" in capsys.readouterr().out
    for unknown in ("7", str(2**63 - 1), str(2**63), "9" * 23):
        assert main(["announcements", "resend", unknown], env) == 2
        assert capsys.readouterr().err.startswith(f"There is no message {unknown} ")


def test_a_failure_that_nobody_foresaw_is_told_with_a_reference_and_no_traceback(
    env: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr("domain.migrations.upgrade", fail)

    assert main(["db", "upgrade"], env) == 1

    error = capsys.readouterr().err
    assert "reference" in error
    assert "Traceback" not in error
    assert "hunter2" not in error


def test_a_command_imports_no_more_than_it_needs() -> None:
    heavy = "{'slack_bolt', 'stripe', 'aiohttp', 'sqlalchemy', 'apscheduler', 'sandbox'}"
    code = (
        f"import sys; from bot.cli.app import command; command(); print(sorted({heavy} & set(sys.modules)))"
    )

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert told.strip() == "[]"


def test_a_setting_that_is_none_is_told_and_the_command_goes_on(
    env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["organization", "list"], env | {"PAYLINK_POL_SECONDS": "60"}) == 0

    assert "PAYLINK_POLL_SECONDS is." in capsys.readouterr().err
