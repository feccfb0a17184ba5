"""The domain whole, on a real database and the local Stripe, with a Slack that is a list of messages."""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import Database, insert_into
from domain.desk import Desk
from domain.imports.running import FileImports
from domain.links.creation import LinkCreation
from domain.messages.announcing import Announcing
from domain.messages.poster_port import HistoryUnreadable, NotPosted, Posted, Poster, PostUnknown
from domain.messages.summaries import Announcement
from domain.models import Organisation
from domain.organisations import organisations
from domain.outbox.enqueuing import is_person
from domain.payments.account_watch import AccountWatch
from domain.payments.watching import Watching
from domain.scope import Scope
from domain.states import Standing
from domain.stripe.account import Account
from domain.stripe.accounts import Accounts
from domain.stripe.client import StripeApi
from domain.stripe.clock import utc_now
from domain.stripe.pace import StripePace
from domain.summaries import Actor
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import TEAM, home_organisation
from tests.patience import PATIENCE

ADA = Actor(TEAM, "U0ADA")
BEN = Actor(TEAM, "U0BEN")


def patient_api(key: str, stripe: LocalStripe, clock: Callable[[], datetime] = utc_now) -> StripeApi:
    """A request may take as long as the machine wants; one without an answer is done with soon after it was sent."""
    api = StripeApi(key, base_url=stripe.api_url, timeout=PATIENCE, clock=clock)
    api.timeout = 0.2
    return api


class FakePoster:
    """Keeps what is posted, and fails as it is told: the next outcomes are taken from ``troubles``."""

    def __init__(self) -> None:
        self.posted: list[Announcement] = []
        self.troubles: list[NotPosted | PostUnknown] = []
        self.posts_in_doubt = True
        self.unreadable: str | None = None
        self._ts = itertools.count(1)

    async def post(self, announcement: Announcement) -> Posted:
        trouble = self.troubles.pop(0) if self.troubles else None
        if isinstance(trouble, PostUnknown) and self.posts_in_doubt:
            self.posted.append(announcement)
        if trouble is not None:
            raise trouble
        self.posted.append(announcement)
        return Posted(_channel_of(announcement), f"{next(self._ts)}.0")

    async def find(self, announcement: Announcement) -> Posted | None:
        if self.unreadable:
            raise HistoryUnreadable(self.unreadable)
        if is_person(announcement.destination) and announcement.conversation is None:
            raise HistoryUnreadable("not_a_channel")
        found = any(message.key == announcement.key for message in self.posted)
        return Posted(_channel_of(announcement), "0.5") if found else None


def _channel_of(announcement: Announcement) -> str:
    """Slack tells in which channel a person gets it."""
    destination = announcement.destination
    return f"D{destination}" if is_person(destination) else destination


class FakePeople:
    """Members all, but for those of whom it is said otherwise; ``asked`` are those who were asked for."""

    def __init__(self) -> None:
        self.standings: dict[str, Standing | Exception] = {}
        self.groups: dict[str, set[str]] = {}
        """Of those that aren't here nothing can be known."""
        self.asked: list[str] = []

    async def get_standing(self, actor: Actor) -> Standing:
        self.asked.append(actor.user_id)
        standing = self.standings.get(actor.user_id, Standing.MEMBER)
        if isinstance(standing, Exception):
            raise standing
        return standing

    async def find_in_group(self, actor: Actor, group: str) -> bool | None:
        return actor.user_id in self.groups[group] if group in self.groups else None


def _add_organisation(session: Session, team_id: str) -> int:
    """Without a ledger, as its first start finds it; one that is there stays as it is."""
    values = {"team_id": team_id, "name": team_id, "channel": f"C{team_id}", "add_on": True}
    session.execute(insert_into(session, Organisation).values(values).on_conflict_do_nothing())
    return organisations.get_by_team(session, team_id).id


@dataclass(frozen=True)
class Tenant:
    """An organisation as its process serves it, and one of its people."""

    id: int
    actor: Actor
    account: Account
    poster: FakePoster


class World:
    """One process's services. ``clock`` is the business's; ``advance`` moves it."""

    def __init__(
        self, db: Database, stripe: LocalStripe, *, owner: str = "one", key: str | None = None
    ) -> None:
        self.db, self.stripe = db, stripe
        self.ahead = timedelta(0)
        self.api = patient_api(key or stripe.api_key, stripe, self.clock)
        self.apis = [self.api]
        self.accounts = self.make_accounts()
        self.lease = Lease(owner, length=timedelta(seconds=2 * PATIENCE), margin=timedelta(seconds=0.2))
        pace = StripePace(db, 500)
        self.watching = Watching(
            db, self.accounts, pace, self.lease, poll_every=timedelta(0), clock=self.clock
        )
        self.creation = LinkCreation(
            db, self.accounts, pace, self.lease, clock=self.clock, catch_up=self.watching.catch_up
        )
        self.poster = FakePoster()
        self.posters: dict[int, Poster] = {}
        self.announcing = Announcing(db, self.posters, self.lease, clock=self.clock)
        self.people = FakePeople()
        self.imports = FileImports(db, self.lease, clock=self.clock)
        self.desk = Desk(
            db, self.accounts, self.creation, self.watching, self.imports, self.clock, people=self.people
        )

    def make_accounts(self) -> Accounts:
        return Accounts(self.db, clock=self.clock)

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    async def open(self) -> "World":
        """Serve the organisation TEAM, without having asked whose its Stripe account is."""
        self.organisation_id = self.db.run(home_organisation)
        self.account = await self.accounts.open(self.organisation_id, self.api)
        self.posters[self.organisation_id] = self.poster
        return self

    async def start(self) -> "World":
        await self.open()
        await self.accounts.settle()
        return self

    async def serve(
        self,
        team_id: str,
        *,
        key: str | None = None,
        stripe: LocalStripe | None = None,
    ) -> "Tenant":
        """Another organisation beside TEAM, with Slack's token of its own; by the same key of Stripe's without ``key``."""
        organisation_id = self.db.run(_add_organisation, team_id)
        api = self.api
        if key is not None:
            api = patient_api(key, stripe or self.stripe, self.clock)
            self.apis.append(api)
        account = await self.accounts.open(organisation_id, api)
        await account.settle()
        poster = FakePoster()
        self.posters[organisation_id] = poster
        return Tenant(organisation_id, Actor(team_id, "U0EVE"), account, poster)

    @property
    def watch(self) -> AccountWatch:
        """The one of TEAM's account."""
        return self.watching.get(self.organisation_id)

    @property
    def scope(self) -> Scope:
        """TEAM's."""
        return self.account.scope

    async def see(self) -> None:
        """Poll, settle and deliver, once."""
        await self.watching.poll_if_due()
        await self.watching.settle_due()
        await self.announcing.deliver_due()


@asynccontextmanager
async def world(
    db: Database, stripe: LocalStripe, *, owner: str = "one", key: str | None = None
) -> AsyncIterator[World]:
    one = World(db, stripe, owner=owner, key=key)
    try:
        yield await one.start()
    finally:
        await one.creation.finish()
        for api in one.apis:
            await api.close()
