"""An upgrade and the way back under load: `python -m tests.faults.rolling --before TREE --database postgresql`.

TREE is a checkout of the version before, with a virtual environment of its own (`git worktree add TREE REV`, then `make lint` there). Two processes work on one database while people create links and buyers pay: first both of the version before; then this
version brings the schema up to date beside them; then one is of either version, then both are of this one. Then the way back as
docs/how-to/upgrade.md has it, and forward again. In the end the database, Stripe and Slack are compared row by row, as after a campaign.
The exit status is 1 if anything was doubled, lost or refused that shouldn't have been, or the other way round.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Ledger, Link, OutboxMessage
from tests.faults import people
from tests.faults.balancing import Balancer
from tests.faults.campaign import place_for
from tests.faults.evidence import gather
from tests.faults.killing import Campaign
from tests.faults.lives import WEBHOOK_SECRET
from tests.faults.plan import Plan
from tests.faults.processes import ROOT, Ground

READY_SECONDS, END_SECONDS, PHASE_SECONDS, SETTLE_SECONDS = 120.0, 60.0, 600.0, 120.0
VIEW_SECONDS = 30.0
PEOPLE = 3
# Nothing dies here, and nobody's claim may end while a busy machine works on it.
UNHURRIED = {"PAYLINK_LEASE_SECONDS": "60", "PAYLINK_MARGIN_SECONDS": "10"}


class Version:
    """``tree``: where its code and its virtual environment are."""

    def __init__(self, name: str, tree: Path) -> None:
        self.name = name
        self._tree = tree
        self.python = tree / ".venv" / "bin" / "python"

    async def begin(self, env: dict[str, str], *arguments: str) -> Process:
        return await asyncio.create_subprocess_exec(
            self.python, "-m", "bot", *arguments, cwd=self._tree, env=env, stdout=PIPE, stderr=PIPE
        )

    async def run(self, env: dict[str, str], *arguments: str) -> tuple[int | None, str]:
        """The exit status, and what was said."""
        process = await self.begin(env, *arguments)
        said, complained = await process.communicate()
        return process.returncode, (complained or said).decode().strip()


class Serving:
    """One `paylink serve` of a version; ``log``: what it wrote."""

    def __init__(self, version: Version, process: Process) -> None:
        self.version = version
        self._process = process
        self._drained = asyncio.create_task(process.communicate())

    async def end(self) -> list[str]:
        """What is wrong with how it worked and ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        said, complained = await asyncio.wait_for(self._drained, END_SECONDS)
        failed = [line for line in map(json.loads, said.decode().splitlines()) if line["level"] == "error"]
        # A lock that isn't had in time on a busy machine is tried for again: nothing wrong by itself, and told.
        waited = [line["event"] for line in failed if line.get("error") == "DatabaseUnavailable"]
        _tell({"version": self.version.name, "locks not had in time": len(waited), "of": sorted(set(waited))})
        wrong = [
            f"{self.version.name} logged {line['event']}: {line.get('error', '')} {line.get('exception', '')}"
            for line in failed
            if line.get("error") != "DatabaseUnavailable"
        ]
        if self._process.returncode != 0 or complained:
            wrong.append(
                f"{self.version.name} ended with {self._process.returncode}: {complained.decode()[-500:]}"
            )
        return wrong


