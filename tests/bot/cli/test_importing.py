"""`paylink import` from outside, and what an export shows of it."""

import asyncio
from pathlib import Path

import pytest
import yaml

from bot.__main__ import main
from domain.files.reading.plain import HEADING
from sandbox.slack import LocalSlack
from tests.bot.cli.conftest import GOOD, TEAM, Capture, Env, Write, exported

MANIFEST = Path(__file__).parents[3] / "manifest.yml"


def test_a_good_file_is_taken_and_taken_again(env: Env, team: str, write: Write, capsys: Capture) -> None:
    path = write(GOOD + "INV-2,Blue Heron,,7,JPY,,,\n")

    assert main(["import", path], env) == 0
    assert capsys.readouterr().out == "2 taken (2 new, 0 updated, 0 unchanged), 0 bad.\n"
    assert main(["import", path], env) == 0
    assert capsys.readouterr().out == "2 taken (0 new, 0 updated, 2 unchanged), 0 bad.\n"

    assert exported(env, capsys) == [
        "INV-1,Acme,,1200.50,USD,2026-10-31,2026-11-30,Consulting,open,Not Created,,,,,,,,,,,",
        "INV-2,Blue Heron,,7,JPY,,,,open,Not Created,,,,,,,,,,,",
    ]
    assert exported(env, capsys, "--search", "heron", "--filter", "not created")[0].startswith("INV-2")
    assert exported(env, capsys, "--filter", "Paid") == []


@pytest.mark.postgres
def test_on_postgresql_it_is_the_same(env: Env, postgresql_url: str, write: Write, capsys: Capture) -> None:
    env["DATABASE_URL"] = postgresql_url
    assert main(["organization", "add", TEAM], env) == 0
    assert main(["import", write(GOOD)], env) == 0
    assert len(exported(env, capsys)) == 1


def test_bad_lines_are_told_by_line_and_reason_and_give_status_1(
    env: Env, team: str, write: Write, capsys: Capture
) -> None:
    path = write("INV-2,Acme,,1.5x,USD,,,\n" + GOOD + "INV-3,Acme, Inc,,1,USD,,,\n")

    assert main(["import", path], env) == 1

    captured = capsys.readouterr()
    assert captured.out == "1 taken (1 new, 0 updated, 0 unchanged), 2 bad.\n"
    amount = "billing_amount: write the amount with digits and a point before decimals, such as 1200.50"
    fields = "put a field that holds a comma in quotation marks"
    assert captured.err.splitlines() == [
        f"line 2 (INV-2): {amount} (it says “1.5x”)",
        f"line 4 (INV-3): 9 fields instead of 8: {fields}",
        "Refused:",
        f"        1  {amount}",
        f"        1  {fields}",
    ]


def test_a_dry_run_changes_nothing(env: Env, team: str, write: Write, capsys: Capture) -> None:
    assert (
        main(["import", "--dry-run", write(GOOD + "x\nINV-2,Acme,,7,JPY,,,\nINV-3,Acme,,1,USD,,,\n")], env)
        == 1
    )

    assert capsys.readouterr().out.splitlines() == [
        "Recognised: Paylink's own columns",
        "Dry run: 3 would be taken (3 new, 0 updated, 0 unchanged), 1 bad.",
        "Total by currency: JPY 7, USD 1,201.50",
    ]
    assert exported(env, capsys) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "can't be opened: No such file"),
        (GOOD.encode() + b"\xff\xfe\x81", "isn't text in UTF-8"),
        (b"a,b\n1,2\n", f"doesn't begin with the heading {HEADING}"),
        (b"", "is empty"),
    ],
)
def test_an_unusable_file_gives_status_2_and_one_sentence(
    env: Env, tmp_path: Path, content: bytes | None, sentence: str, capsys: Capture
) -> None:
    path = tmp_path / "file.csv"
    if content is not None:
        path.write_bytes(content)

    assert main(["import", str(path)], env) == 2

    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_the_template_can_be_imported(env: Env, team: str, tmp_path: Path, capsys: Capture) -> None:
    assert main(["import", "--template"], env) == 0
    path = tmp_path / "template.csv"
    path.write_text(capsys.readouterr().out)
    assert main(["import", str(path)], env) == 0


def test_import_without_a_file_says_how(env: Env, capsys: Capture) -> None:
    assert main(["import"], env) == 2
    assert "--template" in capsys.readouterr().err


def test_with_several_organisations_one_must_be_named(
    env: Env, team: str, write: Write, capsys: Capture
) -> None:
    assert main(["organization", "add", "T0SECOND"], env) == 0
    path = write(GOOD)

    for command in (["import", path], ["export"]):
        assert main(command, env) == 2
        assert f"{TEAM}, T0SECOND" in capsys.readouterr().err
    assert main(["import", path, "--organization", "T0THIRD"], env) == 2
    assert "'T0THIRD'" in capsys.readouterr().err
    assert main(["import", path, "--organization", "T0SECOND"], env) == 0
    assert exported(env, capsys, "--organization", TEAM) == []
    assert len(exported(env, capsys, "--organization", "T0SECOND")) == 1


