"""The doctor shows Slack one of each view and message that Paylink can make, and hears what Slack thinks of them."""

import json
from collections.abc import Iterator

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.cli.doctor.findings import Finding, Level
from bot.slack_client import UNANSWERED, code_of
from handlers.specimens import whole as specimens

METHOD = "blocks.validate"
MOST_TOLD = 5
_REFUSALS = {"invalid_view", "invalid_message", "invalid_blocks"}


async def examine_blocks(client: AsyncWebClient) -> Finding:
    """Nothing is shown to anybody by it, and a token needs no scope for it."""
    wrong: list[str] = []
    asked = 0
    for name, arguments in _arguments():
        try:
            # In the body: the SDK's own blocks_validate puts them into the address, which has no room for a list.
            await client.api_call(METHOD, data=arguments)
        except (SlackApiError, *UNANSWERED) as error:
            code = code_of(error) if isinstance(error, SlackApiError) else None
            if code not in _REFUSALS:
                return _broken_off(asked, code)
            wrong.append(f"{name} ({_first(error)})")
        asked += 1
    if not wrong:
        return Finding(Level.WELL, f"Views and messages: Slack takes all {asked} kinds of them.")
    more = f" and {len(wrong) - MOST_TOLD} more" if len(wrong) > MOST_TOLD else ""
    return Finding(
        Level.WRONG,
        f"Views and messages: Slack refuses {len(wrong)} of {asked} kinds: {'; '.join(wrong[:MOST_TOLD])}{more}.",
        "Slack has changed what it takes: look for a later version of Paylink, and report it if there is none.",
    )


def _arguments() -> Iterator[tuple[str, dict[str, str]]]:
    for name, view in specimens.views().items():
        yield name, {"view": json.dumps(view)}
    for name, message in specimens.messages().items():
        yield name, {"message": json.dumps({"text": message["text"], "blocks": message["blocks"]})}


def _broken_off(asked: int, code: str | None) -> Finding:
    why = f"it answers {code}" if code else "it doesn't answer"
    return Finding(
        Level.NOTE,
        f"Views and messages: Slack was shown {asked} kinds and takes them; then {why} to {METHOD}.",
        "Run `paylink doctor` again in some minutes: the method has a limit of its own.",
    )


def _first(error: Exception) -> str:
    """What Slack says of the first place that it doesn't like."""
    said = getattr(getattr(error, "response", None), "data", None)
    errors = said.get("errors") if isinstance(said, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else {}
    return f"{first.get('message', 'no reason')} at {first.get('pointer') or '/'}"
