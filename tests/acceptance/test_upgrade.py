"""The schema is brought up to date by a later version while `paylink serve` of this one works on it."""

import asyncio
import contextlib
import math
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.migrations import REVISIONS
from domain.models import Invoice, Link, OutboxMessage, Payment
from sandbox.slack import LocalSlack
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.acceptance.conftest import WEBHOOK_SECRET, Worlds, text_of
from tests.acceptance.later import REVISION
from tests.patience import PATIENCE, quiet_port

ROOT = Path(__file__).parents[2]
HEADING = "number,buyer_name,buyer_email,billing_amount,currency,issue_date,due_date,description\n"
IN_THE_RUN, IMPORTED, PAID = 90, 10_000, 6


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def bare(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Worlds]:
    """Worlds whose database has no schema yet."""
    url = f"sqlite:///{tmp_path}/data/paylink.sqlite3"
    if request.param == "postgresql":
        url = request.getfixturevalue("blank_postgresql_url")
    async with AsyncExitStack() as stack:
        yield Worlds(stack, url, tmp_path)


@dataclass
class Company:
    """A company that uses Paylink, and its processes."""

    worlds: Worlds
    slack: LocalSlack
    stripe: LocalStripe
    alice: str
    channel: str
    env: dict[str, str]
    db: Database = field(init=False)

    def __post_init__(self) -> None:
        self.db = Database(self.worlds.database_url)

    async def begin(self, module: str, *arguments: str, **more: str) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            env=self.env | {"PYTHONPATH": str(ROOT)} | more,
            cwd=self.worlds.directory,
            stdout=PIPE,
            stderr=PIPE,
        )

    async def run(self, module: str, *arguments: str, **more: str) -> tuple[int | None, str]:
        """The exit status, and what was said to the person at the terminal."""
        process = await self.begin(module, *arguments, **more)
        said, complained = await process.communicate()
        return process.returncode, (complained or said).decode()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Process]:
        """`paylink serve`, which ends well."""
        process = await self.begin("bot", "serve")
        drained = asyncio.create_task(process.communicate())
        try:
            await self.slack.connected()
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            _, errors = await drained
        assert (process.returncode, errors) == (0, b"")

    def invoices(self, name: str, count: int) -> str:
        path = self.worlds.directory / f"{name}.csv"
        lines = (f"{name}-{n},Buyer {n},,10.00,USD,,2026-11-30,\n" for n in range(1, count + 1))
        path.write_text(HEADING + "".join(lines))
        return str(path)

    def top(self) -> str:
        views = self.slack.workspace.views(self.alice)
        return text_of(views[-1].payload) if views else ""

    async def until(self, *words: str) -> None:
        """The visible modal says them all."""
        await self.when(lambda: all(word in self.top() for word in words))

    async def when(self, there: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not there():  # noqa: ASYNC110 - no one event tells of all these changes
                await asyncio.sleep(0.01)

    async def start_run(self) -> None:
        workspace = self.slack.workspace
        await workspace.command(self.alice, self.channel, "/invoices run")
        await self.until("Billing Invoices")
        await workspace.press(self.alice, workspace.top(self.alice).id, "Select All on This Page")
        await self.until(f"{IN_THE_RUN} of at most 100 ticked")
        await workspace.submit(self.alice, workspace.top(self.alice).id)
        await self.until("Create Invoice Online Payment Links")
        await workspace.submit(self.alice, workspace.top(self.alice).id)

    async def pay(self, links: slice) -> list[str]:
        """Once there are so many links; the numbers of the invoices."""
        await self.when(lambda: len(self.stripe.links()) >= links.stop)
        paid = self.stripe.links()[links]
        for link in paid:
            await self.stripe.pay(link["url"])
        return [str(link["metadata"]["invoice_number"]) for link in paid]

    def announced(self) -> list[str]:
        messages = self.slack.workspace.messages(self.channel)
        return [message.text for message in messages if message.bot_id is not None]


@pytest.fixture
async def company(bare: Worlds) -> AsyncIterator[Company]:
    slack, stripe = await bare.services("socket")
    alice = slack.workspace.add_person("alice")
    channel = slack.workspace.add_channel("payments")
    port = quiet_port()
    stripe.add_webhook(f"http://127.0.0.1:{port}/stripe/webhook", secrets=[WEBHOOK_SECRET])
    env = bare.settings(slack, stripe, "socket", channel, PORT=str(port))
    made = Company(bare, slack, stripe, alice, channel, env)
    yield made
    await made.db.close()


@pytest.mark.timeout(400)
async def test_the_version_before_works_on_while_the_schema_is_upgraded(company: Company) -> None:
    assert await company.run("bot", "db", "upgrade") == (
        0,
        "The schema was brought up to date.\n",
    )
    begun = await company.run("bot", "import", company.invoices("run", IN_THE_RUN))
    assert begun[0] == 0
    assert await company.run("tests.acceptance.later", "serve") == (
        2,
        f"The database has the older schema {REVISIONS[-1]}: run `paylink db upgrade` first.\n",
    )

    async with company.serving():
        importing = asyncio.create_task(company.run("bot", "import", company.invoices("more", IMPORTED)))
        # The run goes on when the upgrade has ended, however long that takes.
        hanging = company.stripe.faults.add(
            FaultKind.SLOW, method="POST", skip=IN_THE_RUN // 3, times=None, seconds=math.inf
        )
        await company.start_run()
        paid = await company.pay(slice(0, PAID // 2))
        await company.when(lambda: counts(company.db)["invoices"] > IN_THE_RUN)
        upgraded = await company.run("tests.acceptance.later", "db", "upgrade")
        links_by_then = len(company.stripe.links())
        company.stripe.faults.remove(hanging)
        paid += await company.pay(slice(IN_THE_RUN - PAID // 2, IN_THE_RUN))
        assert upgraded == (0, "The schema was brought up to date.\n")
        assert await importing == (
            0,
            f"{IMPORTED:,} taken ({IMPORTED:,} new, 0 updated, 0 unchanged), 0 bad.\n",
        )
        refused = await company.run("bot", "serve", PORT="0")
        await company.until(f"Created: {IN_THE_RUN}", "Being created: 0")
        await company.when(lambda: len(company.announced()) >= PAID)
        await company.when(lambda: bool(company.slack.workspace.dms(company.alice)))
        await company.slack.workspace.command(company.alice, company.channel, "/invoice more-7")
        await company.until("Billing Invoice Details", "Buyer 7")

    assert refused == (
        2,
        f"The database has the newer schema {REVISION}, which this Paylink doesn't know: "
        "run the later Paylink.\n",
    )
    assert PAID // 2 < links_by_then < IN_THE_RUN
    made = Counter(link["metadata"]["invoice_number"] for link in company.stripe.links())
    assert made == {f"run-{n}": 1 for n in range(1, IN_THE_RUN + 1)}
    assert all(sum(f"{number} " in text for text in company.announced()) == 1 for number in paid)
    assert counts(company.db) == {
        "invoices": IN_THE_RUN + IMPORTED,
        "links": IN_THE_RUN,
        "payments": PAID,
        "posted": PAID + 1,
    }


def counts(db: Database) -> dict[str, int]:
    """What the database holds in the end."""
    questions = {
        "invoices": sa.select(sa.func.count(Invoice.id)),
        "links": sa.select(sa.func.count(Link.id)).where(Link.state == "created"),
        "payments": sa.select(sa.func.count(Payment.id)),
        "posted": sa.select(sa.func.count(OutboxMessage.id)).where(OutboxMessage.state == "posted"),
    }
    return db.run(lambda session: {name: session.scalar(asked) or 0 for name, asked in questions.items()})