def test_without_organisation_and_token_it_says_what_to_do(env: Env, write: Write, capsys: Capture) -> None:
    path = write(GOOD)
    assert main(["import", path], env) == 2
    assert "set SLACK_BOT_TOKEN" in capsys.readouterr().err
    assert main(["export"], env) == 2
    assert "no organisation yet" in capsys.readouterr().err
    assert main(["import", "--dry-run", path], env) == 0


async def test_the_first_import_makes_the_organisation_of_the_token(
    env: Env, write: Write, capsys: Capture
) -> None:
    async with LocalSlack(
        yaml.safe_load(MANIFEST.read_text()), team_id="T0FIRST", team_name="First Ltd"
    ) as slack:
        env |= {"SLACK_API_URL": slack.api_url, "PAYLINK_NOTIFICATION_CHANNEL": "C0PAYMENTS"}
        command = ["import", write(GOOD)]
        refused = await asyncio.to_thread(main, command, env | {"SLACK_BOT_TOKEN": "xoxb-wrong"})
        assert refused == 2
        error = capsys.readouterr().err
        assert "Slack refuses SLACK_BOT_TOKEN (invalid_auth)" in error
        assert "xoxb" not in error

        token = {"SLACK_BOT_TOKEN": slack.workspace.bot_token}
        assert await asyncio.to_thread(main, command, env | token) == 0

    assert main(["import", write(GOOD)], env | token) == 0
    capsys.readouterr()
    assert main(["organization", "list"], env) == 0
    assert capsys.readouterr().out.startswith("T0FIRST\tFirst Ltd\tadd-on on\tchannel C0PAYMENTS\timported ")


def test_slack_away_is_a_sentence(env: Env, write: Write, capsys: Capture, unused_tcp_port: int) -> None:
    env |= {"SLACK_API_URL": f"http://127.0.0.1:{unused_tcp_port}/api", "SLACK_BOT_TOKEN": "xoxb-1"}
    assert main(["import", write(GOOD)], env) == 2
    assert "Slack can't be reached" in capsys.readouterr().err


QUICKBOOKS = 'Date,Transaction Type,Num,Name,Due Date,Amount\n11/13/2026,Invoice,{},Acme,12/02/2026,"{}"\n'


def test_what_a_file_leaves_open_is_asked_for_with_the_option_that_says_it(
    env: Env, team: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(QUICKBOOKS.format("1001", "1,250"))
    assert main(["import", str(path)], env) == 2
    asked = capsys.readouterr().err
    assert "--currency USD" in asked
    assert "“1,250” in line 2 is 1250 or 1.250" in asked
    assert "--decimal-sign . (1250) or --decimal-sign , (1.250)" in asked
    assert main(["import", str(path), "--currency", "usd", "--decimal-sign", "."], env) == 0
    assert exported(env, capsys)[0].split(",")[3:5] == ["1250.00", "USD"]


def test_the_map_that_is_explained_can_be_given_back(
    env: Env, team: str, tmp_path: Path, capsys: Capture
) -> None:
    path, described = tmp_path / "list.csv", tmp_path / "map.toml"
    path.write_text(QUICKBOOKS.format("1001", "1,250.00").replace("Transaction Type", "What"))
    assert main(["import", str(path)], env) == 2
    capsys.readouterr()
    assert main(["import", "--explain", str(path)], env) == 0
    text = capsys.readouterr().out
    assert 'number = "Num"' in text
    text = text.replace('"one"', '"same"')
    described.write_text(f'currency = "USD"\n{text}\n[keep]\nWhat = "invoice"\n')
    assert main(["import", "--map", str(described), str(path)], env) == 0
    assert capsys.readouterr().out.startswith("1 taken (1 new")
    path.write_text("Beleg;Kundin;Brutto\nR-1;Heron;10,00\nR-2;Willow;\n")
    assert main(["import", "--explain", str(path)], env) == 0
    explained = capsys.readouterr().out
    assert "in [columns], number, buyer_name, billing_amount.\n" in explained
    assert 'currency = "USD"' in explained
    assert explained.endswith("# Beleg: R-1, R-2\n# Kundin: Heron, Willow\n# Brutto: 10,00\n")
    columns = '[columns]\nnumber = "Beleg"\nbuyer_name = "Kundin"\nbilling_amount = "Brutto"\n'
    described.write_text(f'currency = "EUR"\n{explained}\n{columns}')
    assert main(["import", "--map", str(described), str(path)], env) == 1
    assert capsys.readouterr().out.startswith("1 taken (1 new")
    described.write_text("colour = 1")
    assert main(["import", "--map", str(described), str(path)], env) == 2
    assert "there is no 'colour'" in capsys.readouterr().err
