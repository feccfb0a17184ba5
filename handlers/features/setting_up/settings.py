"""The organisation's settings: shown to its administrators, saved together."""

import asyncio
from collections.abc import Sequence
from typing import cast

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from domain.desks.settings import SettingsShown
from domain.organisations.settings import Changes, SettingUnusable
from domain.states import Creators
from handlers import ids
from handlers.bolt.answers import SLACK_AWAY, slack_code
from handlers.bolt.context import Office
from handlers.bolt.modals import replace_modal, show_modal
from handlers.bolt.payload import Delivery, chosen, dig, listed, text_at
from handlers.features import home
from handlers.features.setting_up import steps
from handlers.references import SettingsReference
from handlers.rejections import Unreadable
from handlers.views import settings
from handlers.views.blocks import Json
from handlers.views.settings import Choices, Group, chosen_by
from handlers.words.settings import Told, not_joined, unusable

JOIN_SECONDS = 1.2
"""What Slack may take until Paylink is in a channel, so that the submission is answered in time."""
_NOT_JOINABLE = frozenset({"method_not_supported_for_channel_type", "missing_scope", "channel_not_found"})
_WHO_MAY_CREATE = frozenset({"creators", "chosen_people", "user_group"})
_BLOCKS = {
    "channel": ids.SETTING_CHANNEL,
    "creators": ids.SETTING_CREATORS,
    "chosen_people": ids.SETTING_CHOSEN_PEOPLE,
    "user_group": ids.SETTING_USER_GROUP,
    "administrators": ids.SETTING_ADMINISTRATORS,
    "language": ids.SETTING_LANGUAGE,
}


async def open_form(office: Office, delivery: Delivery) -> None:
    """Settings on Home, and Choose a channel among the steps."""

    async def made() -> Json:
        return await _made(delivery, await office.desk.show_settings(delivery.actor))

    await show_modal(office, delivery, made())


async def choose(office: Office, delivery: Delivery) -> None:
    """Another choice on which inputs depend: those appear or go. The others keep what stands in them."""

    async def made() -> Json:
        shown = await office.desk.show_settings(delivery.actor)
        return await _made(delivery, shown, _choices(delivery), _seen(delivery))

    await replace_modal(office, delivery, made)


async def save(office: Office, delivery: Delivery) -> Json:
    """Save: acknowledged once it is committed. What is wrong stands beside its input, and then nothing is saved."""
    choices = _choices(delivery)
    channel = _channel(delivery, ids.SETTING_CHANNEL)
    shown = await office.desk.show_settings(
        delivery.actor
    )  # Before Slack is asked for anything: whether they may.
    # What somebody left alone isn't theirs to put back: another administrator may have set it meanwhile.
    seen = _seen(delivery)
    if seen.is_as_seen("channel", channel) and channel != shown.channel:
        channel = None
    changes = _unlike(seen, _changes(delivery, choices))
    told = changes.get("told_of_exceptions", ()) if choices.told is Told.CHANNEL else ()
    wrong = await _join(
        delivery.client, {ids.SETTING_CHANNEL: channel, ids.SETTING_TOLD_CHANNEL: next(iter(told), None)}
    )
    if wrong:
        return {"response_action": "errors", "errors": wrong}
    try:
        await office.desk.change_settings(delivery.actor, channel=channel, **changes)
    except SettingUnusable as error:
        return {
            "response_action": "errors",
            "errors": {_block_of(delivery, error.name, choices): unusable(error.name)},
        }
    office.track(_show_elsewhere(office, delivery))
    return {}


async def _show_elsewhere(office: Office, delivery: Delivery) -> None:
    await home.publish(office, delivery)
    if delivery.shown.previous_view_id:
        await steps.redraw(office, delivery, delivery.shown.previous_view_id)


async def _made(
    delivery: Delivery,
    shown: SettingsShown,
    choices: Choices | None = None,
    seen: SettingsReference | None = None,
) -> Json:
    choices = choices or chosen_by(shown.settings)
    groups = None
    if choices.creators is Creators.GROUP:
        groups = await _fetch_groups(delivery.client, delivery.actor.team_id)
    return settings.form(
        shown.settings,
        shown.channel,
        choices,
        groups=groups,
        key=shown.key,
        key_is_given=shown.key_is_given,
        seen=seen,
    )


