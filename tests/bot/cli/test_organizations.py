"""`paylink organization` from outside."""

import io
from pathlib import Path

import pytest

from bot.__main__ import main
from domain.database import Database
from domain.organisations import organisations, settings
from domain.organisations.settings import Settings

Env = dict[str, str]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def env(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Env:
    monkeypatch.chdir(tmp_path)
    return {"HOME": str(tmp_path), "DATABASE_URL": database_url}


def listed(env: Env, capsys: Capture) -> list[str]:
    capsys.readouterr()
    assert main(["organization", "list"], env) == 0
    return capsys.readouterr().out.splitlines()


def test_organisations_are_added_listed_and_changed(env: Env, capsys: Capture) -> None:
    assert listed(env, capsys) == ["There is no organisation yet."]

    assert main(["organization", "add", "T0ACME", "--name", "Acme", "--channel", "C0PAY"], env) == 0
    assert main(["organization", "add", "T0BLUE"], env) == 0
    assert listed(env, capsys) == [
        "T0ACME\tAcme\tadd-on on\tchannel C0PAY\tno import",
        "T0BLUE\t\tadd-on on\tno channel\tno import",
    ]

    assert main(["organization", "set", "T0ACME", "--add-on", "off"], env) == 0
    assert capsys.readouterr().out == "T0ACME: add-on off, notification channel C0PAY.\n"
    assert main(["organization", "set", "T0BLUE", "--channel", "G0PRIVATE"], env) == 0
    assert listed(env, capsys) == [
        "T0ACME\tAcme\tadd-on off\tchannel C0PAY\tno import",
        "T0BLUE\t\tadd-on on\tchannel G0PRIVATE\tno import",
    ]


def test_who_administers_an_organisation_and_when_its_days_begin_is_set(env: Env, capsys: Capture) -> None:
    assert main(["organization", "add", "T0ACME"], env) == 0
    wanted = ["--administrators", "U0ADA, U0BEN", "--zone", "Europe/Berlin"]
    assert main(["organization", "set", "T0ACME", *wanted], env) == 0
    assert main(["organization", "set", "T0ACME", "--zone", "Mars", "--add-on", "off"], env) == 2
    assert "--zone: 'Mars' isn't a zone" in capsys.readouterr().err
    assert main(["organization", "set", "T0ACME", "--administrators", "ben"], env) == 2
    assert "--administrators: 'ben' isn't made of people's ids" in capsys.readouterr().err
    assert listed(env, capsys) == ["T0ACME\t\tadd-on on\tno channel\tno import"]
    db = Database(env["DATABASE_URL"])
    one = db.run(organisations.get_by_team, "T0ACME")
    assert db.run(settings.get, one.id) == Settings(administrators=("U0ADA", "U0BEN"), zone="Europe/Berlin")
    db.close_now()


@pytest.mark.parametrize("off", ["off", "OFF", "Off"])
def test_the_add_on_is_switched_in_any_case(off: str, env: Env, capsys: Capture) -> None:
    assert main(["organization", "add", "T0ACME"], env) == 0
    assert main(["organization", "set", "T0ACME", "--add-on", off], env) == 0
    assert listed(env, capsys) == ["T0ACME\t\tadd-on off\tno channel\tno import"]


def test_adding_one_that_is_there_changes_nothing(env: Env, capsys: Capture) -> None:
    assert main(["organization", "add", "T0ACME", "--name", "Acme"], env) == 0
    assert main(["organization", "set", "T0ACME", "--add-on", "off"], env) == 0
    before = listed(env, capsys)

    assert main(["organization", "add", "T0ACME", "--name", "Other", "--channel", "C0PAY"], env) == 0

    assert "there already" in capsys.readouterr().out
    assert listed(env, capsys) == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["set", "T0NONE", "--add-on", "on"], "There is no organisation 'T0NONE'"),
        (["set", "T0NONE"], "Say what to change"),
        (["set", "T0NONE", "--channel", "#payments"], "'#payments' isn't a channel's id"),
        (["set", "T0NONE", "--channel", ""], "isn't a channel's id"),
        (["add", "acme"], "'acme' isn't a workspace's id"),
        (["add", "T0ACME", "--channel", "D0ALICE"], "isn't a channel's id"),
        (
            ["add", "T0ACME", "--name", "Acme\x1b[2JLtd"],
            "--name: write the organisation's name without control",
        ),
        (["add", "T0ACME", "--name", "Acme\nT0FAKE\tForged"], "without control characters"),
        (["add", "T0ACME", "--name", "x" * 256], "in at most 255 characters"),
        (["add", "T0ACME", "--name", "  "], "it can't be blank"),
    ],
)
def test_mistakes_are_one_sentence_and_status_2(
    env: Env, arguments: list[str], sentence: str, capsys: Capture
) -> None:
    assert main(["organization", *arguments], env) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_a_name_may_hold_anything_that_a_buyers_may(env: Env, capsys: Capture) -> None:
    name = "*Açme* <!channel> \u202eLtd" + "x" * 200
    assert main(["organization", "add", "T0ACME", "--name", f" {name} "], env) == 0
    assert listed(env, capsys) == [f"T0ACME\t{name}\tadd-on on\tno channel\tno import"]


def test_a_switch_is_on_or_off(env: Env, capsys: Capture) -> None:
    assert main(["organization", "set", "T0ACME", "--add-on", "maybe"], env) == 2
    assert "maybe" in capsys.readouterr().err


def test_one_is_forgotten_only_by_its_id_typed_once_more(
    env: Env, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for team_id in ("T0ACME", "T0BLUE"):
        assert main(["organization", "add", team_id], env) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("T0BLUE\n"))
    assert main(["organization", "forget", "T0ACME"], env) == 2
    assert "Nothing was erased." in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO("T0ACME\n"))
    assert main(["organization", "forget", "T0ACME"], env) == 0
    told = capsys.readouterr().out
    assert "Its links stay at Stripe" in told
    assert told.splitlines()[-1] == "1\taudit"
    assert main(["organization", "forget", "T0ACME", "--yes"], env) == 2
    assert listed(env, capsys) == ["T0BLUE\t\tadd-on on\tno channel\tno import"]
