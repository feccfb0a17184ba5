"""`paylink token` from outside."""

import re
from pathlib import Path

import pytest

from bot.__main__ import main

Env = dict[str, str]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def env(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Env:
    monkeypatch.chdir(tmp_path)
    return {"HOME": str(tmp_path), "DATABASE_URL": database_url}


def test_tokens_are_made_listed_and_revoked(env: Env, capsys: Capture) -> None:
    assert main(["organization", "add", "T0ACME"], env) == 0
    assert main(["token", "list"], env) == 0
    assert capsys.readouterr().out.endswith("There is no token yet.\n")
    assert main(["token", "add", "ledger"], env) == 0
    made = capsys.readouterr()
    assert re.fullmatch(r"paylink_[0-9a-f]{16}_[\w-]{43}\n", made.out)
    assert made.err == "Keep it now: it can't be shown again.\n"
    assert main(["token", "add", "reader", "--may", "look"], env) == 0
    assert main(["token", "revoke", "ledger"], env) == 0
    capsys.readouterr()
    assert main(["token", "list", "--organization", "T0ACME"], env) == 0
    ledger, reader = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"ledger\tT0ACME\tlook,create,import\tmade [-0-9]{10} [0-9:]{5} UTC\tnever used\trevoked .* UTC",
        ledger,
    )
    assert reader.startswith("reader\tT0ACME\tlook\tmade ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "a b"], "'a b' can't be taken"),
        (["add", "x", "--may", "look,delete"], "--may: 'look,delete' isn't made of look, create and import"),
        (["add", "x", "--may", "settings"], "--may: 'settings' isn't made of look, create and import"),
        (["add", "x", "--organization", "T0NONE"], "There is no organisation 'T0NONE'"),
        (["revoke", "x"], "There is no token 'x' to revoke"),
    ],
)
def test_mistakes_are_named(arguments: list[str], said: str, env: Env, capsys: Capture) -> None:
    assert main(["organization", "add", "T0ACME"], env) == 0
    assert main(["token", *arguments], env) == 2
    assert said in capsys.readouterr().err


def test_with_several_organisations_it_must_be_said_whose(env: Env, capsys: Capture) -> None:
    for team in ("T0ACME", "T0BLUE"):
        assert main(["organization", "add", team], env) == 0
    assert main(["token", "add", "ledger"], env) == 2
    assert "--organization" in capsys.readouterr().err
    assert main(["token", "add", "ledger", "--organization", "T0BLUE"], env) == 0
