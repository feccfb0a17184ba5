"""The organisation's settings: inputs with what is set, and those that depend on a choice beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from domain.organisations.settings import MOST_NAMED, Settings
from domain.organisations.stripe_keys import StripeKeySummary
from domain.states import Creators
from handlers import ids
from handlers.references import SettingsReference
from handlers.views.blocks import Json, button, context, field, header, modal, notice, option, plain, section
from handlers.words.connecting import MODES, account_of
from handlers.words.settings import CREATORS, GROUPS_UNREAD, LANGUAGES, NO_GROUPS, TOLD, Told
from handlers.words.text import fit

Code = TypeVar("Code", bound=str)

HEADER = "Settings"
_OPTIONS = 100


@dataclass(frozen=True)
class Group:
    """A user group of Slack's."""

    id: str
    name: str


@dataclass(frozen=True)
class Choices:
    """What is chosen in the modal right now where other inputs depend on it."""

    creators: Creators
    told: Told


def chosen_by(settings: Settings) -> Choices:
    return Choices(settings.creators, told_of(settings))


def told_of(settings: Settings) -> Told:
    told = settings.told_of_exceptions
    if not told:
        return Told.NOTIFICATION_CHANNEL
    return Told.CHANNEL if told[0].startswith(("C", "G")) else Told.PEOPLE


def form(
    settings: Settings,
    channel: str | None,
    choices: Choices,
    *,
    groups: Sequence[Group] | None = None,
    key: StripeKeySummary | None = None,
    key_is_given: bool = False,
    said: str | None = None,
    seen: SettingsReference | None = None,
) -> Json:
    """``groups``: the workspace's user groups, needed where one is to be chosen; None if Slack doesn't tell them.

    ``key_is_given``: whoever runs Paylink configured the Stripe key, which nobody changes here. ``seen``: what the settings were
    when the modal was opened; as they are now, if it is opened.
    """
    blocks = [header(HEADER), *([notice(said)] if said else [])]
    blocks.append(
        _channel(
            "Notification channel",
            ids.SETTING_CHANNEL,
            channel,
            "Each paid invoice is announced there, once.",
        )
    )
    blocks += _who_may_create(settings, choices.creators, groups)
    blocks.append(
        _people(
            "Administrators",
            ids.SETTING_ADMINISTRATORS,
            settings.administrators,
            hint="Besides your workspace's owners and admins, and whoever installed Paylink.",
        )
    )
    blocks += _who_hears(settings, choices.told)
    blocks.append(
        _select(
            "Language of amounts and dates",
            ids.SETTING_LANGUAGE,
            LANGUAGES,
            settings.language,
            hint="How they are written here. Files and programs get them as ever, and the currency's code stays.",
        )
    )
    if not key_is_given:
        blocks.append(_stripe(key))
    if seen is None:
        seen = SettingsReference.of({"channel": channel, **asdict(settings)})
    return modal(
        "Paylink",
        blocks,
        callback_id=ids.SETTINGS,
        submit="Save",
        close="Cancel",
        private_metadata=str(seen),
    )


def _who_may_create(settings: Settings, chosen: Creators, groups: Sequence[Group] | None) -> list[Json]:
    blocks = [_select("Who may create links", ids.SETTING_CREATORS, CREATORS, chosen, dispatch=True)]
    if chosen is Creators.CHOSEN:
        blocks.append(
            _people("Chosen people", ids.SETTING_CHOSEN_PEOPLE, settings.chosen_people, optional=False)
        )
    if chosen is Creators.GROUP:
        blocks.append(_groups(settings, groups))
    return blocks


def _who_hears(settings: Settings, chosen: Told) -> list[Json]:
    blocks = [_select("Who hears of exceptions", ids.SETTING_TOLD, TOLD, chosen, dispatch=True)]
    told, kept = settings.told_of_exceptions, told_of(settings)
    if chosen is Told.CHANNEL:
        channel = told[0] if kept is chosen else None
        blocks.append(_channel("Channel for exceptions", ids.SETTING_TOLD_CHANNEL, channel))
    if chosen is Told.PEOPLE:
        people = told if kept is chosen else ()
        blocks.append(
            _people("People who hear of exceptions", ids.SETTING_TOLD_PEOPLE, people, optional=False)
        )
    return blocks


def _stripe(key: StripeKeySummary | None) -> Json:
    words = "Stripe isn't connected."
    if key is not None:
        words = f"Stripe: {key.shown}, {MODES[key.livemode].lower()}, {account_of(key.account, None)}"
    return section(words, block_id="stripe", accessory=button("Connect Stripe", ids.CONNECT_STRIPE))


def _channel(label: str, name: str, channel: str | None, hint: str | None = None) -> Json:
    element: Json = {
        "type": "conversations_select",
        "action_id": name,
        "placeholder": plain("Choose a channel"),
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    if channel:
        element["initial_conversation"] = channel
    return field(label, element, block_id=name, hint=hint, optional=False)


def _people(
    label: str, name: str, people: Sequence[str], *, hint: str | None = None, optional: bool = True
) -> Json:
    element: Json = {
        "type": "multi_users_select",
        "action_id": name,
        "placeholder": plain("Choose people"),
        "max_selected_items": MOST_NAMED,
    }
    if people:
        element["initial_users"] = list(people)
    return field(label, element, block_id=name, hint=hint, optional=optional)


def _groups(settings: Settings, groups: Sequence[Group] | None) -> Json:
    own = settings.user_group
    known = [*(groups or ())][:_OPTIONS]
    if own is not None and all(one.id != own for one in known):
        known = [Group(own, own), *known][:_OPTIONS]
    if not known:
        return context(GROUPS_UNREAD if groups is None else NO_GROUPS, block_id=ids.SETTING_USER_GROUP)
    options = {one.id: option(fit(one.name, 75), one.id) for one in known}
    element = _static(ids.SETTING_USER_GROUP, list(options.values()), options.get(own or ""))
    return field("User group", element, block_id=ids.SETTING_USER_GROUP, optional=False)


def _select(
    label: str,
    name: str,
    words: Mapping[Code, str],
    value: Code,
    *,
    hint: str | None = None,
    dispatch: bool = False,
) -> Json:
    options = {code: option(said, code) for code, said in words.items()}
    element = _static(name, list(options.values()), options[value])
    return field(label, element, block_id=name, hint=hint, optional=False, dispatch=dispatch)


def _static(name: str, options: list[Json], initial: Json | None) -> Json:
    element: Json = {"type": "static_select", "action_id": name, "options": options}
    if initial is not None:
        element["initial_option"] = initial
    return element
