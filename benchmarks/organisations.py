"""What many organisations cost one process: `python -m benchmarks.organisations --organisations 1 100 1000`.

Each has its own workspace, token, Stripe account and invoices. Slack and Stripe are stubs within this process that only say yes, so
that what is measured is `paylink serve` alone: a process of its own, over HTTP, as installed by clicking.
"""

import argparse
import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import sqlalchemy as sa
from aiohttp import web
from sqlalchemy.orm import Session

from benchmarks import postgres
from benchmarks.data import NOW, lines, number
from benchmarks.footprint import _free_port, _ready
from benchmarks.measuring import Times, duration, resident
from benchmarks.services import ROOT
from domain.database import Database
from domain.files.import_fields import COLUMNS, ImportedInvoice, read_fields
from domain.files.importing import take
from domain.migrations import upgrade
from domain.models import Base, Link, Organisation
from domain.organisations import installations, organisations, stripe_keys
from domain.organisations.installations import Installation, Tokens
from domain.payments.watching import FEW, START_APART
from domain.secrets.box import Box, new_key
from domain.states import LinkStatus
from domain.stripe.client import digest_of
from domain.stripe.ledgers import open_ledger

SECRET = "bench"
SCOPES = ("commands", "chat:write", "channels:history", "users:read")
IDLE_SECONDS = 20.0
COMMANDS, AT_ONCE, ANNOUNCED = 400, 4, 20
# Seconds, for what must come at last.
PATIENCE = 300


def team(index: int) -> str:
    return f"T{index:08d}"


def stripe_key(index: int) -> str:
    return f"rk_test_bench{index:06d}"


def webhook_secret(index: int) -> str:
    return f"whsec_bench{index:06d}"


@dataclass
class Stubs:
    """Slack and Stripe. ``at`` says when a trigger's modal, or a channel's message, came."""

    url: str = ""
    at: dict[str, float] = field(default_factory=dict)
    asked: list[float] = field(default_factory=list)
    """When Stripe was asked for something."""

    async def slack(self, request: web.Request) -> web.Response:
        now = time.monotonic()
        text = await request.text()
        given = json.loads(text) if request.content_type == "application/json" else dict(await request.post())
        method, to = request.match_info["method"], str(given.get("trigger_id") or given.get("channel", ""))
        if method in ("views.open", "chat.postMessage"):
            self.at.setdefault(to, now)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or str(
            given.get("token", "")
        )
        own = team(int(token.rpartition("-")[2] or 0))
        user = {"id": "U0ANNA", "team_id": own, "is_admin": True, "is_restricted": False, "deleted": False}
        return web.json_response(
            {"ok": True, "ts": "1.000001", "channel": to, "user": user, "view": {"id": "V1", "hash": "1.0"}}
        )

    async def stripe(self, request: web.Request) -> web.Response:
        self.asked.append(time.monotonic())
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if request.path.endswith("/account"):
            return web.json_response({"id": f"acct_{key[-6:]}", "object": "account"})
        if "/checkout/sessions/" in request.path:
            return web.json_response(paid_session(request.path.rpartition("/")[2]))
        return web.json_response({"object": "list", "data": [], "has_more": False})


def paid_session(session_id: str) -> dict[str, object]:
    """Its id says which link was paid."""
    _, link, amount, currency = session_id.split("_")
    return {
        "id": session_id,
        "object": "checkout.session",
        "created": int(time.time()),
        "livemode": False,
        "status": "complete",
        "payment_status": "paid",
        "payment_link": f"plink_{link}",
        "payment_intent": f"pi_{link}",
        "amount_total": int(amount),
        "currency": currency.lower(),
        "metadata": {},
    }


@contextlib.asynccontextmanager
async def stubs(both: Stubs) -> AsyncIterator[Stubs]:
    """They answer at ``both.url``."""
    app = web.Application()
    app.router.add_route("*", "/api/{method}", both.slack)
    app.router.add_route("*", "/v1/{rest:.*}", both.stripe)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    both.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield both
    finally:
        await runner.cleanup()


def fill(db: Database, box: Box, count: int, invoices: int) -> None:
    """So many organisations with so many invoices each, of which one in twenty has a link that waits for payment."""
    upgrade(db.engine)
    first = db.run(organisations.ensure, team(0), "Benchmark", "C00000000")
    take(db, first, _imported(invoices), now=NOW)
    for begin in range(0, count, 50):
        db.run(_add, box, begin, min(begin + 50, count), invoices)


