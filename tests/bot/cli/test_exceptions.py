"""`paylink exceptions`: the list for people and programs, and resolving one."""

import json
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.__main__ import main
from domain.database import Database
from domain.exceptions.opening import Opening, open_once
from domain.models import Link
from domain.money import Money
from domain.states import ExceptionKind
from tests.domain.factories import NOW, TEAM, make_invoice, make_link


@pytest.fixture
def env(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    return {"HOME": str(tmp_path), "DATABASE_URL": database_url}


@pytest.fixture
def opened(env: dict[str, str]) -> int:
    """An exception of INV-1."""
    db = Database(env["DATABASE_URL"])
    link_id = make_link(db, make_invoice(db, "INV-1"))

    def work(session: Session) -> int:
        link = session.get_one(Link, link_id)
        kind = ExceptionKind.SECOND_PAYMENT
        made = open_once(session, Opening(kind, "a", link.ledger_id, Money(500, "USD"), link=link), NOW)
        assert made is not None
        return made

    made = db.run(work)
    db.close_now()
    return made


def test_the_open_ones_are_listed_for_people(
    opened: int, env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["exceptions", "list"], env) == 0
    line = capsys.readouterr().out
    for part in (f"{opened}\t{TEAM}\tINV-1\tsecond_payment\t2026-11-02 09:30 UTC", "USD 5.00"):
        assert part in line
    assert main(["exceptions", "list", "--organization", "T0OTHER"], env) == 0
    assert capsys.readouterr().out == "Nothing needs attention.\n"


def test_one_is_resolved_once_and_programs_read_it(
    opened: int, env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    resolve = ["exceptions", "resolve", str(opened), "--format", "jsonl", "--reason"]
    assert main([*resolve, "Refunded it"], env) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["resolved_by"], told["reason"], told["amount"]) == ("operator", "Refunded it", 500)
    assert main([*resolve, "Another reason"], env) == 1
    assert "was resolved by operator on" in capsys.readouterr().err
    assert main(["exceptions", "list", "--format", "jsonl"], env) == 0
    assert capsys.readouterr().out == ""
    assert main(["exceptions", "list", "--all", "--format", "jsonl"], env) == 0
    assert json.loads(capsys.readouterr().out) == told


@pytest.mark.parametrize(
    ("exception", "reason", "sentence"),
    [
        ("7", "x", "There is no exception 7"),
        (str(2**63), "x", "There is no exception"),
        ("1", "  ", "--reason: write down"),
        ("1", "x" * 501, "--reason: write down"),
    ],
)
def test_what_cant_be_resolved_is_said_in_a_sentence(
    opened: int,
    exception: str,
    reason: str,
    sentence: str,
    env: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["exceptions", "resolve", exception, "--reason", reason], env) == 2
    assert sentence in capsys.readouterr().err
