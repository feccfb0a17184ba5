"""The domain's services in one process, in a time of their own: weeks pass at once, and processes die where they are told."""

import asyncio
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain import database as databases
from domain.coordination.abandoned_claims import end_claims
from domain.coordination.leases import Lease
from domain.database import Database
from domain.desk import Desk
from domain.imports.running import FileImports
from domain.links.creation import LinkCreation
from domain.messages import announcing, together, transactions
from domain.messages.announcing import Announcing
from domain.messages.poster_port import Posted, Poster
from domain.messages.summaries import Announcement
from domain.payments import gaps
from domain.payments.watching import Watching
from domain.rights.people import AllMembers
from domain.stripe.accounts import Accounts
from domain.stripe.client import StripeApi
from domain.stripe.pace import StripePace
from sandbox.stripe.api.rate import RateLimits
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import home_organisation

_CLOCKS = [str(databases.database_clock().compile(dialect=one.dialect())) for one in (sqlite, postgresql)]
LEASE = timedelta(seconds=20)
MARGIN = timedelta(seconds=5)


class Died(BaseException):
    """The process is killed here; nothing that it still wants to do happens."""


class Clock:
    """The one time of the database, of the business and of Stripe. It runs on by itself, too."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def seconds(self) -> float:
        return time.time() + self.ahead.total_seconds()

    def in_sql(self, clock: str) -> str:
        """What stands in a statement in place of the database's own clock, in milliseconds."""
        return f"({clock} + {self.ahead // timedelta(milliseconds=1)})"

    def install(self) -> Callable[[], None]:
        """Let all databases tell this time, until the returned function is called."""

        def tell(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> tuple[str, Any]:
            for clock in _CLOCKS:
                statement = statement.replace(clock, self.in_sql(clock))
            return statement, parameters

        sa.event.listen(sa.Engine, "before_cursor_execute", tell, retval=True)
        # A machine that has much to do is no fault.
        busy, databases.BUSY_SECONDS = databases.BUSY_SECONDS, 120.0
        pause, announcing.ONE_A_SECOND = announcing.ONE_A_SECOND, timedelta(0)
        apart, transactions.LEAST_APART = transactions.LEAST_APART, 0.0
        # By the loop's own time, of which hardly any passes here.
        again, gaps.AGAIN_AFTER = gaps.AGAIN_AFTER, 0.0
        # Few invoices are enough for some to be told together, and for others to be left over.
        more_than, together.MORE_THAN = together.MORE_THAN, 1
        at_most, together.AT_MOST = together.AT_MOST, 3

        def undo() -> None:
            databases.BUSY_SECONDS = busy
            announcing.ONE_A_SECOND, transactions.LEAST_APART = pause, apart
            together.MORE_THAN, together.AT_MOST = more_than, at_most
            gaps.AGAIN_AFTER = again
            sa.event.remove(sa.Engine, "before_cursor_execute", tell)

        return undo


class Doom:
    """Decides which passing of a crash point is the process's last."""

    def __init__(self) -> None:
        self._left = 0
        self.died_at: str | None = None

    def set(self, passings: int | None) -> None:
        """Die at the so manieth point from now on, whichever it is; None: live."""
        self._left = passings or 0
        self.died_at = None

    def pass_by(self, point: str) -> None:
        if self.died_at is None:
            self._left -= 1
            if self._left != 0:
                return
            self.died_at = point
        raise Died


class SlackChannel:
    """What was posted, with the troubles of the next posts; passes the crash points of the real poster."""

    def __init__(self, doom: Doom) -> None:
        self.posted: list[Announcement] = []
        self.troubles: list[tuple[bool, Exception]] = []
        """Whether the message is posted nevertheless, and what is raised."""
        self._doom = doom
        self._ts = itertools.count(1)

    def told(self, since: int = 0) -> list[Announcement]:
        """What the messages from that one on tell, each of those that one of them tells together."""
        return [one for message in self.posted[since:] for one in (message, *message.together)]

    async def post(self, announcement: Announcement) -> Posted:
        self._doom.pass_by("slack.chat.postMessage.before")
        posted, trouble = self.troubles.pop(0) if self.troubles else (True, None)
        if posted:
            self.posted.append(announcement)
        self._doom.pass_by("slack.chat.postMessage.after")
        if trouble is not None:
            raise trouble
        return Posted(announcement.destination, f"{next(self._ts)}.0")

    async def find(self, announcement: Announcement) -> Posted | None:
        self._doom.pass_by("slack.conversations.history.before")
        found = any(message.key == announcement.key for message in self.posted)
        self._doom.pass_by("slack.conversations.history.after")
        return Posted(announcement.destination, "0.5") if found else None


class TimelessPace(StripePace):
    """Waits for its turn by letting the time pass."""

    def __init__(self, db: Database, clock: Clock) -> None:
        super().__init__(db, 1000)
        self._passing = clock

    async def wait(self, seconds: float) -> None:
        self._passing.ahead += timedelta(seconds=max(seconds, 0))


class Process:
    """One process's services, from its start to its end."""

    _numbers = itertools.count(1)

    def __init__(
        self,
        db: Database,
        stripe: LocalStripe,
        channel: SlackChannel,
        clock: Clock,
        key: str | None = None,
    ) -> None:
        self.owner = f"process-{next(self._numbers)}"
        self._db = db
        self._api = StripeApi(key or stripe.api_key, base_url=stripe.api_url, timeout=2.0, clock=clock.now)
        accounts = Accounts(db, clock=clock.now)
        lease = Lease(self.owner, LEASE, MARGIN)
        pace = TimelessPace(db, clock)
        self.watching = Watching(db, accounts, pace, lease, poll_every=timedelta(0), clock=clock.now)
        self.creation = LinkCreation(
            db, accounts, pace, lease, clock=clock.now, catch_up=self.watching.catch_up
        )
        self._posters: dict[int, Poster] = {}
        self._channel = channel
        self.announcing = Announcing(db, self._posters, lease, clock=clock.now)
        self.imports = FileImports(db, lease, clock=clock.now)
        self.desk = Desk(
            db, accounts, self.creation, self.watching, self.imports, clock.now, people=AllMembers()
        )
        self.accounts = accounts

    async def start(self) -> "Process":
        organisation_id = self._db.run(home_organisation)
        await self.accounts.open(organisation_id, self._api)
        self._posters[organisation_id] = self._channel
        await self.know_account()
        self.watch = self.watching.get(organisation_id)
        return self

    async def know_account(self) -> None:
        """Asked again until it is known, as bot/plan.py has it: Stripe may be away at the start."""
        await self.accounts.settle()

    async def stop(self) -> None:
        """Also of one that died: whatever it had begun has met its end by then."""
        await asyncio.gather(self.creation.finish(), self.announcing.finish(), return_exceptions=True)
        await self._api.close()


async def take_over(db: Database, dead: Process) -> None:
    """What a start does for the claims of the dead (bot/run/startup.py)."""
    await db.write(end_claims, {dead.owner})


def make_stripe(clock: Clock) -> LocalStripe:
    limits = RateLimits(live=None, test=None, endpoint=None)
    return LocalStripe(clock=clock.seconds, limits=limits)
