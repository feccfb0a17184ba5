"""An import in Slack whose process is killed in the middle of a chunk: the next start goes on with it."""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable

import sqlalchemy as sa

from domain.database import Database
from domain.models import FileImport, Invoice
from domain.states import ImportState
from sandbox.slack import Workspace
from tests.acceptance.conftest import Worlds, text_of
from tests.patience import PATIENCE

HEADING = "number,buyer_name,buyer_email,billing_amount,currency,issue_date,due_date,description\n"
LINES = [f"INV-{n},Acme,,{n}.00,USD,,," for n in range(1, 20)] + ["INV-20,Acme,,x,USD,,,"]
SERVE = """
import os, signal, sys
from bot.__main__ import run
from domain.files import importing
from domain.imports import claiming

importing.CHUNK_ROWS = 4
note = claiming.note_progress

def note_and_die(session, claim, done, *what):
    note(session, claim, done, *what)
    if done == 8:
        os.kill(os.getpid(), signal.SIGKILL)

if sys.argv.pop(1) == "dies":
    claiming.note_progress = note_and_die
run()
"""


async def test_killed_in_the_middle_it_goes_on_with_the_next_start_and_is_told_once(worlds: Worlds) -> None:
    slack, stripe = await worlds.services("socket")
    workspace = slack.workspace
    alice, channel = workspace.add_person("alice"), workspace.add_channel("payments")
    env = worlds.settings(slack, stripe, "socket", channel)

    async def serve(how: str) -> Process:
        command = (sys.executable, "-c", SERVE, how, "serve")
        return await asyncio.create_subprocess_exec(
            *command, env=env, cwd=worlds.directory, stdout=asyncio.subprocess.DEVNULL
        )

    process = await serve("dies")
    try:
        await slack.connected()
        await bring_in(workspace, alice, channel, "\n".join([HEADING.strip(), *LINES]).encode())
        assert await asyncio.wait_for(process.wait(), PATIENCE) == -signal.SIGKILL
        db = Database(worlds.database_url)
        # The third chunk was written, and noted, in a transaction that ended with the process.
        assert db.run(_invoices) == 8
        assert db.run(_imports) == [(ImportState.CONFIRMED, 8)]
        process = await serve("lives")
        await until(lambda: "The import is done." in top(workspace, alice))
        assert "New: 19" in top(workspace, alice)
        assert "Refused: 1" in top(workspace, alice)
        assert db.run(_invoices) == 19
        assert db.run(_imports) == [(ImportState.FINISHED, 20)]
        db.close_now()
        await until(lambda: told(workspace, alice))
        await slack.settled()
        [message] = told(workspace, alice)
        assert "New: 19" in message
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), PATIENCE) == 0


async def bring_in(workspace: Workspace, user: str, channel: str, content: bytes) -> None:
    """Up to the press of Import."""
    await workspace.command(user, channel, "/invoices import")
    await until(lambda: "10 MB at most" in top(workspace, user))
    view = workspace.top(user)
    [block] = [block for block in view.blocks if block["type"] == "input"]
    file_id = workspace.upload(user, "May.csv", content)
    await workspace.click(user, view.id, block["block_id"], block["element"]["action_id"], [file_id])
    await workspace.submit(user, view.id)
    await until(lambda: "New: 19" in top(workspace, user))
    await workspace.submit(user, workspace.top(user).id)


async def until(predicate: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not predicate():  # noqa: ASYNC110 - no one event tells of all these changes
            await asyncio.sleep(0.01)


def top(workspace: Workspace, user: str) -> str:
    views = workspace.views(user)
    return text_of(views[-1].payload) if views else ""


def told(workspace: Workspace, user: str) -> list[str]:
    return [message.text for message in workspace.dms(user) if "Import of" in message.text]


def _invoices(session: sa.orm.Session) -> int:
    return session.scalar(sa.select(sa.func.count(Invoice.id))) or 0


def _imports(session: sa.orm.Session) -> list[tuple[ImportState, int]]:
    return [(row.state, row.done) for row in session.execute(sa.select(FileImport.state, FileImport.done))]
