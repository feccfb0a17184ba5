"""Paylink's handlers on a real desk, a Slack that writes down all it is sent, and what another organisation has there."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from domain.files.exporting import Export
from domain.invoices.list_position import place
from domain.invoices.numbers.keys import identity_of, written_key
from domain.models import (
    AuditEntry,
    Base,
    BulkRun,
    BulkRunItem,
    FileImport,
    Invoice,
    Link,
    PaymentException,
    Selection,
)
from domain.models import SelectionItem as Tick
from domain.states import ExceptionKind, ImportState, LinkState, LinkStatus
from handlers.app import AcknowledgingApp, build_app
from handlers.views.blocks import Json
from tests.domain.factories import NOW, TEAM, add_terms, make_organisation
from tests.domain.world import ADA, BEN, World
from tests.handlers.conftest import Notes

HEADING = "number,buyer_name,buyer_email,billing_amount,currency,issue_date,due_date,description\n"
FOREIGN = 900_001
"""The other organisation's invoice, selection, bulk run and link all have this id, and nobody else has anything with it."""
OF_BEN = 900_002
"""A selection of another person in the same organisation."""
SECRETS = ("HIDDEN-77", "Veiled Buyer", "veiled@buyer.example", "hidden-link", "pi_hidden")


class Bench:
    """``sent``: each call of Slack's Web API as it went out, response_url and uploaded files included."""

    app: AcknowledgingApp
    other: int
    """The other organisation's."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.db = world.db
        self.sent: list[tuple[str, str]] = []
        self.log = Notes()
        self.url = ""
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching: set[asyncio.Task[None]] = set()
        self.matched: set[int] = set()
        self._seen = 0

    async def deliver(self, payload: Json) -> str:
        """What Slack gets for this payload: the answer to it, and every call that it led to."""
        self.sent.clear()
        answer = await self.app.async_dispatch(AsyncBoltRequest(body=payload, mode="socket_mode"))
        while self._tasks:
            await asyncio.gather(*self._tasks)
        for task in self._watching:
            task.cancel()
        assert answer.status == 200
        return "\n".join([str(answer.body), *(f"{method} {body}" for method, body in self.sent)])

    def state(self) -> dict[str, list[Any]]:
        """Everything in the database but the audit."""

        def read(session: Session) -> dict[str, list[Any]]:
            tables = [table for table in Base.metadata.sorted_tables if table is not AuditEntry.__table__]
            return {
                table.name: sorted(map(repr, session.execute(sa.select(table)).all())) for table in tables
            }

        return self.db.run(read)

    def attacks(self) -> list[tuple[str, str]]:
        """As ``refusals``, of what the other organisation's audit says since then: who asked for what of it, and from where."""
        entries = sa.select(AuditEntry.actor, AuditEntry.subject).where(
            AuditEntry.action == "id.refused",
            AuditEntry.id > self._seen,
            AuditEntry.organisation_id == self.other,
        )
        return self.db.run(lambda session: [(who, what) for who, what in session.execute(entries)])

    def refusals(self) -> list[tuple[str, str]]:
        """Who was refused what since this was asked for the last time, as the audit says."""
        entries = sa.select(AuditEntry).where(AuditEntry.action == "id.refused", AuditEntry.id > self._seen)
        entries = entries.where(AuditEntry.subject.not_like("% asked for from %"))
        found = self.db.run(lambda session: session.scalars(entries.order_by(AuditEntry.id)).all())
        self._seen = self.db.run(lambda session: session.scalar(sa.select(sa.func.max(AuditEntry.id)))) or 0
        return [(entry.actor, entry.subject) for entry in found]

    def track(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def watch(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)

    async def answer(self, request: web.Request) -> web.Response:
        body = (await request.read()).decode()
        method = request.path.removeprefix("/api/")
        self.sent.append((method, body))
        view = {"id": "V1", "hash": "1.new", "root_view_id": "V0"}
        said = {"ok": True, "view": view, "channel": "D1", "ts": "1.1", "files": [{"id": "F1"}]}
        said["user"] = {"is_restricted": False}
        return web.json_response(said | {"file_id": "F1", "upload_url": f"{self.url}/upload"})

    def _mark_matches(self) -> None:
        """Write down which of the app's listeners answer."""
        for number, listener in enumerate(self.app._async_listeners):
            matches = listener.async_matches

            async def marked(*, req: Any, resp: Any, _matches: Any = matches, _number: int = number) -> bool:
                matched: bool = await _matches(req=req, resp=resp)
                if matched:
                    self.matched.add(_number)
                return matched

            listener.async_matches = marked  # type: ignore[method-assign]

    def unmatched(self) -> int:
        """How many of the app's listeners nothing was delivered to."""
        return len(self.app._async_listeners) - len(self.matched)


@asynccontextmanager
async def furnished(world: World) -> AsyncIterator[Bench]:
    """A bench in TEAM's workspace, over a database that holds another organisation too."""
    bench = Bench(world)
    make_organisation(world.db)
    bench.other = make_organisation(world.db, "T0OTHER", channel="C0OTHER")
    world.db.run(_add_others, bench.other, world.account.ledger_id)
    server_app = web.Application()
    server_app.router.add_route("*", "/{path:.*}", bench.answer)
    async with TestServer(server_app) as server, ClientSession() as session:
        bench.url = str(server.make_url("")).rstrip("/")
        client = AsyncWebClient("xoxb-1", base_url=f"{bench.url}/api/", session=session)

        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(enterprise_id=None, team_id=TEAM, bot_token="xoxb-1", bot_user_id="U0BOT")

        bench.app = build_app(
            world.desk,
            client=client,
            authorize=authorize,
            signing_secret=None,
            export=Export(world.db, world.desk.door, world.clock),
            track=bench.track,
            watch=bench.watch,
            log=bench.log,
        )
        bench._mark_matches()
        yield bench


def _brought(import_id: int, organisation_id: int, user_id: str) -> FileImport:
    """A file that somebody was shown the preview of."""
    content = HEADING + "HIDDEN-77,Veiled Buyer,veiled@buyer.example,47.11,USD,,,\n"
    return FileImport(
        id=import_id,
        organisation_id=organisation_id,
        user_id=user_id,
        name="hidden-link.csv",
        content=content.encode(),
        digest="",
        reading='{"layout": "plain"}',
        state=ImportState.PREVIEWED,
        brought_at=datetime.now(UTC),
        batch="",
        previewed="{}",
    )


def _add_others(session: Session, organisation_id: int, ledger_id: int) -> None:
    number, buyer, email, url, payment = SECRETS
    invoice = Invoice(
        id=FOREIGN,
        organisation_id=organisation_id,
        number=number,
        number_key=written_key(number),
        identity=identity_of(number),
        buyer_name=buyer,
        buyer_email=email,
        amount=4_711,
        currency="USD",
    )
    link = Link(
        id=FOREIGN,
        organisation_id=organisation_id,
        invoice_id=FOREIGN,
        ledger_id=ledger_id,
        state=LinkState.CREATED,
        status=LinkStatus.PAID,
        amount=4_711,
        currency="USD",
        reference="reference-hidden",
        idempotency_key="key-hidden",
        request="{}",
        api_version="2026-01-01",
        requested_by="U0OTHER",
        reserved_at=NOW,
        next_attempt_at=NOW,
        changed_at=NOW,
        stripe_id="plink_hidden",
        url=f"https://buy.stripe.com/{url}",
        created_at=NOW,
        paid_at=NOW,
        amount_received=4_711,
        stripe_payment=payment,
    )
    place(invoice, link)
    _flushed(session, invoice)
    _flushed(session, link)
    add_terms(session, invoice)
    _flushed(
        session,
        Selection(id=FOREIGN, organisation_id=organisation_id, user_id="U0OTHER", touched_at=NOW),
        # The same person's id may be known in both workspaces (Slack Connect).
        Selection(id=FOREIGN + 10, organisation_id=organisation_id, user_id=ADA.user_id, touched_at=NOW),
        Selection(id=OF_BEN, organisation_id=1, user_id=BEN.user_id, touched_at=NOW),
        _brought(FOREIGN, organisation_id, "U0OTHER"),
        _brought(FOREIGN + 10, organisation_id, ADA.user_id),
        _brought(OF_BEN, 1, BEN.user_id),
        BulkRun(
            id=FOREIGN,
            organisation_id=organisation_id,
            ledger_id=ledger_id,
            submission="hidden",
            requested_by="U0OTHER",
            requested_at=NOW,
            finished_at=NOW,
        ),
    )
    _flushed(
        session,
        Tick(selection_id=FOREIGN, invoice_id=FOREIGN, amount=4_711, currency="USD"),
        PaymentException(
            id=FOREIGN,
            link_id=FOREIGN,
            ledger_id=ledger_id,
            organisation_id=organisation_id,
            invoice_id=FOREIGN,
            invoice_number=number,
            key="hidden",
            kind=ExceptionKind.REFUNDED,
            stripe_object=payment,
            amount=4_711,
            currency="USD",
            seen_at=NOW,
        ),
        BulkRunItem(
            run_id=FOREIGN, ordinal=0, invoice_id=FOREIGN, link_id=FOREIGN, outcome="failed", refusal="no"
        ),
    )


def _flushed(session: Session, *rows: Base) -> None:
    session.add_all(rows)
    session.flush()
