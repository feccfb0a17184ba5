"""What people do, as Slack turns it into payloads, and what becomes of the app's ack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.slack.blocks import inputs
from sandbox.slack.blocks.composition import options_of
from sandbox.slack.blocks.surfaces import check_message, check_options, interactive
from sandbox.slack.interactions import payloads, showing
from sandbox.slack.state.app import Ack, Delivery
from sandbox.slack.state.errors import TROUBLE, SlackError, sentence
from sandbox.slack.state.files import LARGEST_IN_FORM, delivered, extension
from sandbox.slack.state.model import Json, Message, Outcome, View
from sandbox.slack.state.team import Team

Surface = str | tuple[str, str]


def outcome(what: str, ack: Ack, **more: Any) -> Outcome:
    """An ack as the person experiences it."""
    shown = sentence(what, ack.error) if ack.error else None
    return Outcome(True, ack.acked, ack.milliseconds, ack.error, shown, body=ack.body, **more)


def refused(code: str, shown: str) -> Outcome:
    """Something that the client didn't even send."""
    return Outcome(sent=False, error=code, shown=shown)


# ---- commands and shortcuts -------------------------------------------------------------------------------------------


async def command(
    team: Team, delivery: Delivery, user: str, channel_id: str, text: str, thread_ts: str | None
) -> Outcome:
    name, _, rest = text.strip().partition(" ")
    if thread_ts is not None:
        return refused(
            "not_in_thread", f"{name} is not supported in threads. Sorry!"
        )  # Slack docs: interactivity/implementing-slash-commands
    if not team.installed or name not in [each["command"] for each in team.app.manifest.commands]:
        return refused("unknown_command", f"{name} is not a valid command.")
    channel = team.channels[channel_id]
    payload = payloads.slash_command(team, user, channel, name, rest.strip())
    ack = await delivery.send("slash_commands", payload, answerable=True)
    if ack.acked and ack.body:
        answer = {"text": ack.body} if isinstance(ack.body, str) else ack.body
        error = answer_command(team, user, channel_id, answer)
        if error:
            ack = Ack(True, ack.milliseconds, ack.body, error)
    return outcome(name, ack)


def answer_command(team: Team, user: str, channel: str, answer: Any) -> str | None:
    """Posts a command's answer (from its ack or a response_url); returns Slack's code if it can't be shown."""
    if not isinstance(answer, dict):
        return "invalid_payload"
    blocks, text = answer.get("blocks") or [], answer.get("text") or ""
    if not blocks and not text:
        return None if not answer else "no_text"
    if not isinstance(text, str) or check_message({"text": text, "blocks": blocks}):
        return "invalid_blocks"
    public = answer.get("response_type") == "in_channel"
    made = team.app_message(
        channel, text, showing.with_ids(team, blocks), ephemeral_to=None if public else user
    )
    team.post(made)
    return None


async def global_shortcut(team: Team, delivery: Delivery, user: str, callback_id: str) -> Outcome:
    if callback_id not in [each["callback_id"] for each in team.app.manifest.global_shortcuts]:
        return refused("unknown_shortcut", "There is no such shortcut.")
    return outcome("shortcut", await delivery.send("interactive", payloads.shortcut(team, user, callback_id)))


# ---- elements ---------------------------------------------------------------------------------------------------------


def on(team: Team, user: str, surface: Surface) -> View | Message:
    """The view or message that a person touches; LookupError if they can't see it."""
    if isinstance(surface, str):
        view = team.find_view(surface)
        if view is None or view.user != user:
            raise LookupError(f"{user} has no view {surface} open")
        if view.kind == "modal" and team.stacks[user][-1] is not view:
            raise LookupError(f"{user} can't reach {surface}: another view lies on it")
        return view
    message = team.find_message(*surface)
    channel = team.channels.get(surface[0])
    if message is None or channel is None or user not in channel.members:
        raise LookupError(f"{user} sees no message {surface}")
    if message.ephemeral_to not in (None, user):
        raise LookupError(f"{user} sees no message {surface}")
    return message


def element_at(blocks: list[Json], block_id: str, action_id: str) -> tuple[Json, Json]:
    for block, element in interactive(blocks):
        if (block["block_id"], element["action_id"]) == (block_id, action_id):
            return block, element
    raise LookupError(f"nothing at {block_id} / {action_id}")


async def use(
    team: Team,
    delivery: Delivery,
    user: str,
    surface: Surface,
    at: tuple[str, str],
    value: str | Sequence[str] | None,
    *,
    entered: bool = False,
    typed: bool = False,
) -> Outcome:
    """Changes an element's state and sends block_actions where Slack does."""
    place = on(team, user, surface)
    block, element = element_at(place.blocks, *at)
    state: Json = {}
    if element["type"] in inputs.STATEFUL:
        offered = team.offered.get((_key(surface), *at), [])
        state = inputs.chosen(element, value, offered)
        if element["type"] == "file_input":
            complaint = _refused_files(team, user, element, state["files"])
            if complaint:
                return Outcome(sent=False, errors={at[0]: complaint})
            state["files"] = [delivered(team, team.files[each]) for each in state["files"]]
        place.values = inputs.state_of(place.blocks, place.values)
        place.values[at[0]][at[1]] = state
    elif element["type"] == "overflow":
        state = {"selected_option": _overflow_option(element, value)}
    if not inputs.dispatches(block, element, entered=entered, typed=typed):
        return Outcome(sent=False)
    act = payloads.action(element, at[0], state, team.next_ts())
    if isinstance(place, View):
        payload = payloads.view_actions(team, place, act)
    else:
        payload = payloads.message_actions(
            team, user, place, inputs.state_of(place.blocks, place.values), act
        )
    return outcome("element", await delivery.send("interactive", payload))


