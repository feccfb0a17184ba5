"""The organisation's settings at the desk, its Stripe key, and the steps of setting up."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Unpack

from sqlalchemy.orm import Session

from domain.connecting.summaries import AskFirst, Connected
from domain.desks.scoped import ScopedDesk
from domain.errors import KeyIsGiven
from domain.models import Organisation
from domain.organisations import settings, stripe_keys
from domain.organisations.settings import Changes, Settings
from domain.organisations.stripe_keys import StripeKeySummary
from domain.overview import steps
from domain.overview.summaries import Steps
from domain.rights.allowances import Costly
from domain.scope import Scope
from domain.states import Right
from domain.summaries import Actor


@dataclass(frozen=True)
class SetUp:
    """The steps of setting up, and whether the reader may take them; ``ask``: who may, by Slack's ids."""

    steps: Steps
    may: bool
    ask: tuple[str, ...] = ()


@dataclass(frozen=True)
class SettingsShown:
    """What the settings' modal shows."""

    settings: Settings
    channel: str | None
    key: StripeKeySummary | None
    key_is_given: bool
    """Whoever runs Paylink configured it, and nobody connects another."""


class SettingsDesk(ScopedDesk):
    async def get_set_up(self, actor: Actor) -> SetUp:
        found = await self._read(Right.LOOK, actor, _get_set_up)
        return replace(found, steps=self._with_key(found.steps))

    async def note_tried(self, actor: Actor) -> None:
        """They used /invoice."""
        await self._write(Right.LOOK, actor, steps.note_tried, self._clock())

    async def show_settings(self, actor: Actor) -> SettingsShown:
        shown = await self._read(Right.SETTINGS, actor, _show, actor.team_id)
        return replace(shown, key_is_given=self._connecting is None)

    async def change_settings(
        self, actor: Actor, *, channel: str | None = None, **changes: Unpack[Changes]
    ) -> Settings:
        """Set these in the person's name; what isn't given stays. Raises SettingUnusable, and then nothing is set."""
        return await self._write(Right.SETTINGS, actor, _change, actor, channel, changes, self._clock())

    async def connect_stripe(
        self, actor: Actor, key: str, signing_secret: str, *, confirmed: str
    ) -> Connected | AskFirst:
        """Check the key and keep it, if they still may once Stripe has answered. ``confirmed``: the seal of what was asked first.

        Raises KeyIsGiven, KeyUnusable, KeyLacks, SigningSecretUnusable, TooOften.
        """
        await self.check(actor, Right.SETTINGS)
        if self._connecting is None:
            raise KeyIsGiven
        self.door.spend(actor, Costly.CONNECT)
        done = await self._connecting.connect(
            actor,
            key,
            signing_secret,
            confirmed=confirmed,
            keep=lambda store: self._write(Right.SETTINGS, actor, lambda session, _: store(session)),
        )
        if isinstance(done, Connected):
            # This process needn't wait until it looks by itself.
            await self._accounts.look()
        return done

    def _with_key(self, found: Steps) -> Steps:
        return replace(found, key_is_given=self._connecting is None)


def _get_set_up(session: Session, scope: Scope) -> SetUp:
    ask = steps.whom_to_ask(session, scope.organisation_id)
    return SetUp(steps.find(session, scope), Right.SETTINGS in scope.rights, ask)


def _show(session: Session, scope: Scope, team_id: str) -> SettingsShown:
    return SettingsShown(
        settings.get(session, scope.organisation_id),
        session.get_one(Organisation, scope.organisation_id).channel,
        stripe_keys.find_summary(session, team_id),
        key_is_given=False,
    )


def _change(
    session: Session,
    scope: Scope,
    actor: Actor,
    channel: str | None,
    changes: Changes,
    now: datetime,
) -> Settings:
    if channel is not None:
        settings.change_channel(session, scope.organisation_id, channel, by=actor, now=now)
    return settings.change(session, scope.organisation_id, by=actor, now=now, **changes)
