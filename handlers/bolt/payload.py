"""What Slack delivered, read once and strictly: handlers never look into a payload themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from domain.states import Source
from domain.summaries import Actor
from handlers.rejections import Unreadable
from handlers.views.blocks import Json


@dataclass(frozen=True)
class ShownView:
    """The modal or Home that somebody acted in, as they had it before them. ``values`` is the state of its inputs."""

    id: str
    hash: str
    kind: str
    callback_id: str
    private_metadata: str
    root_view_id: str
    previous_view_id: str
    """Of the view that it stands on; empty for one that stands on none."""
    blocks: tuple[Json, ...]
    values: Json
    payload: Json

    @property
    def is_modal(self) -> bool:
        return self.kind == "modal"

    def state_of(self, block_id: str, action_id: str) -> Json | None:
        """The state of one element; None if it isn't displayed."""
        state = dig(self.values, block_id, action_id)
        return state if isinstance(state, dict) else None


@dataclass(frozen=True)
class Action:
    """What was clicked, chosen or entered. ``value`` is a button's, the chosen option's or the entered text."""

    action_id: str
    block_id: str
    value: str
    at: str
    """Slack's ``action_ts``."""
    payload: Json


@dataclass(frozen=True)
class Delivery:
    """One thing that one person did."""

    actor: Actor
    client: AsyncWebClient
    text: str
    """What follows a slash command, or what was typed into a type-ahead."""
    command: str
    """The slash command, as it is called in this workspace's app; empty for whatever else was done."""
    trigger_id: str
    response_url: str
    view: ShownView | None
    action: Action | None
    event: Json = field(default_factory=dict)
    """An event of the Events API, as it came; empty for what people do with elements."""
    event_id: str = ""
    """The same for each time that the event is sent."""
    outside: str = ""
    """The workspace that the person acts from, if it is told and isn't the actor's, where Paylink is installed."""
    perhaps_own: bool = False
    """``outside`` is of the same enterprise: Slack knows whether they belong to this workspace as well."""

    @property
    def value(self) -> str:
        """What the button, option or input that was used carries. Raises Unreadable where there is none."""
        if self.action is None or not self.action.value:
            raise Unreadable("action")
        return self.action.value

    @property
    def shown(self) -> ShownView:
        """Raises Unreadable for what didn't happen in a view."""
        if self.view is None:
            raise Unreadable("view")
        return self.view


def read_delivery(
    body: Json, team_id: object, user_id: object, client: AsyncWebClient, *, from_team: object = None
) -> Delivery:
    """Read a payload, with what Bolt found in it: the team where Paylink is installed, the user, and ``from_team``,
    the team of whoever caused an event. Raises Unreadable."""
    if not (isinstance(team_id, str) and isinstance(user_id, str) and team_id and user_id):
        raise Unreadable("actor")
    typed = text_at(body, "text") if "command" in body else text_at(body, "value")
    outside = _outside(body, team_id, from_team)
    return Delivery(
        actor=Actor(team_id, user_id, _source_of(body)),
        client=client,
        text=typed,
        command=text_at(body, "command"),
        trigger_id=text_at(body, "trigger_id"),
        response_url=text_at(body, "response_url"),
        view=read_view(body.get("view")),
        action=_read_action(body.get("actions")),
        event=dig(body, "event") if isinstance(dig(body, "event"), dict) else {},
        event_id=text_at(body, "event_id"),
        outside=outside,
        perhaps_own=_is_of_enterprise(body, team_id, outside),
    )


def _source_of(body: Json) -> Source:
    if "command" in body:
        return Source.COMMAND
    return Source.EVENT if "event" in body else Source.BUTTON


def dig(value: Any, *path: str) -> Any:
    """What lies at the end of the path through mappings; None if it isn't there."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def listed(value: Any) -> list[Any]:
    """The value if it is a list; else an empty one."""
    return value if isinstance(value, list) else []


def text_at(value: Any, *path: str) -> str:
    """As dig, but always text: empty for whatever else is there."""
    found = dig(value, *path)
    return found if isinstance(found, str) else ""


def chosen(payload: Any) -> str:
    """The value of the option that a select's state or action says is chosen; empty for none."""
    return text_at(payload, "selected_option", "value")


def all_chosen(payload: Any) -> list[str]:
    """The values of every option that checkboxes' state or action says is ticked."""
    options = dig(payload, "selected_options")
    return [text_at(option, "value") for option in options] if isinstance(options, list) else []


def _outside(body: Json, team_id: str, from_team: object) -> str:
    """Slack docs: apis/slack-connect/using-slack-connect-with-slack-apps. An interaction tells the person's team, or
    their enterprise in its place; and ``team`` is where they are, wherever the modal that they submit was opened."""
    own, person = {"", team_id}, text_at(body, "user", "team_id")
    own |= _enterprise(body, team_id)
    if len(own) > 2 and person.startswith("T") and _is_for_members(body):
        # Who belongs to several workspaces of an enterprise may be told by any of them.
        person = ""
    # An event names the enterprise of the installation there, and elsewhere that of whoever caused it.
    own |= {text_at(one, "enterprise_id") for one in listed(body.get("authorizations"))}
    # A Home that a stranger opens tells it in the event alone.
    told = (person, text_at(body, "team", "id"), from_team, text_at(body, "event", "user_team"))
    return next((team for team in told if isinstance(team, str) and team not in own), "")


def _enterprise(body: Json, team_id: str) -> set[str]:
    """That of the workspace, under both of its names in an interaction; an empty one where none is told."""
    if text_at(body, "team", "id") != team_id:
        return {""}
    return {text_at(body, "enterprise", "id"), text_at(body, "team", "enterprise_id")}


def _is_of_enterprise(body: Json, team_id: str, outside: str) -> bool:
    told = outside.startswith("T") and outside == text_at(body, "user", "team_id")
    return told and _enterprise(body, team_id) != {""}


def _is_for_members(body: Json) -> bool:
    """Where strangers never come: to views, to global shortcuts, and to what Paylink told somebody directly."""
    directly = text_at(body, "channel", "id").startswith("D")
    return "view" in body or body.get("type") == "shortcut" or directly


def read_view(view: Any) -> ShownView | None:
    if not isinstance(view, dict):
        return None
    blocks = view.get("blocks")
    values = dig(view, "state", "values")
    return ShownView(
        id=text_at(view, "id"),
        hash=text_at(view, "hash"),
        kind=text_at(view, "type"),
        callback_id=text_at(view, "callback_id"),
        private_metadata=text_at(view, "private_metadata"),
        root_view_id=text_at(view, "root_view_id"),
        previous_view_id=text_at(view, "previous_view_id"),
        blocks=tuple(block for block in blocks if isinstance(block, dict))
        if isinstance(blocks, list)
        else (),
        values=values if isinstance(values, dict) else {},
        payload=view,
    )


def _read_action(actions: Any) -> Action | None:
    if not isinstance(actions, list) or not actions or not isinstance(actions[0], dict):
        return None
    payload = actions[0]
    return Action(
        action_id=text_at(payload, "action_id"),
        block_id=text_at(payload, "block_id"),
        value=text_at(payload, "value") or chosen(payload),
        at=text_at(payload, "action_ts"),
        payload=payload,
    )
