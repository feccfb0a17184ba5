"""An organisation's settings: who may do what, who hears of exceptions, and how amounts and dates are written.

They are read in the transaction of the act that they decide on, so that a change counts at once in every process.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, TypedDict, Unpack
from zoneinfo import available_timezones

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.database import insert_into
from domain.models import Installation, Organisation, OrganisationSettings
from domain.states import Creators

LANGUAGES = ("en", "de", "es", "fr", "it", "nl", "pt", "ja")
MOST_NAMED = 100
"""People of one setting."""
_PERSON = re.compile(r"[UW][A-Z0-9]{1,50}", re.ASCII)
_GROUP = re.compile(r"S[A-Z0-9]{1,50}", re.ASCII)
_CHANNEL = re.compile(r"[CG][A-Z0-9]{1,50}", re.ASCII)


class SettingUnusable(Exception):
    """A setting can't be that. ``name`` is the setting's."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Settings:
    """As set, or as it is where nothing was. People, groups and channels are Slack's ids."""

    creators: Creators = Creators.EVERYONE
    chosen_people: tuple[str, ...] = ()
    """Who may create links while ``creators`` says so; guests among them may look."""
    user_group: str | None = None
    administrators: tuple[str, ...] = ()
    """Who is named, besides those who are administrators anyway."""
    told_of_exceptions: tuple[str, ...] = ()
    """People, or one channel; nobody for the notification channel."""
    language: str = "en"
    zone: str = "UTC"


class Changes(TypedDict, total=False):
    """What is to be set; what isn't there stays."""

    creators: Creators
    chosen_people: tuple[str, ...]
    user_group: str | None
    administrators: tuple[str, ...]
    told_of_exceptions: tuple[str, ...]
    language: str
    zone: str


def get(session: Session, organisation_id: int) -> Settings:
    row = session.get(OrganisationSettings, organisation_id)
    return Settings() if row is None else read(row)


def get_with_installer(session: Session, organisation_id: int) -> tuple[Settings, str | None]:
    """With who installed Paylink, if anybody did."""
    installed = sa.select(Installation.installed_by).where(Installation.organisation_id == organisation_id)
    return get(session, organisation_id), session.scalar(installed)


def change(
    session: Session, organisation_id: int, *, by: audit.By, now: datetime, **changes: Unpack[Changes]
) -> Settings:
    """Set these; each that differs is in the audit with what it was. Raises SettingUnusable, and then nothing is set."""
    session.execute(
        insert_into(session, OrganisationSettings)
        .values(organisation_id=organisation_id)
        .on_conflict_do_nothing()
    )
    row = session.get_one(OrganisationSettings, organisation_id, with_for_update=True)
    before = read(row)
    after = replace(before, **changes)
    after = replace(
        after,
        chosen_people=_each_once(after.chosen_people),
        administrators=_each_once(after.administrators),
        told_of_exceptions=_each_once(after.told_of_exceptions),
    )
    _check(after)
    was, becomes = asdict(before), asdict(after)
    for name in becomes:
        if becomes[name] == was[name]:
            continue
        setattr(row, name, ",".join(becomes[name]) if isinstance(becomes[name], tuple) else becomes[name])
        audit.record(
            session,
            audit.Deed.SETTING_CHANGED,
            name,
            by=by,
            now=now,
            organisation_id=organisation_id,
            before=_said(was[name]),
            after=_said(becomes[name]),
        )
    session.flush()
    return after


def begin_with_zone(
    session: Session, organisation_id: int, zone: str, *, by: audit.By, now: datetime
) -> None:
    """The zone of whoever installs Paylink, as long as nobody has set anything; nothing for what is no zone, or is UTC."""
    unset = session.get(OrganisationSettings, organisation_id) is None
    if unset and zone in available_timezones() - {"UTC", "Etc/UTC"}:
        change(session, organisation_id, by=by, now=now, zone=zone)


def change_channel(
    session: Session, organisation_id: int, channel: str, *, by: audit.By, now: datetime
) -> None:
    """Set the notification channel, and forget what was wrong with the one before. Raises SettingUnusable."""
    if not _CHANNEL.fullmatch(channel):
        raise SettingUnusable("channel")
    organisation = session.get_one(Organisation, organisation_id, with_for_update=True)
    before, organisation.channel_problem = organisation.channel, None
    if before == channel:
        return
    organisation.channel = channel
    audit.record(
        session,
        audit.Deed.SETTING_CHANGED,
        "channel",
        by=by,
        now=now,
        organisation_id=organisation_id,
        before=_said(before),
        after=channel,
    )


def read(row: Any) -> Settings:
    """Of a row with the table's columns, which has none of its values where nothing was set, or of the model."""
    if row.organisation_id is None:
        return Settings()
    return Settings(
        creators=row.creators,
        chosen_people=_ids(row.chosen_people),
        user_group=row.user_group,
        administrators=_ids(row.administrators),
        told_of_exceptions=_ids(row.told_of_exceptions),
        language=row.language,
        zone=row.zone,
    )


def _ids(text: str) -> tuple[str, ...]:
    return tuple(one for one in text.split(",") if one)


def _each_once(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "nobody"
    return str(value or "none")


def _check(settings: Settings) -> None:
    if not _are_people(settings.administrators):
        raise SettingUnusable("administrators")
    if not _are_people(settings.chosen_people):
        raise SettingUnusable("chosen_people")
    if settings.creators is Creators.CHOSEN and not settings.chosen_people:
        raise SettingUnusable("chosen_people")
    group = settings.user_group
    if _GROUP.fullmatch(group or "") is None and (group is not None or settings.creators is Creators.GROUP):
        raise SettingUnusable("user_group")
    told = settings.told_of_exceptions
    if not _are_people(told) and not (len(told) == 1 and _CHANNEL.fullmatch(told[0])):
        raise SettingUnusable("told_of_exceptions")
    if settings.language not in LANGUAGES:
        raise SettingUnusable("language")
    if settings.zone not in available_timezones():
        raise SettingUnusable("zone")


def _are_people(ids: Iterable[str]) -> bool:
    named = tuple(ids)
    return len(named) <= MOST_NAMED and all(_PERSON.fullmatch(one) for one in named)
