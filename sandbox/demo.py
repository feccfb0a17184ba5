"""The ``demo`` command: the bot itself, unchanged, between a local Slack and a local Stripe, and a page to use it."""

import asyncio
import contextlib
import csv
import fcntl
import io
import json
import os
import signal
import socket
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from aiohttp import web
from rich.console import Console

from bot.run.service import Service
from bot.settings import load_settings
from bot.stop import Stop, connect
from bot.watch.logs import configure_logs
from bot.wiring import Bot, build
from domain.files.importing import take
from domain.files.reading.invoice_file import open_path
from domain.migrations import prepare
from domain.organisations import organisations
from domain.states import LinkStatus
from domain.summaries import Actor
from sandbox.page.routes import page_routes
from sandbox.samples import paid_numbers, pending_numbers, sample_rows
from sandbox.slack import LocalSlack
from sandbox.stopping import clean_up
from sandbox.stripe.server import LocalStripe

HOST, PORT = "127.0.0.1", 8765
TEAM = "T0PAYLINK1"
PORTS_TRIED = 50
BEGIN_SECONDS = 30.0
SAVE_SECONDS = 2.0
POLL_SECONDS = "5"
WEBHOOK_SECRET = "whsec_paylinkdemo"  # noqa: S105 - of a Stripe that lives on this machine only
PEOPLE = (("U0ADA", "Ada Lindqvist"), ("U0BEN", "Ben Okafor"))
CHANNELS = (("C0BILLING", "billing"), ("C0GENERAL", "general"))
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
        asyncio.run(_run(data, host, port, public_url.rstrip("/"), browser=not no_browser))


async def _run(data: Path, host: str, port: int, public_url: str, *, browser: bool) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    console = Console(highlight=False)
    with console.status("Starting a workspace, a Stripe and the bot …"):
        stack = contextlib.AsyncExitStack()
        slack = await stack.enter_async_context(local_slack(data))
        stripe = await stack.enter_async_context(
            LocalStripe(data=data / "stripe.json", merchant="Paylink Demo")
        )
        # Before the first link, whose address is the page's.
        address = await stack.enter_async_context(_page(slack, stripe, host, port, public_url))
        service = await stack.enter_async_context(bot_between(slack, stripe, data))
        await furnish(service.bot, stripe, data)
    show_address(console, address)
    if browser and console.is_terminal and has_screen(os.environ):
        await asyncio.to_thread(webbrowser.open, address)
    async with stack:
        await told.wait()


def show_address(console: Console, address: str) -> None:
    """Where to look, and what to do there. Each line stays one, however narrow the terminal is thought to be."""
    for line in (
        "",
        f"  [bold]Paylink demo[/bold]  [link={address}]{address}[/link]",
        "",
        "  Open it in a browser, type [bold]/invoice INV-1001[/bold] or [bold]/invoices[/bold],",
        "  create a link, pay it as the buyer, and read #billing. Nothing leaves this machine.",
        "  Ctrl-C ends it.",
        "",
    ):
        console.print(line, soft_wrap=True)


@contextlib.asynccontextmanager
async def local_slack(data: Path) -> AsyncIterator[LocalSlack]:
    """A workspace with two people and two channels, as it was left in ``data``."""
    slack = LocalSlack(yaml.safe_load(_manifest().read_text("utf-8")), team_id=TEAM, team_name="Paylink Demo")
    kept = data / "slack.json"
    if kept.exists():
        slack.restore(json.loads(kept.read_text("utf-8")))
    else:
        for user_id, name in PEOPLE:
            slack.workspace.add_person(name, user_id=user_id)
        for channel_id, name in CHANNELS:
            slack.workspace.add_channel(name, channel_id=channel_id)
    async with slack:
        saving = asyncio.create_task(_keep(slack, kept))
        try:
            yield slack
        finally:
            saving.cancel()
            _write(kept, slack)


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
async def bot_between(slack: LocalSlack, stripe: LocalStripe, data: Path) -> AsyncIterator[Service]:
    """The bot, configured through its own settings: Socket Mode, webhook and all."""
    ports = data / "ports.json"
    environment = {
        "SLACK_BOT_TOKEN": slack.workspace.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "STRIPE_API_KEY": stripe.api_key,
        "STRIPE_API_URL": stripe.api_url,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "DATABASE_URL": f"sqlite:///{data / 'paylink.sqlite3'}",
        "PAYLINK_NOTIFICATION_CHANNEL": CHANNELS[0][0],
        "PAYLINK_POLL_SECONDS": POLL_SECONDS,
        # Stripe's endpoint was told this address, so it stays the same between runs.
        "PORT": str(free_port(json.loads(ports.read_text("utf-8")) if ports.exists() else 0)),
    }
    settings = load_settings(environment, data)
    db = connect(settings)
    prepare(db.engine)
    service = Service(build(settings, db=db))
    await service.start()
    try:
        await asyncio.wait_for(service.begun.wait(), BEGIN_SECONDS)
        address = f"http://127.0.0.1:{service.port}/stripe/webhook"
        if not any(endpoint["url"] == address for endpoint in stripe.objects("webhook_endpoint")):
            stripe.add_webhook(address, secrets=[WEBHOOK_SECRET])
        ports.write_text(json.dumps(service.port), "utf-8")
        yield service
    finally:
        await service.stop()


async def furnish(bot: Bot, stripe: LocalStripe, data: Path) -> None:
    """In a new world, import the sample invoices, create some of their links and pay some of them."""
    actor = Actor(TEAM, PEOPLE[1][0])
    if await bot.desk.find_invoice(actor, "INV-1001") is not None:
        return
    rows = sample_rows(date.today())  # noqa: DTZ011 - the day where the person is who looks at the list
    file = data / "invoices.csv"
    file.write_text(_csv(rows), "utf-8")
    await asyncio.to_thread(_take, bot, file)
    await asyncio.gather(*(_create(bot, actor, number) for number in [*pending_numbers(), *paid_numbers()]))
    for number in paid_numbers():
        invoice = await bot.desk.find_invoice(actor, number)
        if invoice is not None and invoice.link is not None and invoice.status is LinkStatus.PENDING_PAYMENT:
            await stripe.pay(invoice.link.url)


def _take(bot: Bot, file: Path) -> None:
    organisation = bot.db.run(organisations.get_by_team, TEAM)
    with open_path(file) as invoices:
        take(bot.db, organisation, invoices.read(), now=bot.clock())


async def _create(bot: Bot, actor: Actor, number: str) -> None:
    invoice = await bot.desk.find_invoice(actor, number)
    if invoice is not None and invoice.eligible:
        await bot.desk.create_link(actor, invoice.id, invoice.amount, patience=30)


@contextlib.asynccontextmanager
async def _page(
    slack: LocalSlack, stripe: LocalStripe, host: str, port: int, public_url: str
) -> AsyncIterator[str]:
    """All that a browser sees, behind one address: the workspace, the buyers' pages, the merchant's."""
    routes = page_routes(slack.workspace, hints=HINTS, dashboard="dashboard", public_url=public_url)
    stripe.add_pages(routes)
    runner = web.AppRunner(routes, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, free_port(port, host)).start()
        own = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not listened on
        stripe.public_url = public_url or f"http://{own}:{runner.addresses[0][1]}"
        yield f"{stripe.public_url}/"
    finally:
        await clean_up(runner)


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


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