def _refused_files(team: Team, user: str, element: Json, ids: list[str]) -> str:
    """What a client says of files that it won't take into a form; empty if it takes them."""
    if len(ids) > element.get("max_files", 10):
        return f"You can add up to {element.get('max_files', 10)} files."
    for each in ids:
        file = team.files.get(each)
        if file is None or file.deleted or file.user != user:
            raise LookupError(f"{user} has no file {each}")
        if file.length > LARGEST_IN_FORM:
            return f"{file.name} is larger than 10 MB."
        kinds = element.get("filetypes")
        if kinds and extension(file.name) not in [kind.lower() for kind in kinds]:
            return f"{file.name} is not of a type that can be added: {', '.join(kinds)}."
    return ""


def _overflow_option(element: Json, value: str | Sequence[str] | None) -> Json:
    for option in element["options"]:
        if option["value"] == value:
            return dict(option)
    raise LookupError(f"no such option: {value}")


def _key(surface: Surface) -> str:
    return surface if isinstance(surface, str) else "/".join(surface)


async def suggest(
    team: Team, delivery: Delivery, user: str, surface: Surface, at: tuple[str, str], query: str
) -> Outcome:
    """Type-ahead (Slack docs: external data source select; min_query_length is 3 unless given)."""
    place = on(team, user, surface)
    _, element = element_at(place.blocks, *at)
    if len(query) < element.get("min_query_length", 3):
        return Outcome(sent=False)
    if isinstance(place, View):
        where: Json = {"container": {"type": "view", "view_id": place.id}, "view": place.as_json()}
    else:
        channel = {"id": place.channel, "name": team.channels[place.channel].name}
        container = {"type": "message", "message_ts": place.ts, "channel_id": place.channel}
        where = {"container": container, "channel": channel, "message": place.as_json()}
    payload = payloads.suggestion(team, user, where, element, at[0], query)
    ack = await delivery.send("interactive", payload, answerable=True)
    if not ack.acked:
        return outcome("options", ack)
    if check_options(ack.body):
        return outcome("options", Ack(True, ack.milliseconds, ack.body, "invalid_options"))
    answer = showing.filled(ack.body)
    team.offered[(_key(surface), *at)] = options_of(answer)
    return outcome("options", ack, options=answer.get("options") or answer.get("option_groups") or [])


# ---- modals -----------------------------------------------------------------------------------------------------------


async def submit(team: Team, delivery: Delivery, user: str, view_id: str) -> Outcome:
    view = on(team, user, view_id)
    if not isinstance(view, View) or "submit" not in view.payload:
        raise LookupError(f"{view_id} has no submit")
    view.values = inputs.state_of(view.blocks, view.values)
    view.shown_errors = inputs.refusals(view.blocks, view.values)
    if view.shown_errors:
        return Outcome(sent=False, errors=dict(view.shown_errors))
    ack = await delivery.send("interactive", payloads.view_submission(team, view), answerable=True)
    if not ack.acked:
        return outcome("modal", ack)
    try:
        take_submission_ack(team, view, ack.body)
    except SlackError as error:
        return Outcome(True, True, ack.milliseconds, error.code, TROUBLE, body=ack.body)
    return outcome("modal", ack, errors=dict(view.shown_errors))


def take_submission_ack(team: Team, view: View, body: Any) -> None:
    """Does what the ack of a view_submission asks; SlackError says why the person sees trouble instead.

    Slack docs: surfaces/modals, "Updating modals" and "Displaying errors". A bare ack closes this view only.
    """
    if team.find_view(view.id) is None:
        return  # the person closed it meanwhile
    action = body.get("response_action") if isinstance(body, dict) else None
    if body is None or body == {}:
        showing.close_view(team, view)
    elif action == "clear":
        for each in reversed(team.stacks.get(view.user, [])[:]):
            showing.close_view(team, each)
    elif action == "update":
        payload = showing.validated(team, body.get("view"), "modal", replacing=view)
        showing.update_view(team, view, payload)
    elif action == "push":
        showing.push_view(team, view.user, showing.validated(team, body.get("view"), "modal"))
    elif action == "errors":
        _take_errors(team, view, body.get("errors"))
    else:
        raise SlackError("invalid_response_action")


def _take_errors(team: Team, view: View, errors: Any) -> None:
    fields = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= fields:
        raise SlackError("invalid_errors")
    if not all(isinstance(text, str) and text for text in errors.values()):
        raise SlackError("invalid_errors")
    view.shown_errors = errors
    team.publish("view_updated", {**view.as_json(), "errors": errors}, user=view.user)


async def close(team: Team, delivery: Delivery, user: str, view_id: str, *, clear: bool) -> Outcome:
    view = on(team, user, view_id)
    if not isinstance(view, View) or view.kind != "modal":
        raise LookupError(f"{view_id} is not a modal")
    clear = clear or bool(view.payload.get("clear_on_close"))
    closing = list(reversed(team.stacks[user])) if clear else [view]
    result = Outcome(sent=False)
    for each in closing:
        showing.close_view(team, each)
    for each in closing:
        if each.payload.get("notify_on_close"):
            told = payloads.view_closed(team, each, cleared=clear)
            result = outcome("modal", await delivery.send("interactive", told))
    return result
