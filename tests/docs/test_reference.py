"""The reference says what the code says: no setting, command, scope or metric is missing, and none is made up."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from bot.cli.app import command
from bot.scopes import OPTIONAL, SCOPES
from bot.settings import Settings, setting_names
from bot.watch.metrics import Metrics
from domain.audit import Deed
from domain.files.exports.audit import COLUMNS as AUDITED
from domain.files.exports.rows import COLUMNS as EXPORTED
from domain.files.reading.plain import HEADING
from domain.payments.event_reading import TYPES
from domain.states import Source
from handlers.app import COMMANDS
from handlers.words.connecting import needed
from handlers.words.exceptions import TITLES
from handlers.words.glance import SIGNS
from handlers.words.sentences import BADGES, STATUSES
from tests.docs.pages import REFERENCE, ROOT, command_below, first_codes, table_rows

HOW_TO = ROOT / "docs" / "how-to"


def text_of(name: str) -> str:
    return (REFERENCE / name).read_text("utf-8")


def test_settings_are_those_of_the_code_with_what_each_must_be() -> None:
    rows = first_codes(table_rows(REFERENCE / "settings.md"))
    assert {name: row[1] for name, row in rows.items()} == setting_names()


def test_settings_have_the_defaults_of_the_code() -> None:
    rows = first_codes(table_rows(REFERENCE / "settings.md"))
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, int | float | str):
            assert rows[field.alias or name.upper()][2] == f"`{default}`"


def test_the_readme_shows_no_other_settings_and_the_same_defaults() -> None:
    rows = first_codes(table_rows(ROOT / "README.md"))
    assert set(rows) <= set(setting_names())
    assert rows["PAYLINK_POLL_SECONDS"][2] == str(Settings.model_fields["paylink_poll_seconds"].default)


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name in group.list_commands(None):
        found = command_below(group, name)
        if hasattr(found, "list_commands"):
            yield from _commands(found, f"{path} {name}")
        else:
            yield f"{path} {name}", found


def test_commands_are_those_of_the_code_with_all_their_options() -> None:
    parts = re.split(r"^### ", text_of("commands.md"), flags=re.MULTILINE)[1:]
    sections = {re.sub(r" [A-Z_]+$", "", part.split("\n")[0].strip("`")): part for part in parts}
    known = dict(_commands(command(), "paylink"))
    assert set(sections) == set(known)
    for path, found in known.items():
        flags = {flag for option in found.params for flag in option.opts if flag.startswith("-")}
        said = set(re.findall(r"(?<=`)--?[a-z][a-z-]*", sections[path].split("\n## ")[0]))
        assert said == flags - {"--help"}, path


def test_slash_commands_are_those_that_are_registered() -> None:
    rows = first_codes(table_rows(REFERENCE / "commands.md"))
    assert {name.split()[0] for name in rows if name.startswith("/")} == set(COMMANDS)


def test_exported_and_imported_columns_are_those_of_the_code() -> None:
    said = text_of("export.md").split("## Formats")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", said, re.MULTILINE)) == EXPORTED
    assert HEADING in (HOW_TO / "import-invoices.md").read_text("utf-8")


def test_metrics_are_those_of_the_code_with_type_and_labels() -> None:
    metrics = Metrics()
    labels = {kept._name: kept._labelnames for kept in vars(metrics).values() if hasattr(kept, "_labelnames")}
    known = {
        family.name + "_total" * (family.type == "counter"): (family.type, labels.get(family.name, ()))
        for family in metrics.registry.collect()
        if family.name.startswith("paylink_")
    }
    rows = first_codes(table_rows(REFERENCE / "metrics.md"))
    said = {name: (row[1], tuple(re.findall(r"`(\w+)`", row[2]))) for name, row in rows.items()}
    assert said == known


def test_the_metrics_in_the_how_to_exist() -> None:
    rows = first_codes(table_rows(REFERENCE / "metrics.md"))
    for name in re.findall(r"paylink_(?!bot-)\w+", (HOW_TO / "run-in-production.md").read_text("utf-8")):
        assert name in rows


def test_scopes_are_those_of_the_manifest_and_of_the_doctor() -> None:
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8"))
    slack = text_of("scopes.md").split("## Stripe")[0]
    scopes = slack.split("## Slack: events")[0]
    said = re.findall(r"^\| `([a-z_:]+)` \|", scopes, re.MULTILINE)
    assert said == manifest["oauth_config"]["scopes"]["bot"]
    assert set(said) == set(SCOPES | OPTIONAL)
    for event in manifest["settings"]["event_subscriptions"]["bot_events"]:
        assert f"`{event}`" in slack


@pytest.mark.parametrize(
    "path", [REFERENCE / "scopes.md", HOW_TO / "connect-stripe.md"], ids=["scopes", "how-to"]
)
def test_stripes_permissions_are_those_that_a_key_is_checked_for(path: Any) -> None:
    said = {row[0].split()[0]: row[1] for row in table_rows(path) if row[1:2] in (["Write"], ["Read"])}
    wanted = dict(permission.split(": ") for permission in needed())
    assert said == {resource.split()[0]: permission for resource, permission in wanted.items()}


@pytest.mark.parametrize(
    "path",
    [REFERENCE / "scopes.md", HOW_TO / "connect-stripe.md", ROOT / "README.md"],
    ids=["scopes", "how-to", "readme"],
)
def test_the_webhooks_event_types_are_those_that_concern_paylink(path: Any) -> None:
    said = re.findall(
        r"\b(?:checkout\.session|charge|refund|payment_link)\.[a-z_.]+[a-z]", path.read_text("utf-8")
    )
    assert set(said) == set(TYPES)


def test_the_guide_names_every_exception_and_every_status_with_its_sign() -> None:
    guide = (ROOT / "docs" / "guide.md").read_text("utf-8")
    rows = _exceptions_of(guide)
    assert set(TITLES.values()) <= rows
    for status, sign in SIGNS.items():
        assert f"| {sign} | {STATUSES[status]} |" in guide
    for badge in BADGES.values():
        assert f"*{badge}*" in guide


def _exceptions_of(guide: str) -> set[str]:
    """The titles in the first column of the guide's table, where some stand together."""
    table = guide.split("| exception |")[1].split("\n\n")[0]
    return {title.strip() for row in table.splitlines()[2:] for title in row.split("|")[1].split(",")}


def test_the_audit_is_of_the_fields_and_codes_of_the_code() -> None:
    rows = table_rows(REFERENCE / "audit.md")
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row[0])]
    assert Counter(named) == Counter((*AUDITED, *Deed, *Source))
