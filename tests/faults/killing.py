"""Kill Paylink over and over while people and buyers go on, then audit.

Everything runs as it does in production: `paylink serve` processes over Slack's and Stripe's protocols on a real
database. Only that they die at named points (tests/faults/crash_points.py) and that the services fail on demand.
"""

import asyncio
import contextlib
import itertools
import random
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.migrations import prepare, upgrade
from domain.models import Organisation
from domain.organisations import organisations
from domain.stripe.ledgers.opening import open_ledger
from tests.faults import auditing
from tests.faults.balancing import Balancer
from tests.faults.evidence import Evidence, count_behind, count_open, count_payments, gather
from tests.faults.invoices import add_invoices, numbers_without_link, reserve_elsewhere
from tests.faults.lives import WEBHOOK_SECRET, Lives
from tests.faults.own_database import OwnDatabase
from tests.faults.people import Buyers, Interrupted, Person
from tests.faults.plan import Plan, Report
from tests.faults.processes import Ground
from tests.faults.slowness import Slowness
from tests.faults.troubles import Weather, comes

CONNECTIONS_CUT_EVERY = 7.0
ACK_SECONDS = 1.5


class Campaign:
    """One run of a plan on the given ground.

    Each process, person and trouble has a sequence of chances of its own by the plan's seed: a run with that seed kills,
    suspends and fails in the same way. How far each of them has come by then is up to the machine.
    """

    def __init__(self, plan: Plan, ground: Ground, balancer: Balancer) -> None:
        self.plan = plan
        self.interruptions = 0
        self.connections_cut = 0
        self.servers_killed = 0
        self._ground = ground
        self._db = OwnDatabase(plan.database_url)
        self._slowness = Slowness()
        self._lives = Lives(plan, ground, balancer, self._slowness)
        self._people = [Person(ground, user, self._slowness) for user in ground.people]
        self._buyers = Buyers(ground, self._db, random.Random(plan.seed + 1))
        self._weather = Weather(ground, random.Random(plan.seed + 2), self._slowness, plan.answers_lost)
        self._balancer = balancer
        self._done = asyncio.Event()

    def _chances(self, whose: str) -> random.Random:
        return random.Random(f"{self.plan.seed} {whose}")

    async def run(self) -> Report:
        began = time.monotonic()
        try:
            await self._prepare()
            async with asyncio.TaskGroup() as group:
                working = [
                    *(group.create_task(self._create(person)) for person in self._people),
                    group.create_task(self._buy()),
                    group.create_task(self._create_elsewhere()),
                    group.create_task(self._weather.change_until(self._done)),
                    group.create_task(self._cut_connections()),
                    group.create_task(self._kill_server()),
                ]
                await self._lives.go_on()
                self._done.set()
                await asyncio.wait(working)
            evidence = await self._settle()
        finally:
            await self._db.close()
        return Report(
            self.plan,
            evidence,
            self._audit(evidence),
            self._lives.kills,
            self._lives.suspended,
            self._weather.struck,
            self._weather.outages,
            self.connections_cut,
            self.servers_killed,
            time.monotonic() - began,
        )

    def _audit(self, evidence: Evidence) -> list[str]:
        found = auditing.audit(evidence, set().union(*(person.promised for person in self._people)))
        return [*found, *auditing.audit_order(evidence)] if self._db.is_sqlite else found

    async def _prepare(self) -> None:
        if self._db.is_sqlite:
            prepare(self._db.engine)
        else:
            upgrade(self._db.engine)
        slack, stripe = self._ground.slack, self._ground.stripe
        team = self._ground.slack_state["workspaces"][0]
        for n, channel in enumerate(self._ground.channels):
            team_id = team["team_id"] if n == 0 else f"T0ELSEWHERE{n}"
            self._db.run(organisations.ensure, team_id, team["name"], channel)
        self._organisations = self._db.run(_organisations)
        for organisation_id in self._organisations:
            account = self._ground.stripe_state["account"]
            self._ledger = self._db.run(open_ledger, organisation_id, False, account, datetime.now(UTC))
        await self._lives.measure()
        limits = {"messages_per_second": 100, "message_burst": 100, "calls_kept": 1000}
        await slack.post("limits", limits | {"ack_seconds": ACK_SECONDS * self._slowness.factor})
        await stripe.post("limits", {"live": None, "test": None, "endpoint": None})
        hook = {"url": f"{self._balancer.url}/stripe/webhook", "secrets": [WEBHOOK_SECRET]}
        await stripe.post("webhooks", hook)
        await stripe.post("webhook_rules", {"duplicate": 0.1, "delay": [0.0, 1.5], "retry_after": [0.3, 1.0]})
        await stripe.post("event_rules", {"delay": [0.0, 1.0], "shuffle": True, "duplicate": 0.05})
        await self._weather.begin()

    # People and buyers

    async def _create(self, person: Person) -> None:
        chances = self._chances(f"person {self._people.index(person)}")
        for batch in itertools.count():
            numbers = await self._batch(person, batch)
            while missing := await self._db.read(numbers_without_link, numbers):
                if self._done.is_set():
                    return
                try:
                    if chances.random() < 0.15:
                        await person.create_one(chances.choice(missing))
                    else:
                        await person.create_all(numbers[0].partition("-")[0], numbers)
                except Interrupted:
                    self.interruptions += 1
                    await asyncio.sleep(0.05)
            if await self._is_done_before_fewer_wait_than(3 * self.plan.batch):
                return

    async def _batch(self, person: Person, batch: int) -> list[str]:
        """The same invoices for everybody, since two at once must not make two links."""
        prefix = f"B{batch:04}"
        # Few at a time as well, so that runs begin often.
        count = self.plan.batch if batch % 3 == 0 else max(1, self.plan.batch // 10)
        numbers = [f"{prefix}-{n:03}" for n in range(count)]
        if person is self._people[0]:
            await self._db.write(add_invoices, self._organisations[0], numbers)
        return numbers

    async def _create_elsewhere(self) -> None:
        """What people of other organisations ask for, put where their submissions would have put it."""
        for batch in itertools.count():
            numbers = [f"E{batch:04}-{n}" for n in range(self.plan.batch // 10)]
            for organisation_id in self._organisations[1:]:
                await self._db.write(reserve_elsewhere, organisation_id, self._ledger, numbers)
            if await self._is_done_before_fewer_wait_than(self.plan.batch // 2):
                return

    async def _is_done_before_fewer_wait_than(self, links: int) -> bool:
        while not self._done.is_set():
            if (await self._db.read(count_open))[0] < links:
                return False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), 0.1)
        return True

    async def _buy(self) -> None:
        while not self._done.is_set():
            await self._buyers.pay_new(self.plan.share_paid)
            await asyncio.sleep(0.2)

    async def _cut_connections(self) -> None:
        """PostgreSQL drops everybody else's connections now and then, in the middle of whatever they do."""
        while not self._db.is_sqlite and not await comes(self._done, CONNECTIONS_CUT_EVERY):
            self.connections_cut += await self._db.cut_connections_of_others()

    async def _kill_server(self) -> None:
        """PostgreSQL itself dies now and then, and all connections with it."""
        chances, every = self._chances("server"), self.plan.server_killed_every
        while self.plan.server is not None and not await comes(self._done, chances.uniform(0.5, 1.5) * every):
            await self.plan.server.kill(chances)
            self.servers_killed += 1

    # The end

    async def _until_quiet(self, seconds: Callable[[], float]) -> None:
        """Let the living finish the work; what stands still for so long is found by the audit."""
        moved_at, quiet, before = time.monotonic(), 0, None
        while quiet < 3 and time.monotonic() < moved_at + seconds():
            await asyncio.sleep(0.5)
            await self._buyers.pay_new(self.plan.share_paid)
            waiting = await self._db.read(count_open)
            unseen = self._buyers.payments - await self._db.read(count_payments)
            unseen += await count_behind(self._ground, self._db)
            if (waiting, unseen) != before:
                before, moved_at = (waiting, unseen), time.monotonic()
            quiet = 0 if any(waiting) or unseen > 0 else quiet + 1

    async def _settle(self) -> Evidence:
        """Clear the faults, let living processes finish the work, and look at what is there then."""
        await self._weather.end()
        children = [await self._lives.bear(slot) for slot in range(self.plan.processes)]
        await self._until_quiet(lambda: self.plan.settle_seconds * self._slowness.factor)
        for child in children:
            await child.end(signal.SIGTERM)
        return await gather(self._ground, self._db)


def _organisations(session: Session) -> list[int]:
    return list(session.scalars(sa.select(Organisation.id).order_by(Organisation.id)))


async def run(plan: Plan) -> Report:
    """Carry out the plan on fresh services; the database is the plan's, and empty."""
    async with Balancer(plan.processes) as balancer:
        request_url = f"{balancer.url}/slack/events" if plan.transport == "http" else None
        async with Ground(plan.directory, request_url=request_url, seed=plan.seed) as ground:
            return await Campaign(plan, ground, balancer).run()
