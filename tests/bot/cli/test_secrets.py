"""`paylink secrets` from outside."""

from pathlib import Path

import pytest

from bot.__main__ import main
from domain.database import Database
from domain.organisations import organisations, stripe_keys
from domain.secrets.box import Box

Capture = pytest.CaptureFixture[str]


def key(capsys: Capture) -> str:
    capsys.readouterr()
    assert main(["secrets", "new-key"], {}) == 0
    return capsys.readouterr().out.strip()


def test_a_key_is_changed_without_a_pause(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    old, new = key(capsys), key(capsys)
    env = {"HOME": str(tmp_path), "DATABASE_URL": sqlite_url}
    db = Database(sqlite_url)
    db.run(organisations.ensure, "T0ACME", "Acme")
    db.run(stripe_keys.store, Box([old]), "T0ACME", "rk_test_51Hxyz4242", by="U1", signing_secrets="whsec_a")
    db.close_now()

    assert main(["secrets", "check"], env) == 2
    assert "PAYLINK_SECRET_KEYS isn't set" in capsys.readouterr().err
    assert main(["secrets", "check"], env | {"PAYLINK_SECRET_KEYS": new}) == 1
    assert "Secrets of T0ACME don't open" in capsys.readouterr().err
    both = env | {"PAYLINK_SECRET_KEYS": f"{new}, {old}"}
    assert main(["secrets", "check"], both) == 0
    assert capsys.readouterr().out == "Secrets that open: 2, all there are.\n"
    assert main(["secrets", "rotate"], both) == 0
    assert capsys.readouterr().out == "Sealed with the first key: 2. All others were so already.\n"
    assert main(["secrets", "check"], env | {"PAYLINK_SECRET_KEYS": new}) == 0

    assert main(["secrets", "erase", "T0ACME"], env) == 0
    assert capsys.readouterr().out.endswith(
        "T0ACME: There were no tokens of Slack's, the Stripe key was erased.\n"
    )
    assert main(["secrets", "check"], env | {"PAYLINK_SECRET_KEYS": old}) == 0


def test_a_key_that_is_none_is_told_without_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["secrets", "check"], {"HOME": str(tmp_path), "PAYLINK_SECRET_KEYS": "c2VjcmV0"}) == 2
    told = capsys.readouterr().err
    assert "PAYLINK_SECRET_KEYS must be a key of" in told
    assert "c2VjcmV0" not in told
