"""The words of the organisation's settings, and what is wrong with what somebody set."""

from enum import StrEnum

from domain.states import Creators

CREATORS: dict[Creators, str] = {
    Creators.EVERYONE: "Everyone",
    Creators.CHOSEN: "Chosen people",
    Creators.GROUP: "A user group",
}
"""Who may create links."""


class Told(StrEnum):
    """Who hears of exceptions."""

    NOTIFICATION_CHANNEL = "notification_channel"
    CHANNEL = "channel"
    PEOPLE = "people"


TOLD: dict[Told, str] = {
    Told.NOTIFICATION_CHANNEL: "The notification channel",
    Told.CHANNEL: "Another channel",
    Told.PEOPLE: "Chosen people, directly",
}

LANGUAGES: dict[str, str] = {
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "nl": "Nederlands",
    "pt": "Português",
    "ja": "日本語",
}
"""Each in its own language."""

NO_GROUPS = "Your workspace has no user groups. Make one in Slack, or choose other people here."
GROUPS_UNREAD = (
    "Slack doesn't tell Paylink which user groups there are. Have the app installed again from its manifest, with the scope "
    "usergroups:read, or choose people here."
)
INVITE = (
    "Paylink can't join this channel by itself, since it is private or Paylink lacks the scope channels:join. Type /invite "
    "@Paylink in the channel, then press Save again."
)

_CHANNEL = {
    "is_archived": "This channel is archived. Restore it, or choose another one.",
    "channel_not_found": INVITE,
    "not_in_channel": INVITE,
    "method_not_supported_for_channel_type": INVITE,
    "missing_scope": INVITE,
    "restricted_action": "Posting in this channel is restricted. Allow Paylink to post there, or choose another one.",
}

_UNUSABLE = {
    "chosen_people": "Choose who may create links: up to 100 people.",
    "user_group": "Choose the user group whose members may create links.",
    "administrators": "Choose up to 100 people.",
    "told_of_exceptions": "Choose a channel, or up to 100 people, who hear of exceptions.",
    "channel": "Choose a channel where payments are announced.",
}


def unusable(name: str) -> str:
    """Why a setting can't be what somebody chose."""
    return _UNUSABLE.get(name, "This can't be set.")


def not_joined(code: str) -> str:
    """Why Paylink can't be in a channel, by Slack's code, and how to mend it."""
    return _CHANNEL.get(code, f"Slack doesn't let Paylink into this channel ({code}). Choose another one.")