class Rolling(Campaign):
    """The campaign's people and buyers, on processes of two versions of which none is killed."""

    def __init__(
        self, plan: Plan, ground: Ground, balancer: Balancer, before: Version, now: Version, least: int
    ) -> None:
        super().__init__(plan, ground, balancer)
        self._before, self._now, self._least = before, now, least
        self._serving: list[Serving | None] = [None, None]
        self.wrong: list[str] = []

    async def go(self) -> list[str]:
        try:
            await self._furnish()
            async with asyncio.TaskGroup() as group:
                working = [
                    *(group.create_task(self._create(person)) for person in self._people),
                    group.create_task(self._buy()),
                ]
                await self._roll()
                self._done.set()
                await asyncio.wait(working)
            await self._until_quiet(lambda: SETTLE_SECONDS)
            evidence = await gather(self._ground, self._db)
            self.wrong += self._audit(evidence)
            self.wrong += await self._end_all()
            await self._command(self._now, ("audit", "verify"), 0)
            _tell(
                {"links": len(evidence.links), "payments": len(evidence.sessions), "wrong": len(self.wrong)}
            )
        finally:
            for one in self._serving:
                if one is not None:
                    await one.end()
            await self._db.close()
        return self.wrong

    async def _furnish(self) -> None:
        self._environments = [{**self._lives.environment(slot), **UNHURRIED} for slot in range(2)]
        # People wait for what it does late.
        people.VIEW_SECONDS = VIEW_SECONDS
        await self._command(self._before, ("db", "upgrade"), 0)
        self._old_schema = await self._db.read(_schema)
        slack, stripe = self._ground.slack, self._ground.stripe
        await slack.post(
            "limits",
            {"messages_per_second": 100, "message_burst": 100, "ack_seconds": 15, "calls_kept": 1000},
        )
        await stripe.post("limits", {"live": None, "test": None, "endpoint": None})
        hook = {"url": f"{self._balancer.url}/stripe/webhook", "secrets": [WEBHOOK_SECRET]}
        await stripe.post("webhooks", hook)
        for slot in range(2):
            await self._serve(slot, self._before)
        # The first start makes the organisation.
        self._organisations = [await self._db.read(_organisation)]
        self._ledger = await self._db.read(lambda session: session.scalars(sa.select(Ledger.id)).one())

    async def _roll(self) -> None:
        before, now = self._before, self._now
        await self._work("before + before")
        await self._command(now, ("serve",), 2)
        await self._command(now, ("db", "upgrade"), 0)
        await self._command(before, ("serve",), 2)
        await self._work("before + before, on the new schema")
        await self._replace(0, now)
        await self._work("now + before")
        await self._replace(1, now)
        await self._work("now + now")
        self.wrong += await self._end_all()
        await self._db.write(_set_schema, self._old_schema)
        for slot in range(2):
            await self._serve(slot, before)
        await self._work("the way back: before + before")
        await self._command(now, ("db", "upgrade"), 0)
        for slot in range(2):
            await self._replace(slot, now)
        await self._work("forward again: now + now")

    async def _work(self, phase: str) -> None:
        """Until so much was done, however long a busy machine takes for it."""
        began, before = time.monotonic(), await self._count()
        done = dict.fromkeys(before, 0)
        while min(done.values()) < self._least and time.monotonic() < began + PHASE_SECONDS:
            await asyncio.sleep(0.5)
            done = {what: count - before[what] for what, count in (await self._count()).items()}
        _tell({"phase": phase, **done, "seconds": round(time.monotonic() - began)})
        if min(done.values()) < self._least:
            self.wrong.append(f"{phase}: no more than {done}")

    async def _count(self) -> dict[str, int]:
        links, messages = await self._db.read(_count_links), await self._db.read(_count_posted)
        return {"links": links, "payments": self._buyers.payments, "messages": messages}

    async def _serve(self, slot: int, version: Version) -> None:
        process = await version.begin(self._environments[slot], "serve")
        self._serving[slot] = Serving(version, process)
        url = f"http://127.0.0.1:{self._balancer.targets[slot]}/readyz"
        async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as session:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(url) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.1)

    async def _replace(self, slot: int, version: Version) -> None:
        one = self._serving[slot]
        assert one is not None
        self._serving[slot] = None
        self.wrong += await one.end()
        await self._serve(slot, version)

    async def _end_all(self) -> list[str]:
        wrong = []
        for slot, one in enumerate(self._serving):
            if one is not None:
                self._serving[slot] = None
                wrong += await one.end()
        return wrong

    async def _command(self, version: Version, arguments: Sequence[str], expected: int) -> None:
        began = time.monotonic()
        status, said = await version.run({**self._environments[0], "PORT": "0"}, *arguments)
        seconds = round(time.monotonic() - began, 1)
        _tell(
            {
                "version": version.name,
                "command": " ".join(arguments),
                "status": status,
                "said": said,
                "seconds": seconds,
            }
        )
        if status != expected:
            self.wrong.append(f"{version.name} {' '.join(arguments)} ended with {status}: {said}")


def _schema(session: Session) -> str:
    return str(session.scalar(sa.text("SELECT version_num FROM alembic_version")))


def _set_schema(session: Session, revision: str) -> None:
    """As docs/how-to/upgrade.md has it."""
    session.execute(sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def _organisation(session: Session) -> int:
    return int(session.execute(sa.text("SELECT id FROM organisations")).scalar_one())


def _count_links(session: Session) -> int:
    return session.scalars(sa.select(sa.func.count(Link.id)).where(Link.state == "created")).one()


def _count_posted(session: Session) -> int:
    """One that is told with others counts for itself."""
    return session.scalars(
        sa.select(sa.func.count(OutboxMessage.id)).where(OutboxMessage.state == "posted")
    ).one()


def _tell(what: object) -> None:
    print(json.dumps(what), flush=True)


async def run(plan: Plan, before: Version, now: Version, least: int) -> list[str]:
    """What is wrong afterwards, in sentences; the database is the plan's, and empty."""
    async with (
        Balancer(plan.processes) as balancer,
        Ground(plan.directory, request_url=None, people=PEOPLE, channels=1, seed=plan.seed) as ground,
    ):
        return await Rolling(plan, ground, balancer, before, now, least).go()


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.rolling")
    parser.add_argument("--before", type=Path, required=True, help="a checkout of the version before")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--least", type=int, default=30, help="links, payments and messages in each phase")
    given = parser.parse_args(argv)
    before, now = Version("before", given.before.resolve()), Version("now", ROOT)
    with place_for(given.database) as place:
        plan = Plan(place.database_url, place.directory, kills=0, processes=2, batch=30)
        wrong = asyncio.run(run(plan, before, now, given.least))
    for sentence in wrong[:50]:
        print(sentence)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
