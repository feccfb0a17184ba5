"""The pieces from which Block Kit's rules are put together: small checks that report as Slack reports.

A check takes a value, its JSON pointer and the list of problems, and adds to that list what Slack would say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.slack.state.model import Json


@dataclass
class Problems:
    """What is wrong with a payload meant for `surface` ("modal", "home" or "message"), in Slack's own form."""

    surface: str
    found: list[str] = field(default_factory=list)

    def add(self, text: str, pointer: str) -> None:
        self.found.append(f"[ERROR] {text} [json-pointer:{pointer}]")


Check = Callable[[Any, str, Problems], None]
Rule = Callable[[Json, str, Problems], None]


def units(text: str) -> int:
    """Its length as Slack's clients count it, in UTF-16 code units: an emoji is two at least."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def string(most: int, least: int = 1) -> Check:
    """Text of `least` to `most` characters, counted in the strictest way that Slack may count them."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.add("must be a string", at)
        elif units(value) > most:
            problems.add(f"must be less than {most + 1} characters", at)
        elif units(value) < least:
            problems.add(f"must be more than {least - 1} characters", at)

    return check


def matching(pattern: str, complaint: str, most: int = 3000) -> Check:
    """Text that fits a regular expression as a whole."""
    fits = re.compile(pattern)
    is_string = string(most)

    def check(value: Any, at: str, problems: Problems) -> None:
        before = len(problems.found)
        is_string(value, at, problems)
        if len(problems.found) == before and not fits.fullmatch(value):
            problems.add(complaint, at)

    return check


def boolean(value: Any, at: str, problems: Problems) -> None:
    if not isinstance(value, bool):
        problems.add("must be a boolean", at)


def integer(least: int, most: int) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            problems.add("must be an integer", at)
        elif not least <= value <= most:
            problems.add(f"must be between {least} and {most}", at)

    return check


def one_of(*values: Any) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        if isinstance(value, bool) or value not in values:
            problems.add("must be a valid enum value", at)

    return check


def array(item: Check, most: int, least: int = 1) -> Check:
    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.add("must provide an array", at)
            return
        if len(value) > most:
            problems.add(f"no more than {most} items allowed", at)
        if len(value) < least:
            problems.add(f"no fewer than {least} items allowed", at)
        for number, each in enumerate(value):
            item(each, f"{at}/{number}", problems)

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *rules: Rule) -> Check:
    """An object with these properties and no others; `rules` see only objects whose properties are sound."""
    known = {**required, **(optional or {})}

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add("must provide an object", at)
            return
        before = len(problems.found)
        for name in required:
            if name not in value:
                problems.add(f"missing required field: {name}", at)
        for name, each in value.items():
            if name in known:
                known[name](each, f"{at}/{name}", problems)
            else:
                problems.add(f"invalid additional property: {name}", at)
        if len(problems.found) == before:
            for rule in rules:
                rule(value, at, problems)

    return check


def typed(kinds: Mapping[str, Check], noun: str) -> Check:
    """An object whose `type` picks the check."""

    def check(value: Any, at: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problems.add("must provide an object", at)
        elif "type" not in value:
            problems.add("missing required field: type", at)
        elif not isinstance(value["type"], str) or value["type"] not in kinds:
            problems.add(f"unsupported {noun}: {value['type']}", f"{at}/type")
        else:
            kinds[value["type"]](value, at, problems)

    return check


def anything(value: Any, at: str, problems: Problems) -> None:
    """Any value: the property is known and something else checks it."""
