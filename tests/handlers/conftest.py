"""The handlers on a fake desk, in the local Slack, over Socket Mode."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from domain.files.exports import Format
from domain.states import ListFilter
from domain.summaries import Actor, InvoiceSummary
from handlers.app import AcknowledgingApp, build_app
from handlers.bolt import context
from sandbox.slack import LocalSlack, Outcome, View
from tests.handlers.fake_desk import FakeDesk
from tests.handlers.samples import TEAM, invoice, paid, with_link
from tests.handlers.shapes import flat
from tests.patience import patient, unhurried

ROOT = Path(__file__).resolve().parents[2]
ANNA = "U0ANNA"


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    unhurried(monkeypatch)


class Notes:
    """A log that is kept: (event, ids)."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **ids: Any) -> None:
        self.kept.append((event, ids))

    warning = error = info

    def named(self, event: str) -> list[dict[str, Any]]:
        return [ids for name, ids in self.kept if name == event]


class FakeExport:
    """A file that says what was asked for."""

    async def export_list(
        self, actor: Actor, *, filter: ListFilter | None, search: str, format: Format
    ) -> AsyncIterator[bytes]:
        yield f"{format}\n".encode()
        yield f"{filter},{search}\n".encode()

    async def export_run(self, actor: Actor, run_id: int, *, format: Format) -> AsyncIterator[bytes]:
        yield f"{format}\nrun {run_id}\n".encode()


class Bench:
    """What tests work with: a person called Anna, in a workspace where Paylink is installed."""

    app: AcknowledgingApp

    def __init__(self, slack: LocalSlack) -> None:
        self.slack = slack
        self.workspace = slack.workspace
        self.desk = FakeDesk()
        self.log = Notes()
        self.tasks: set[asyncio.Task[None]] = set()
        self.anna = self.workspace.add_person("anna", user_id=ANNA)
        self.channel = self.workspace.add_channel("payments", channel_id="C0PAYMENTS")

    def track(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def idle(self) -> None:
        """Waits until no work goes on after an ack."""
        while self.tasks:
            await asyncio.gather(*self.tasks)
        await self.slack.settled()

    def invoices(self, *invoices: InvoiceSummary) -> None:
        self.desk.invoices = {one.id: one for one in invoices}

    async def command(self, text: str) -> Outcome:
        return await self._done(self.workspace.command(self.anna, self.channel, text))

    async def press(self, label: str, surface: str | tuple[str, str] | None = None) -> Outcome:
        return await self._done(self.workspace.press(self.anna, surface or self.top.id, label))

    async def click(self, block: str, action: str, value: str | list[str] | None = None) -> Outcome:
        """Uses an element of the top modal, named by what its block's id begins with."""
        block_id = self.block(block)["block_id"]
        return await self._done(self.workspace.click(self.anna, self.top.id, block_id, action, value))

    async def submit(self) -> Outcome:
        return await self._done(self.workspace.submit(self.anna, self.top.id))

    async def _done(self, doing: Coroutine[Any, Any, Outcome]) -> Outcome:
        outcome = await doing
        await self.idle()
        return outcome

    @property
    def top(self) -> View:
        return self.workspace.top(self.anna)

    @property
    def shown(self) -> str:
        """Everything that the top modal shows."""
        return flat(self.top.payload)

    def block(self, begins: str) -> dict[str, Any]:
        [found] = [each for each in self.top.blocks if each["block_id"].startswith(begins)]
        return found

    def told(self) -> list[str]:
        """The ephemeral messages that Anna got."""
        return [m.text for m in self.workspace.messages(self.channel, seen_by=self.anna) if m.ephemeral_to]

    def refused_calls(self) -> list[str | None]:
        """What the local Slack refused."""
        return [f"{call.method}: {call.error}" for call in self.workspace.calls if not call.ok]


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(context, "PAUSES", (0.01,) * len(context.PAUSES))
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text())
    async with (
        LocalSlack(manifest, team_id=TEAM, limits=patient()) as slack,
        aiohttp.ClientSession() as session,
    ):
        bench = Bench(slack)
        token = bench.workspace.bot_token
        client = AsyncWebClient(token=token, base_url=slack.api_url, session=session)

        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(
                enterprise_id=None,
                team_id=TEAM,
                bot_token=token,
                bot_user_id=bench.workspace.bot_user_id,
            )

        bench.app = app = build_app(
            bench.desk,  # type: ignore[arg-type]
            client=client,
            authorize=authorize,
            signing_secret=None,
            export=FakeExport(),
            track=bench.track,
            log=bench.log,
        )
        sockets = AsyncSocketModeHandler(app, slack.app_token, logger=logging.getLogger("slack_bolt.paylink"))
        sockets.client.web_client = client
        await sockets.connect_async()  # type: ignore[no-untyped-call]
        await slack.connected()
        yield bench
        for task in bench.tasks:
            task.cancel()
        await sockets.close_async()  # type: ignore[no-untyped-call]


@pytest.fixture
def many(bench: Bench) -> Bench:
    """250 eligible invoices, two that wait for payment, one paid."""
    eligible = [invoice(n, buyer_name="Zeta AG" if n == 7 else "Acme") for n in range(1, 251)]
    bench.invoices(*eligible, with_link(invoice(901)), with_link(invoice(902)), paid(invoice(903)))
    return bench
