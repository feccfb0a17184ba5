"""Composition objects: texts, options, confirmations (Slack docs: reference/block-kit/composition-objects)."""

from __future__ import annotations

from sandbox.slack.blocks.checks import (
    Check,
    Problems,
    Rule,
    array,
    boolean,
    matching,
    one_of,
    record,
    string,
    typed,
)
from sandbox.slack.state.model import Json

URL = matching(r"(?i)[a-z][a-z0-9+.-]*:\S+", "must be a valid URL")
WEB_URL = matching(r"(?i)https?://[^\s/]\S*", "must be a valid URL")


def plain_text(most: int) -> Check:
    """A text object that takes no markup."""
    shape = record({"type": one_of("plain_text"), "text": string(most)}, {"emoji": boolean})
    return typed({"plain_text": shape}, "type")


def any_text(most: int) -> Check:
    """A text object, plain or mrkdwn; `emoji` belongs to the one, `verbatim` to the other."""
    return typed(
        {
            "plain_text": record({"type": one_of("plain_text"), "text": string(most)}, {"emoji": boolean}),
            "mrkdwn": record({"type": one_of("mrkdwn"), "text": string(most)}, {"verbatim": boolean}),
        },
        "type",
    )


CONFIRM = record(
    {"title": plain_text(100), "text": any_text(300), "confirm": plain_text(30), "deny": plain_text(30)},
    {"style": one_of("primary", "danger")},
)
DISPATCH_CONFIG = record(
    {}, {"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), 2)}
)
CONVERSATION_FILTER = record(
    {},
    {
        "include": array(one_of("im", "mpim", "private", "public"), 4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)
SLACK_FILE = record({}, {"id": string(255), "url": URL})

OPTION = record({"text": plain_text(75), "value": string(150)}, {"description": plain_text(75)})
MARKED_OPTION = record({"text": any_text(75), "value": string(150)}, {"description": any_text(75)})
LINKED_OPTION = record(
    {"text": plain_text(75), "value": string(150)}, {"description": plain_text(75), "url": URL}
)
OPTION_GROUP = record({"label": plain_text(75), "options": array(OPTION, 100)})


def options_of(element: Json) -> list[Json]:
    """Every option of a select, in groups or not."""
    grouped = [option for group in element.get("option_groups", []) for option in group["options"]]
    return list(element.get("options", [])) + grouped


def unique_values(element: Json, at: str, problems: Problems) -> None:
    """Slack docs, option object: `value` is unique among the options."""
    values = [option["value"] for option in options_of(element)]
    if len(set(values)) != len(values):
        problems.add("option values must be unique", f"{at}/options")


def options_or_groups(element: Json, at: str, problems: Problems) -> None:
    if ("options" in element) == ("option_groups" in element):
        problems.add("must have either options or option_groups", at)


def initial_among_options(name: str) -> Rule:
    """docs/facts/slack.md, modals: an initial option equals an option exactly, description included."""

    def rule(element: Json, at: str, problems: Problems) -> None:
        if name not in element:
            return
        initial = element[name] if isinstance(element[name], list) else [element[name]]
        choices = options_of(element)
        for number, option in enumerate(initial):
            if option not in choices:
                problems.add("must match one of the options exactly", f"{at}/{name}/{number}")
        if len({option["value"] for option in initial}) != len(initial):
            problems.add("option values must be unique", f"{at}/{name}")

    return rule
