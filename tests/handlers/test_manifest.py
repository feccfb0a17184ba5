"""manifest.yml passes Slack's schema and says exactly what the code registers and needs."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from handlers import app, ids

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = Path(__file__).parent / "data" / "manifest.schema.1.0.0.json"


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text())
    return loaded


def test_the_manifest_passes_slacks_schema(manifest: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text())
    problems = jsonschema.Draft7Validator(schema).iter_errors(manifest)
    assert [problem.message for problem in problems] == []


def test_the_schema_sees_a_shortcut_name_that_is_too_long(manifest: dict[str, Any]) -> None:
    manifest = json.loads(json.dumps(manifest))
    manifest["features"]["shortcuts"][0]["name"] = "x" * 25
    schema = json.loads(SCHEMA.read_text())
    assert list(jsonschema.Draft7Validator(schema).iter_errors(manifest))


def test_commands_shortcuts_and_events_are_those_that_are_registered(manifest: dict[str, Any]) -> None:
    features, settings = manifest["features"], manifest["settings"]
    assert {each["command"] for each in features["slash_commands"]} == set(app.COMMANDS)
    assert {each["callback_id"] for each in features["shortcuts"]} == set(app.SHORTCUTS)
    events = settings["event_subscriptions"]["bot_events"]
    assert {name.partition(".")[0] for name in events} == {*app.EVENTS, *app.ENDS}
    # Of messages those alone that are for Paylink.
    assert [name for name in events if name.startswith("message")] == ["message.im"]


def test_shortcuts_bear_the_names_that_home_shows(manifest: dict[str, Any]) -> None:
    names = {each["callback_id"]: each["name"] for each in manifest["features"]["shortcuts"]}
    assert names == {ids.FIND_INVOICE: "Find Invoice", ids.BILLING_INVOICES: "Billing Invoices"}


def test_every_command_says_how_it_is_used(manifest: dict[str, Any]) -> None:
    for command in manifest["features"]["slash_commands"]:
        assert "help" in command["usage_hint"]


def test_only_the_scopes_that_are_needed_are_asked_for(manifest: dict[str, Any]) -> None:
    scopes = manifest["oauth_config"]["scopes"]
    needed = ["commands", "chat:write", "channels:history", "groups:history", "files:write"]
    asked = [
        "app_mentions:read",
        "im:history",
        "files:read",
        "users:read",
        "usergroups:read",
        "channels:join",
    ]
    assert scopes == {"bot": [*needed, *asked]}


def test_home_messages_and_interactivity_are_on(manifest: dict[str, Any]) -> None:
    home = manifest["features"]["app_home"]
    assert home["home_tab_enabled"]
    assert home["messages_tab_enabled"]
    assert not home["messages_tab_read_only_enabled"]
    assert manifest["settings"]["interactivity"]["is_enabled"]
    assert manifest["settings"]["socket_mode_enabled"]