async def _fetch_groups(client: AsyncWebClient, team_id: str) -> Sequence[Group] | None:
    """None if Slack doesn't tell. A token of an Enterprise Grid organisation must say for which workspace."""
    try:
        answer = await client.usergroups_list(team_id=team_id)
    except (SlackApiError, *SLACK_AWAY):
        return None
    found = [
        Group(text_at(one, "id"), text_at(one, "name")) for one in listed(dig(answer.data, "usergroups"))
    ]
    return [one for one in found if one.id and one.name]


async def _join(client: AsyncWebClient, channels: dict[str, str | None]) -> dict[str, str]:
    """What is wrong with these channels, by their input: Paylink must be in them."""
    wanted = {block: channel for block, channel in channels.items() if channel}
    answers = await asyncio.gather(*(_be_in(client, channel) for channel in wanted.values()))
    return {block: not_joined(code) for block, code in zip(wanted, answers, strict=True) if code}


async def _be_in(client: AsyncWebClient, channel: str) -> str | None:
    """Join a channel; Slack's code if Paylink isn't in it afterwards. Whatever Slack doesn't say in time, posting will tell."""
    try:
        async with asyncio.timeout(JOIN_SECONDS):
            try:
                await client.conversations_join(channel=channel)
            except SlackApiError as error:
                if slack_code(error) not in _NOT_JOINABLE:
                    return slack_code(error)
                # A private one shows its history to members alone.
                await client.conversations_history(channel=channel, limit=1)
    except SlackApiError as error:
        return slack_code(error)
    except SLACK_AWAY:
        return None
    return None


def _seen(delivery: Delivery) -> SettingsReference:
    return SettingsReference.read(delivery.shown.private_metadata)


def _choices(delivery: Delivery) -> Choices:
    """Raises Unreadable for what no option of ours carries."""
    try:
        return Choices(
            Creators(_chosen(delivery, ids.SETTING_CREATORS)), Told(_chosen(delivery, ids.SETTING_TOLD))
        )
    except ValueError:
        raise Unreadable("choices") from None


def _changes(delivery: Delivery, choices: Choices) -> Changes:
    """What isn't displayed stays as it is."""
    changes: Changes = {
        "creators": choices.creators,
        "administrators": _people(delivery, ids.SETTING_ADMINISTRATORS),
        "language": _chosen(delivery, ids.SETTING_LANGUAGE),
        "told_of_exceptions": (),
    }
    if choices.creators is Creators.CHOSEN:
        changes["chosen_people"] = _people(delivery, ids.SETTING_CHOSEN_PEOPLE)
    if choices.creators is Creators.GROUP:
        changes["user_group"] = _chosen(delivery, ids.SETTING_USER_GROUP) or None
    if choices.told is Told.CHANNEL:
        changes["told_of_exceptions"] = (_channel(delivery, ids.SETTING_TOLD_CHANNEL) or "",)
    if choices.told is Told.PEOPLE:
        changes["told_of_exceptions"] = _people(delivery, ids.SETTING_TOLD_PEOPLE) or ("",)
    return changes


def _unlike(seen: SettingsReference, changes: Changes) -> Changes:
    """Those that differ from what was seen. Who may create links is one decision: all that the form says of it, or nothing."""
    unlike = {name for name, value in changes.items() if not seen.is_as_seen(name, value)}
    if unlike & _WHO_MAY_CREATE:
        unlike |= _WHO_MAY_CREATE
    return cast("Changes", {name: value for name, value in changes.items() if name in unlike})


def _block_of(delivery: Delivery, name: str, choices: Choices) -> str:
    """The input of a setting, or the one whose choice would show it: where there are no user groups there is no input."""
    if name == "told_of_exceptions":
        return ids.SETTING_TOLD_PEOPLE if choices.told is Told.PEOPLE else ids.SETTING_TOLD_CHANNEL
    block = _BLOCKS.get(name, ids.SETTING_CHANNEL)
    shown = delivery.shown.state_of(block, block) is not None
    return block if shown else ids.SETTING_CREATORS


def _chosen(delivery: Delivery, name: str) -> str:
    return chosen(delivery.shown.state_of(name, name))


def _channel(delivery: Delivery, name: str) -> str | None:
    return text_at(delivery.shown.state_of(name, name), "selected_conversation") or None


def _people(delivery: Delivery, name: str) -> tuple[str, ...]:
    selected = listed(dig(delivery.shown.state_of(name, name), "selected_users"))
    return tuple(one for one in selected if isinstance(one, str))
