"""The files for operators name what exists: metrics with their labels, commands, settings, files."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import setting_names
from bot.watch.metrics import Metrics
from tests.docs.pages import ROOT, command_of

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
UNIT = (DEPLOY / "paylink.service").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
_ABOUT_EACH = {"job", "instance", "le"}


def _expressions() -> Iterator[str]:
    rules = yaml.safe_load((DEPLOY / "prometheus-rules.yaml").read_text("utf-8"))
    for group in rules["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    board = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_rules_and_dashboard_ask_for_metrics_that_exist_by_labels_that_they_have() -> None:
    metrics = Metrics()
    labels = {kept._name: set(kept._labelnames) for kept in vars(metrics).values() if hasattr(kept, "_name")}
    known = {family.name: labels.get(family.name, set()) for family in metrics.registry.collect()}
    for expression in _expressions():
        for name in re.findall(r"\b(?:paylink|process)_\w+", expression):
            family = re.sub(r"_(total|bucket|sum|count)$", "", name)
            assert name in known or family in known, expression
        asked = re.findall(r"\b(?:by|on) \(([^)]+)\)", expression) + re.findall(r"(\w+)=~?\"", expression)
        named = {label for some in asked for label in some.replace(" ", "").split(",")}
        families = re.findall(r"\bpaylink_\w+", expression)
        have = set().union(
            *(known.get(re.sub(r"_(total|bucket|sum|count)$", "", one), set()) for one in families)
        )
        assert named <= have | _ABOUT_EACH, expression


@pytest.mark.parametrize("words", [["serve"], ["db", "upgrade"]])
def test_the_commands_that_are_run_exist(words: list[str]) -> None:
    assert command_of(words) is not None
    run = [UNIT, DOCKERFILE, json.dumps(COMPOSE)]
    assert any(" ".join(words) in one or json.dumps(words)[1:-1] in one for one in run)


def test_secrets_and_settings_have_the_names_of_settings() -> None:
    names = setting_names()
    for service in ("paylink", "schema"):
        assert set(COMPOSE["services"][service]["secrets"]) | set(
            COMPOSE["services"][service]["environment"]
        ) <= set(names)
    assert set(re.findall(r"LoadCredential=(\w+):", UNIT)) <= set(names)
    for name, place in re.findall(r"LoadCredential=(\w+):(\S+)", UNIT):
        assert Path(place).name == name


def test_two_replicas_run_without_privileges_on_a_root_that_is_read_only() -> None:
    paylink: dict[str, Any] = COMPOSE["services"]["paylink"]
    assert paylink["deploy"]["replicas"] == 2
    assert paylink["read_only"] is True
    assert paylink["cap_drop"] == ["ALL"]
    assert COMPOSE["networks"]["data"] == {"internal": True}
    assert "ports" not in paylink
    assert "ports" not in COMPOSE["services"]["database"]
    last_stage = DOCKERFILE.split("\nFROM ")[-1]
    assert re.search(r"^USER 10001:10001$", last_stage, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", last_stage, re.MULTILINE)


def test_what_the_image_is_made_of_is_let_into_its_building() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert ignored[0] == "*"
    for copied in re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE, re.MULTILINE):
        assert f"!{copied.replace('paylink_bot-*', '*')}" in ignored


def test_what_people_fill_in_and_what_runs_before_a_commit_can_be_read() -> None:
    for form in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("[bw]*.yml"):
        read = yaml.safe_load(form.read_text("utf-8"))
        assert {"name", "description", "body"} <= set(read)
        ids = [field["id"] for field in read["body"] if field["type"] != "markdown"]
        assert len(ids) == len(set(ids))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    [local] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert local["repo"] == "local"
    for hook in local["hooks"]:
        assert hook["entry"].split()[1] in targets
