"""`paylink audit` from outside."""

import hashlib
import json
import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.__main__ import main
from domain.audit import Deed, OfInvoice, record
from domain.database import Database
from tests.domain.factories import NOW
from tests.domain.unguarded import unguarded

Env = dict[str, str]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def env(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Env:
    """An organisation with three entries, which the commands chain themselves, and another one."""
    monkeypatch.chdir(tmp_path)
    env = {"HOME": str(tmp_path), "DATABASE_URL": sqlite_url}
    assert main(["organization", "add", "T0OTHER"], env) == 0
    assert main(["organization", "add", "T0ACME", "--name", "=1+1"], env) == 0
    assert main(["organization", "set", "T0ACME", "--add-on", "off"], env) == 0
    assert main(["token", "add", "ledger", "--organization", "T0ACME"], env) == 0
    return env


def checked(lines: str) -> list[str]:
    """As docs/reference/audit.md tells auditors: the deeds, in the order of the chain."""
    previous, deeds = "0" * 64, []
    for line in lines.splitlines():
        entry = json.loads(line)
        if "position" not in entry:
            continue
        assert entry["previous"] == previous
        previous = entry.pop("hash")
        said = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(said.encode()).hexdigest() == previous
        deeds.append(entry["deed"])
    return deeds


def test_a_chain_is_intact_until_somebody_changes_it(env: Env, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["audit", "verify"], env) == 0
    acme, other = sorted(capsys.readouterr().out.splitlines())
    said = re.fullmatch(r"T0ACME\tintact\t3 entries\t(3:[0-9a-f]{64})", acme)
    assert said
    assert re.fullmatch(r"T0OTHER\tintact\t1 entry\t1:[0-9a-f]{64}", other)
    assert main(["audit", "verify", "T0ACME", "--noted", said[1]], env) == 0
    assert main(["audit", "verify", "T0ACME", "--noted", f"2:{said[1][2:]}"], env) == 1
    assert "entry 2 (organisation.set by operator:" in capsys.readouterr().out

    db = Database(env["DATABASE_URL"])

    def change(session: sa.orm.Session) -> None:
        with unguarded(session):
            session.execute(sa.text("UPDATE audit SET actor = 'U0X' WHERE position = 2"))

    db.run(change)
    db.close_now()
    assert main(["audit", "verify"], env) == 1
    lines = capsys.readouterr().out
    assert re.search(r"T0ACME\tFAULTY\tentry 2 \(organisation.set by U0X at .*\) isn't what it was", lines)
    assert "T0OTHER\tintact" in lines


def test_whoever_trusts_nobody_checks_the_export(env: Env, capsys: Capture) -> None:
    capsys.readouterr()
    assert main(["audit", "export", "T0ACME"], env) == 0
    lines = capsys.readouterr().out
    assert checked(lines) == ["organisation.add", "organisation.set", "token.add"]
    # That it was taken out is in it, and not chained yet.
    assert json.loads(lines.splitlines()[-1])["subject"] == "audit"
    assert all(json.loads(line)["organisation"] == "T0ACME" for line in lines.splitlines())


def test_an_export_is_narrowed_and_its_cells_are_no_formulas(env: Env, capsys: Capture) -> None:
    db = Database(env["DATABASE_URL"])
    about = OfInvoice(1, "=1+1")
    db.run(record, Deed.LINK_ASKED, by="U0ADA", now=NOW, organisation_id=1, invoice=about, after="USD -1.00")
    db.close_now()
    assert main(["audit", "export", "--format", "csv", "--actor", "U0ADA"], env) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(",link.reserve,,done,1,'=1+1,,,USD -1.00,,")
    assert main(["audit", "export", "--format", "csv", "--actor", "operator", "-o", "audit.csv"], env) == 0
    rows = Path("audit.csv").read_text("utf-8").splitlines()
    assert rows[0] == (
        "position,id,organisation,at,actor,deed,source,result,invoice_id,invoice,subject,before,after,previous,hash"
    )
    assert len(rows) == 9
    assert main(["audit", "export", "--actor", "U0NOBODY"], env) == 0
    assert main(["audit", "export", "--since", "2999-01-01"], env) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify", "T0NONE"], "There is no organisation 'T0NONE'"),
        (["verify", "--noted", f"1:{'0' * 64}"], "--noted is of one organisation"),
        (["verify", "T0ACME", "--noted", "abc"], "--noted: write it as"),
        (["export", "--since", "yesterday"], "--since: 'yesterday' is no day"),
    ],
)
def test_mistakes_are_named(arguments: list[str], said: str, env: Env, capsys: Capture) -> None:
    assert main(["audit", *arguments], env) == 2
    assert said in capsys.readouterr().err


def write_waiting(env: Env, actor: str) -> None:
    """An entry that no process has chained yet."""
    into = "INSERT INTO audit (organisation_id, actor, action, subject, at) SELECT id"
    statement = f"{into}, {actor}, 'link.reserve', '', 5 FROM organisations WHERE team_id = 'T0ACME'"
    db = Database(env["DATABASE_URL"])
    db.run(lambda session: session.execute(sa.text(statement)) and None)
    db.close_now()


def test_a_command_chains_what_it_wrote_and_one_that_reads_writes_nothing(env: Env, capsys: Capture) -> None:
    write_waiting(env, "'U0ADA'")
    capsys.readouterr()
    assert main(["organization", "list"], env) == 0
    for _ in range(2):
        assert main(["audit", "verify", "T0ACME"], env) == 0
        assert capsys.readouterr().out.endswith("\t1 entry not chained yet\n")
    assert main(["organization", "set", "T0ACME", "--add-on", "on"], env) == 0
    assert main(["audit", "verify", "T0ACME"], env) == 0
    assert "intact\t5 entries" in capsys.readouterr().out


def test_what_cant_be_chained_is_told_and_the_command_is_done(env: Env, capsys: Capture) -> None:
    write_waiting(env, "CAST(x'ff' AS TEXT)")
    capsys.readouterr()
    assert main(["organization", "set", "T0ACME", "--add-on", "on"], env) == 0
    assert "can't be chained: `paylink audit verify`" in capsys.readouterr().err
    assert main(["audit", "verify"], env) == 1
    said = capsys.readouterr().out
    assert "T0ACME\tFAULTY\tan entry that isn't chained yet" in said
    assert "T0OTHER\tintact" in said
    assert main(["audit", "export", "T0ACME"], env) == 2
    assert "The export isn't whole" in capsys.readouterr().err
