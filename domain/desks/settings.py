"""The organisation's settings at the desk, for its administrators."""

from datetime import datetime
from typing import Unpack

from sqlalchemy.orm import Session

from domain.desks.scoped import ScopedDesk
from domain.organisations import settings
from domain.organisations.settings import Changes, Settings
from domain.scope import Scope
from domain.states import Right
from domain.summaries import Actor


class SettingsDesk(ScopedDesk):
    async def get_settings(self, actor: Actor) -> Settings:
        return await self._read(Right.SETTINGS, actor, _get)

    async def change_settings(self, actor: Actor, **changes: Unpack[Changes]) -> Settings:
        """Set these in the person's name; what isn't given stays. Raises SettingUnusable, and then nothing is set."""
        return await self._write(Right.SETTINGS, actor, _change, actor, changes, self._clock())


def _get(session: Session, scope: Scope) -> Settings:
    return settings.get(session, scope.organisation_id)


def _change(session: Session, scope: Scope, actor: Actor, changes: Changes, now: datetime) -> Settings:
    return settings.change(session, scope.organisation_id, by=actor, now=now, **changes)