def _imported(count: int) -> list[ImportedInvoice]:
    named = (dict(zip(COLUMNS, line, strict=False)) for line in lines(count))
    return [read_fields(at, values) for at, values in enumerate(named, 1)]


def _add(session: Session, box: Box, begin: int, end: int, invoices: int) -> None:
    copied = [
        column.name
        for column in Base.metadata.tables["invoices"].columns
        if column.name not in ("id", "organisation_id")
    ]
    names = ", ".join(copied)
    at = int(NOW.timestamp() * 1000)
    for index in range(begin, end):
        team_id = team(index)
        installation = Installation(
            team_id, None, False, "B1", "U0BOT", SCOPES, "U0ANNA", Tokens(f"xoxb-{index}")
        )
        own = installations.store(session, box, installation, f"Company {index}", f"C{index:08d}").id
        key = stripe_key(index)
        stripe_keys.store(
            session,
            box,
            team_id,
            key,
            by="U0ANNA",
            account=f"acct_{key[-6:]}",
            signing_secrets=webhook_secret(index),
        )
        ledger = open_ledger(session, own, False, f"acct_{key[-6:]}", NOW, key_digest=digest_of(key))
        if index:
            session.execute(
                sa.text(
                    f"INSERT INTO invoices (organisation_id, {names}) SELECT :own, {names} FROM invoices "
                    "WHERE organisation_id = (SELECT min(id) FROM organisations)"
                ),
                {"own": own},
            )
        given = {"own": own, "ledger": ledger, "at": at, "no": False, "high": number(invoices // 20).lower()}
        session.execute(sa.text(_LINKS), given)


_LINKS = """
INSERT INTO links (organisation_id, invoice_id, ledger_id, state, status, amount, currency, reference, idempotency_key,
    request, api_version, requested_by, reserved_at, attempts, next_attempt_at, look_first, stripe_id, url, created_at,
    changed_at, refunded, disputed, exception)
SELECT organisation_id, id, :ledger, 'created', 'Pending Payment', amount, currency, 'reference-' || id, 'key-' || id,
    '{}', '2026-01-01', 'U0ANNA', :at, 1, :at, :no, 'plink_' || id, 'https://buy.stripe.com/test_' || id, :at, :at,
    :no, :no, :no
FROM invoices WHERE organisation_id = :own AND amount > 0 AND number_key <= :high"""


def waiting_link(session: Session, index: int) -> str:
    """The session that pays a link of this organisation's."""
    own = sa.select(Organisation.id).where(Organisation.team_id == team(index)).scalar_subquery()
    link = session.scalars(
        sa.select(Link).where(Link.organisation_id == own, Link.status == LinkStatus.PENDING_PAYMENT).limit(1)
    ).one()
    return f"cs_{str(link.stripe_id).removeprefix('plink_')}_{link.amount}_{link.currency}"


@dataclass(frozen=True)
class Figures:
    start: float
    at_rest: int
    idle: float
    """Of one core."""
    command: Times
    announced: Times
    asked: float
    """Of Stripe, a second, while nothing was asked for."""
    most_asked: int
    """In any one second."""


async def measure(url: str, count: int, invoices: int) -> Figures:
    keys = new_key()
    db = Database(url)
    began = time.monotonic()
    fill(db, Box([keys]), count, invoices)
    print(f"filled in {time.monotonic() - began:.0f} s", file=sys.stderr)
    try:
        async with (
            stubs(Stubs()) as both,
            aiohttp.ClientSession() as session,
            serving(url, keys, both) as one,
        ):
            # What each start looks at once has its turns by then (START_APART).
            await asyncio.sleep(8 + 1.2 * START_APART.total_seconds() * max(count - FEW, 0))
            cpu, since = _cpu(one.pid), len(both.asked)
            await asyncio.sleep(IDLE_SECONDS)
            idle = (_cpu(one.pid) - cpu) / IDLE_SECONDS
            asked = both.asked[since:]
            at_rest = resident(one.pid)
            commands = await _commands(session, both, one.port, range(count), invoices)
            announced = await _paid(session, db, both, one.port, range(count))
        seconds = Counter(int(at) for at in asked)
        return Figures(
            one.start,
            at_rest,
            idle,
            commands,
            announced,
            len(asked) / IDLE_SECONDS,
            max(seconds.values(), default=0),
        )
    finally:
        await db.close()


@dataclass(frozen=True)
class Running:
    pid: int
    port: int
    start: float
    """Seconds to ready."""


@contextlib.asynccontextmanager
async def serving(url: str, keys: str, both: Stubs) -> AsyncIterator[Running]:
    """`paylink serve`, ready."""
    port = _free_port()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "DATABASE_URL": url,
        "PAYLINK_SECRET_KEYS": keys,
        "PAYLINK_PUBLIC_URL": "http://localhost",
        "SLACK_CLIENT_ID": "1.1",
        "SLACK_CLIENT_SECRET": SECRET,
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_API_URL": f"{both.url}/api",
        "STRIPE_API_URL": both.url,
        "PORT": str(port),
    }
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "serve", cwd=ROOT, env=env, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await asyncio.wait_for(_ready(port), PATIENCE)
        yield Running(process.pid, port, time.perf_counter() - began)
    finally:
        process.terminate()
        await process.wait()


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _commands(
    session: aiohttp.ClientSession, both: Stubs, port: int, of: Sequence[int], invoices: int, begin: int = 0
) -> Times:
    """/invoice by people of any of these organisations, a few at a time; until the modal reaches Slack."""
    chance = random.Random(1)
    sent: dict[str, float] = {}
    left = iter(range(begin, begin + COMMANDS))

    async def person() -> None:
        for n in left:
            trigger = f"trigger-{n}"
            body = urlencode(
                {
                    "command": "/invoice",
                    "text": number(chance.randrange(invoices)),
                    "trigger_id": trigger,
                    "team_id": team(chance.choice(of)),
                    "user_id": "U0ANNA",
                    "channel_id": "C0",
                    "api_app_id": "A0",
                    "token": "x",
                }
            ).encode()
            at = str(int(time.time()))
            mac = hmac.new(SECRET.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
            headers = {
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Slack-Request-Timestamp": at,
                "X-Slack-Signature": f"v0={mac}",
            }
            sent[trigger] = time.monotonic()
            async with session.post(f"http://127.0.0.1:{port}/slack/events", data=body, headers=headers) as _:
                pass
            await asyncio.sleep(0.02)

    await asyncio.gather(*(person() for _ in range(AT_ONCE)))
    await _come(both, sent)
    return Times(tuple(both.at[trigger] - at for trigger, at in sent.items()))


async def _come(both: Stubs, what: Collection[str]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not set(what) <= set(both.at):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _paid(
    session: aiohttp.ClientSession, db: Database, both: Stubs, port: int, of: Sequence[int]
) -> Times:
    """From Stripe's delivery to an organisation's webhook to the message that reaches Slack, for several at once."""
    chosen = random.Random(2).sample(of, min(ANNOUNCED, len(of)))
    sessions = {index: await db.read(waiting_link, index) for index in chosen}
    both.at.clear()
    began = {}
    for index, session_id in sessions.items():
        began[f"C{index:08d}"] = time.monotonic()
        await deliver(session, port, index, f"evt_{session_id}", session_id)
    await _come(both, began)
    return Times(tuple(both.at[channel] - at for channel, at in began.items()))


async def deliver(
    session: aiohttp.ClientSession, port: int, index: int, event_id: str, session_id: str
) -> None:
    """As Stripe does."""
    event = {
        "id": event_id,
        "object": "event",
        "type": "checkout.session.completed",
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": paid_session(session_id)},
    }
    body, at = json.dumps(event).encode(), int(time.time())
    mac = hmac.new(webhook_secret(index).encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "Stripe-Signature": f"t={at},v1={mac}"}
    url = f"http://127.0.0.1:{port}/stripe/webhook/{team(index)}"
    async with session.post(url, data=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


@contextlib.contextmanager
def database(kind: str) -> Iterator[str]:
    """An empty one, which goes away in the end."""
    with tempfile.TemporaryDirectory(prefix="paylink-bench-") as directory:
        if kind == "sqlite":
            yield f"sqlite:///{directory}/paylink.sqlite3"
            return
        with postgres.postgresql(Path(directory)) as server:
            yield postgres.create(server, "paylink")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organisations", type=int, nargs="+", default=[1, 100, 1000])
    parser.add_argument("--invoices", type=int, default=1000, help="of each")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    given = parser.parse_args()
    print(
        "| organisations | start to ready | at rest | of one core, idle | `/invoice`, median and 99th percentile | paid to "
        "told, slowest | asked of Stripe, and most in a second |"
    )
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for count in given.organisations:
        with database(given.database) as url:
            found = asyncio.run(measure(url, count, given.invoices))
        print(
            f"| {count:,} | {duration(found.start)} | {found.at_rest / 2**20:.1f} MiB | {found.idle:.1%} | "
            f"{duration(found.command.median)}, {duration(found.command.percentile(99))} | "
            f"{duration(found.announced.percentile(100))} | {found.asked:.1f}/s, {found.most_asked} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
