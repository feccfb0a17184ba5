"""The door: whoever comes in for something may do it now, which is decided in the transaction that does it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from domain import audit
from domain.database import Database
from domain.errors import NotAllowed, StandingUnknown
from domain.organisations.settings import Settings
from domain.rights.allowances import Allowances, Costly
from domain.rights.people import Known, People
from domain.rights.rules import Person, may
from domain.scope import DEFAULT_LANGUAGE, LANGUAGE, Scope
from domain.states import Creators, Right, Source, Standing
from domain.stripe.accounts import Accounts
from domain.summaries import Actor

T = TypeVar("T")
Enter = Callable[[Session], Scope]
"""The first thing in a transaction. Raises NotAllowed, OrganisationUnknown."""

# How often the settings may name another user group while somebody is asked about.
_ATTEMPTS = 3


class _GroupUnasked(Exception):
    """Whether they may depends on a user group that wasn't asked for. Slack can't be asked in a transaction."""

    def __init__(self, group: str) -> None:
        super().__init__(group)
        self.group = group


class Door:
    def __init__(
        self, db: Database, accounts: Accounts, people: People, clock: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._people = people
        self._clock = clock
        self._allowances = Allowances()

    def spend(self, actor: Actor, costly: Costly) -> None:
        """Raises TooOften."""
        self._allowances.spend(actor, costly, now=self._clock())

    async def pass_through(self, actor: Actor, deed: Right, act: Callable[[Enter], Awaitable[T]]) -> T:
        """What comes of ``act``, whose transactions begin with what it is given: they may be run more than once.

        Raises NotAllowed and StandingUnknown, and audits them, unless it is Paylink that looks for somebody: nobody asked, a view is
        drawn anew.
        """
        try:
            return await self._attempt(actor, deed, act)
        except (NotAllowed, StandingUnknown):
            if actor.source is not Source.PAYLINK:
                await self._db.write(self._record, actor, deed)
            raise

    async def sort_out(self, actors: Iterable[Actor], deed: Right) -> dict[Actor, Scope | NotAllowed]:
        """Of people of one workspace, within what each stays, or why they may not do this; without those of whom Slack says nothing."""
        asked = tuple(actors)
        answers = await asyncio.gather(*map(self._people.get_standing, asked), return_exceptions=True)
        known = {}
        for actor, answer in zip(asked, answers, strict=True):
            if isinstance(answer, BaseException) and not isinstance(answer, StandingUnknown):
                raise answer
            if isinstance(answer, Standing):
                known[actor] = Known(answer)
        for _ in range(_ATTEMPTS):
            try:
                decided = await self._db.background_read(self._decide, known, deed)
            except _GroupUnasked as unasked:
                for actor in known:
                    is_in = await self._people.find_in_group(actor, unasked.group)
                    known[actor] = known[actor].with_group(unasked.group, is_in)
            else:
                for one in decided.values():
                    if isinstance(one, Scope):
                        LANGUAGE.set(one.language)
                return decided
        return {}

    def _decide(
        self, session: Session, known: Mapping[Actor, Known], deed: Right
    ) -> dict[Actor, Scope | NotAllowed]:
        decided: dict[Actor, Scope | NotAllowed] = {}
        for actor, one in known.items():
            try:
                decided[actor] = _Entry(self._accounts, actor, deed, one).enter(session)
            except NotAllowed as refusal:
                decided[actor] = refusal
            except StandingUnknown:
                continue
        return decided

    async def _attempt(self, actor: Actor, deed: Right, act: Callable[[Enter], Awaitable[T]]) -> T:
        standing = Standing.MEMBER if actor.is_program else await self._people.get_standing(actor)
        known = Known(standing)
        for _ in range(_ATTEMPTS):
            entry = _Entry(self._accounts, actor, deed, known)
            try:
                return await act(entry.enter)
            except _GroupUnasked as unasked:
                is_in = await self._people.find_in_group(actor, unasked.group)
                known = known.with_group(unasked.group, is_in)
            finally:
                # Refusals have amounts in them, too.
                LANGUAGE.set(entry.language)
        raise StandingUnknown

    def _record(self, session: Session, actor: Actor, deed: Right) -> None:
        scope = self._accounts.get_scope(session, actor.team_id)
        audit.record(
            session,
            audit.Deed.ACT_REFUSED,
            deed.value,
            by=actor,
            now=self._clock(),
            organisation_id=scope.organisation_id,
            result=audit.Result.REFUSED,
        )


class _Entry:
    def __init__(self, accounts: Accounts, actor: Actor, deed: Right, known: Known) -> None:
        self._accounts = accounts
        self._actor = actor
        self._deed = deed
        self._known = known
        self.language = DEFAULT_LANGUAGE
        """The organisation's, once a person has come in: programs read amounts as ever."""

    def enter(self, session: Session) -> Scope:
        actor, known = self._actor, self._known
        scope, entered = self._accounts.enter(session, actor.team_id)
        ask: tuple[str, ...] = ()
        chosen, installer = entered.settings, entered.installer
        if actor.is_program:
            rights = actor.rights
        else:
            self.language = chosen.language
            administrators = (*chosen.administrators, *((installer,) if installer else ()))
            person = _person(actor, known, chosen, administrators)
            rights, ask = frozenset(deed for deed in Right if may(person, deed)), administrators
        if self._deed not in rights:
            if None in known.groups.values() and may(replace(person, in_group=True), self._deed):
                raise StandingUnknown
            raise NotAllowed(self._deed, known.standing, ask)
        return replace(scope, rights=rights, zone=chosen.zone, language=self.language)


def _person(actor: Actor, known: Known, chosen: Settings, administrators: tuple[str, ...]) -> Person:
    in_group = False
    if chosen.creators is Creators.GROUP and chosen.user_group is not None:
        if chosen.user_group not in known.groups:
            raise _GroupUnasked(chosen.user_group)
        in_group = known.groups[chosen.user_group] is True
    return Person(
        standing=known.standing,
        administers=actor.user_id in administrators,
        chosen=actor.user_id in chosen.chosen_people,
        creators=chosen.creators,
        in_group=in_group,
    )
