"""The ``demo`` command: the bot itself, unchanged, between a local Slack and a local Stripe, and a page to use it."""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console

from bot.run.service import Service
from bot.settings import load_settings
from bot.stop import Stop, connect
from bot.watch.logs import configure_logs
from bot.wiring import build
from domain.migrations import SchemaTooOld, prepare, upgrade
from domain.secrets.box import new_key
from sandbox.demo_pages import REDIRECT, Pages
from sandbox.furnishing import COMPANIES, FIRST, SECOND, furnish
from sandbox.slack import LocalSlack
from sandbox.slack.state.manifest import for_installing
from sandbox.stripe.server import LocalStripe

HOST, PORT = "127.0.0.1", 8765
PORTS_TRIED = 50
BEGIN_SECONDS = 30.0
SAVE_SECONDS = 2.0
POLL_SECONDS = "5"
HINTS = ("/invoice INV-1001", "/invoices", "/invoice help")


app = typer.Typer(add_completion=False)


@app.command()
def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The page's port; the next free one if taken.")
    ] = PORT,
    data: Annotated[
        Path | None, typer.Option(help="Keep the demo's world in this directory between runs.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Where the page listens; 0.0.0.0 in a container, whose port is forwarded.")
    ] = HOST,
    public_url: Annotated[
        str, typer.Option(help="Under which address browsers reach the page, if it is forwarded.")
    ] = "",
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Open no browser, even where there is one.")
    ] = False,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh", help="Begin before Paylink is installed anywhere, and go through setting it up."
        ),
    ] = False,
) -> None:
    """Run everything on this machine, with no account anywhere, until Ctrl-C."""
    with contextlib.ExitStack() as stack:
        if data is None:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="paylink-demo-")))
        try:
            data.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Stop(f"The directory {data} can't be used: {error.strerror}.") from None
        # The terminal keeps the address in sight; what the bot logs is in the data directory.
        log = stack.enter_context((data / "demo.log").open("a", encoding="utf-8"))
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop(
                f"Another demo keeps its world in {data}: end it first, or take another directory."
            ) from None
        configure_logs(log)
        asyncio.run(_run(data, host, port, public_url.rstrip("/"), browser=not no_browser, fresh=fresh))


async def _run(data: Path, host: str, port: int, public_url: str, *, browser: bool, fresh: bool) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    console = Console(highlight=False)
    with console.status("Starting two workspaces, a Stripe and the bot …"):
        stack = contextlib.AsyncExitStack()
        bot_url = f"http://{HOST}:{_bot_port(data)}"
        slack = await stack.enter_async_context(local_slack(data, f"{bot_url}{REDIRECT}"))
        stripe = await stack.enter_async_context(local_stripe(data))
        keys = {one.team_id: _restricted(one.stripe_key) for one in COMPANIES} if fresh else {}
        accounts = {one.team_id: one.account for one in COMPANIES}
        pages = Pages(slack, stripe, hints=HINTS, accounts=accounts, stripe_keys=keys)
        pages.bot = bot_url
        # Before the first link, whose address is the page's.
        address = await stack.enter_async_context(pages.serve(host, port, public_url, free_port))
        service = await stack.enter_async_context(bot_between(slack, stripe, data, bot_url))
        if not fresh:
            for company in COMPANIES:
                await furnish(service.bot, slack, stripe, company, data, bot_url)
    show_address(console, address, fresh=fresh)
    if browser and console.is_terminal and has_screen(os.environ):
        await asyncio.to_thread(webbrowser.open, address)
    async with stack:
        await told.wait()


def show_address(console: Console, address: str, *, fresh: bool = False) -> None:
    """Where to look, and what to do there. Each line stays one, however narrow the terminal is thought to be."""
    what = (
        (
            "  Open it in a browser, press [bold]Add Paylink[/bold], allow it, and go through",
            "  [bold]Set Up Paylink[/bold] on Home. Nothing leaves this machine.",
        )
        if fresh
        else (
            "  Open it in a browser, type [bold]/invoice INV-1001[/bold] or [bold]/invoices[/bold],",
            "  create a link, pay it as the buyer, and read #billing. Nothing leaves this machine.",
            f"  {SECOND.name}, at the top left, is another company's workspace.",
        )
    )
    for line in (
        "",
        f"  [bold]Paylink demo[/bold]  [link={address}]{address}[/link]",
        "",
        *what,
        "  Ctrl-C ends it.",
        "",
    ):
        console.print(line, soft_wrap=True)


