"""Of a fake desk what settings and setting up need."""

from dataclasses import replace
from typing import Unpack

from domain.connecting.summaries import AskFirst, Connected
from domain.desks.settings import SettingsShown, SetUp
from domain.organisations.settings import Changes, Settings
from domain.states import Right
from domain.summaries import (
    Actor,
)
from tests.handlers.fake_desks.scoped import FakeScopedDesk


class FakeSettingsDesk(FakeScopedDesk):
    async def change_settings(
        self, actor: Actor, *, channel: str | None = None, **changes: Unpack[Changes]
    ) -> Settings:
        await self.check(actor, Right.SETTINGS)
        if channel is not None:
            self.organisation = replace(self.organisation, channel=channel)
        self.settings = replace(self.settings, **changes)
        return self.settings

    async def get_set_up(self, actor: Actor) -> SetUp:
        await self.check(actor, Right.LOOK)
        return SetUp(self.steps, Right.SETTINGS in self.rights)

    async def note_tried(self, actor: Actor) -> None:
        await self._asked(actor)
        self.steps = replace(self.steps, tried=True)

    async def show_settings(self, actor: Actor) -> SettingsShown:
        await self.check(actor, Right.SETTINGS)
        return SettingsShown(self.settings, self.organisation.channel, self.key, key_is_given=False)

    async def connect_stripe(
        self, actor: Actor, key: str, signing_secret: str, *, confirmed: str
    ) -> Connected | AskFirst:
        await self.check(actor, Right.SETTINGS)
        self.given.append((key, signing_secret, confirmed))
        await self.checked.wait()
        if isinstance(self.connected, Exception):
            raise self.connected
        return self.connected
