"""The lives of a campaign's processes: each is born, armed, and dies at a point, falls silent there, or is killed at any time."""

import asyncio
import itertools
import random
import signal
import time
from collections import Counter

from tests.faults.balancing import Balancer
from tests.faults.crash_points import AIMED
from tests.faults.itinerary import Itinerary, Stop
from tests.faults.plan import ANY_TIME, Plan
from tests.faults.processes import Child, Ground
from tests.faults.slowness import Slowness, cpu_of

# By the clock of a machine that has nothing else to do: tests/faults/slowness.py.
LEASE, MARGIN = 3.0, 1.0
WEBHOOK_SECRET = "whsec_campaign"
WRONG_CLOCK = 10.0
START_SECONDS = 120.0
LOOK_SECONDS = 0.05


class Lives:
    """Those of all processes. Each slot has a sequence of chances of its own by the plan's seed."""

    def __init__(self, plan: Plan, ground: Ground, balancer: Balancer, slowness: Slowness) -> None:
        self.kills: Counter[str] = Counter()
        self.suspended = 0
        self._plan = plan
        self._ground = ground
        self._balancer = balancer
        self._slowness = slowness
        self._stretch = 1.0
        self._logs = (plan.directory / f"serve-{n}.log" for n in itertools.count())
        self._itineraries = [
            Itinerary(
                # Each its share, so that none takes what was another's turn.
                plan.points[slot :: plan.processes] or plan.points,
                plan.passings,
                plan.longest_life,
                random.Random(f"{plan.seed} itinerary {slot}"),
                AIMED,
            )
            for slot in range(plan.processes)
        ]
        self._fates = [random.Random(f"{plan.seed} process {slot}") for slot in range(plan.processes)]

    @property
    def lease(self) -> float:
        return LEASE * self._stretch

    @property
    def margin(self) -> float:
        return MARGIN * self._stretch

    async def measure(self) -> None:
        """Let one process start and end, so that it is known what leases this machine needs."""
        child = await self.bear(0)
        await self._start_or_die(child, 0)
        await child.end()
        self._stretch = self._slowness.factor

    async def go_on(self) -> None:
        """Until so many have died."""
        async with asyncio.TaskGroup() as group:
            for slot in range(self._plan.processes):
                group.create_task(self._live_and_die(slot))

    async def bear(self, slot: int, **arms: object) -> Child:
        return await self._ground.bear(
            self.environment(slot),
            next(self._logs),
            ablation=self._plan.ablation,
            # Beyond the lease: no claim may rest on a process's own clock.
            skew=self._fates[slot].uniform(-WRONG_CLOCK, WRONG_CLOCK) * self._stretch,
            stretch=self._stretch,
            **arms,
        )

    async def _live_and_die(self, slot: int) -> None:
        fate = self._fates[slot]
        while self.kills.total() < self._plan.kills:
            draw = fate.random()
            if draw < self._plan.at_points:
                await self._die_at(slot, self._itineraries[slot].next())
            elif draw < self._plan.at_points + 0.05 and self._plan.suspensions:
                await self._fall_silent(slot, fate.choice(self._plan.suspensions))
            else:
                child = await self.bear(slot)
                await asyncio.sleep(self._stretched(fate.uniform(0.05, self._plan.longest_life / 2)))
                await self._kill(child, ANY_TIME)

    async def _die_at(self, slot: int, stop: Stop) -> None:
        child = await self.bear(slot, point=stop.point, times=stop.times)
        await self._start_or_die(child, slot)
        reached = await child.died(self._stretched(stop.life))
        self._itineraries[slot].tell(stop, reached=reached)
        if reached:
            self.kills[stop.point] += 1
        else:
            await self._kill(child, ANY_TIME)

    async def _start_or_die(self, child: Child, slot: int) -> None:
        """Its life begins when it serves."""
        began = time.monotonic()
        while time.monotonic() < began + START_SECONDS:
            if await child.died(LOOK_SECONDS):
                return
            if await self._balancer.reaches(slot):
                self._slowness.note(time.monotonic() - began, cpu_of(child.pid))
                return

    async def _fall_silent(self, slot: int, point: str) -> None:
        child = await self.bear(slot, point=point, times=self._fates[slot].choice((1, 2, 3)), suspend=True)
        await self._start_or_die(child, slot)
        for _ in range(int(self._stretched(self._plan.longest_life) / 0.1)):
            await asyncio.sleep(0.1)
            if child.is_suspended():
                self.suspended += 1
                # Longer than its lease and the margin: its work is another's by now.
                await asyncio.sleep(self.lease + self.margin + 0.5)
                child.send(signal.SIGCONT)
                await asyncio.sleep(self._stretched(0.5))
                break
        await self._kill(child, ANY_TIME)

    async def _kill(self, child: Child, what: str) -> None:
        await child.end()
        self.kills[what] += 1

    def _stretched(self, seconds: float) -> float:
        return seconds * self._slowness.factor

    def environment(self, slot: int) -> dict[str, str]:
        """The settings of a process."""
        slack, stripe = self._ground.slack_state, self._ground.stripe_state
        if self._plan.transport == "socket":
            transport = {"SLACK_APP_TOKEN": slack["app_token"]}
        else:
            transport = {"SLACK_SIGNING_SECRET": slack["signing_secret"]}
        return {
            "HOME": str(self._plan.directory),
            "DATABASE_URL": self._plan.database_url,
            "SLACK_API_URL": slack["api_url"],
            "SLACK_BOT_TOKEN": slack["workspaces"][0]["bot_token"],
            "STRIPE_API_URL": stripe["api_url"],
            "STRIPE_API_KEY": stripe["api_key"],
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "PORT": str(self._balancer.targets[slot]),
            "PAYLINK_NOTIFICATION_CHANNEL": self._ground.channels[0],
            "PAYLINK_LEASE_SECONDS": str(self.lease),
            "PAYLINK_MARGIN_SECONDS": str(self.margin),
            "PAYLINK_POLL_SECONDS": "1",
            "PAYLINK_STRIPE_RATE": "100",
            **transport,
        }