@contextlib.asynccontextmanager
async def local_slack(data: Path, redirect_url: str) -> AsyncIterator[LocalSlack]:
    """Both workspaces with their people and channels, as they were left in ``data``."""
    manifest = for_installing(yaml.safe_load(_manifest().read_text("utf-8")), redirect_url)
    slack = LocalSlack(manifest, team_id=FIRST.team_id, team_name=FIRST.name, installed=False)
    slack.add_workspace(SECOND.team_id, SECOND.name, installed=False)
    kept = data / "slack.json"
    if kept.exists():
        slack.restore(json.loads(kept.read_text("utf-8")))
    for company in COMPANIES:
        workspace = slack.workspaces[company.team_id]
        if any(not person.is_bot for person in workspace.people):
            continue
        for place, (user_id, name) in enumerate(company.people):
            workspace.add_person(name, user_id=user_id, admin=place == 0)
        for channel_id, name in company.channels:
            workspace.add_channel(name, channel_id=channel_id)
    async with slack:
        saving = asyncio.create_task(_keep(slack, kept))
        try:
            yield slack
        finally:
            saving.cancel()
            _write(kept, slack)


@contextlib.asynccontextmanager
async def local_stripe(data: Path) -> AsyncIterator[LocalStripe]:
    """One account for each company, each with a secret key and a restricted one."""
    stripe = LocalStripe(data=data / "stripe.json", merchant="Paylink Demo")
    async with stripe:
        for company in COMPANIES:
            for key in (company.stripe_key, _restricted(company.stripe_key)):
                stripe.add_key(key, account=company.account)
        yield stripe


def _restricted(key: str) -> str:
    return f"rk_{key.removeprefix('sk_')}"


async def _keep(slack: LocalSlack, kept: Path) -> None:
    """Whoever pulls the plug finds the workspace again as it was a moment before."""
    while True:
        await asyncio.sleep(SAVE_SECONDS)
        _write(kept, slack)


def _write(kept: Path, slack: LocalSlack) -> None:
    fresh = kept.with_suffix(".new")
    fresh.write_text(json.dumps(slack.snapshot()), "utf-8")
    fresh.replace(kept)


@contextlib.asynccontextmanager
async def bot_between(
    slack: LocalSlack, stripe: LocalStripe, data: Path, bot_url: str
) -> AsyncIterator[Service]:
    """The bot, configured through its own settings: installing, Socket Mode, webhooks and all."""
    environment = {
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "SLACK_CLIENT_ID": slack.app.client_id,
        "SLACK_CLIENT_SECRET": slack.app.client_secret,
        "STRIPE_API_URL": stripe.api_url,
        "DATABASE_URL": f"sqlite:///{data / 'paylink.sqlite3'}",
        "PAYLINK_PUBLIC_URL": bot_url,
        "PAYLINK_SECRET_KEYS": _secret_key(data),
        "PAYLINK_POLL_SECONDS": POLL_SECONDS,
        "PORT": bot_url.rpartition(":")[2],
    }
    settings = load_settings(environment, data)
    db = connect(settings)
    try:
        prepare(db.engine)
    except SchemaTooOld:
        # A world of an older demo's: nobody else works on it.
        upgrade(db.engine)
    service = Service(build(settings, db=db))
    await service.start()
    try:
        await asyncio.wait_for(service.begun.wait(), BEGIN_SECONDS)
        yield service
    finally:
        await service.stop()


def _secret_key(data: Path) -> str:
    """What the demo's tokens are sealed with, made once."""
    file = data / "secret.key"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(new_key(), "utf-8")
    return file.read_text("utf-8")


def _bot_port(data: Path) -> int:
    """Stripe's endpoints and the app's redirect URL hold it, so it stays the same between runs, if it is free."""
    file = data / "ports.json"
    kept = json.loads(file.read_text("utf-8")) if file.exists() else 0
    with socket.socket() as probe:
        if not kept:
            probe.bind((HOST, 0))
        port = free_port(kept) if kept else int(probe.getsockname()[1])
    file.write_text(json.dumps(port), "utf-8")
    return port


def has_screen(environment: Mapping[str, str]) -> bool:
    """Whether a browser would open beside the terminal and not in it."""
    return sys.platform in ("darwin", "win32") or bool(
        environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    )


def free_port(wanted: int, host: str = HOST) -> int:
    """``wanted`` if it is free, else the next free one; 0 stays 0 (any). Raises Stop if there is none nearby."""
    for port in range(wanted, min(wanted + PORTS_TRIED, 65536)) if wanted else ():
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return port
    if wanted:
        raise Stop(f"No port from {wanted} on is free; choose another one with --port.")
    return 0


def _manifest() -> Path:
    """The installed copy, or the repository's own."""
    installed = Path(__file__).parent / "manifest.yml"
    return installed if installed.exists() else Path(__file__).parents[1] / "manifest.yml"
