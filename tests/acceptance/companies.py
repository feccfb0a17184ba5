"""One process, and a company that installs Paylink in a browser, sets it up and is paid."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape

import aiohttp
import yaml

from bot.run.service import Service
from domain.organisations import organisations, stripe_keys
from domain.secrets.box import new_key
from sandbox.slack import LocalSlack
from sandbox.slack.state.manifest import for_installing
from sandbox.slack.workspace import Workspace
from sandbox.stripe.server import LocalStripe
from tests.acceptance.conftest import MANIFEST, WEBHOOK_SECRET, Transport, Worlds, text_of
from tests.domain.factories import make_invoice
from tests.patience import PATIENCE, patient

PUBLIC = "http://localhost"


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - another task's work, of which no event tells
            await asyncio.sleep(0.05)


@dataclass
class Company:
    """A bot that nobody has installed yet, two workspaces, and a browser."""

    slack: LocalSlack
    stripe: LocalStripe
    service: Service
    browser: aiohttp.ClientSession
    env: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.service.port}"

    async def begin(self) -> str:
        """Open the install page: where its button leads."""
        async with self.browser.get(f"{self.url}/slack/install") as shown:
            page = await shown.text()
            assert shown.status == 200, page
        return unescape(re.findall(r'href="([^"]+/oauth/v2/authorize[^"]+)"', page)[0])

    async def come_back(self, location: str, browser: aiohttp.ClientSession | None = None) -> tuple[int, str]:
        here = location.replace(PUBLIC, self.url)
        async with (browser or self.browser).get(here) as shown:
            return shown.status, await shown.text()

    async def install(self, team_id: str, user: str) -> str:
        status, page = await self.come_back(self.slack.allow(team_id, user, await self.begin()))
        assert status == 200, page
        return page


async def make(
    worlds: Worlds,
    transport: Transport = "http",
    *,
    rotates: bool = False,
    org_wide: bool = False,
    **more: str,
) -> Company:
    manifest = for_installing(
        yaml.safe_load(MANIFEST.read_text()),
        f"{PUBLIC}/slack/oauth_redirect",
        rotates=rotates,
        org_wide=org_wide,
    )
    slack = LocalSlack(
        manifest, delivery=transport, limits=patient(), installed=False, team_id="T0ONE", team_name="One"
    )
    await slack.start()
    worlds.stack.push_async_callback(slack.stop)
    slack.add_workspace("T0TWO", "Two", installed=False)
    stripe = await worlds.stack.enter_async_context(LocalStripe())
    env = worlds.settings(slack, stripe, transport, "C0NONE")
    for name in (
        "SLACK_BOT_TOKEN",
        "STRIPE_API_KEY",
        "STRIPE_WEBHOOK_SECRET",
        "PAYLINK_NOTIFICATION_CHANNEL",
    ):
        del env[name]
    env |= {
        "PAYLINK_PUBLIC_URL": PUBLIC,
        "SLACK_CLIENT_ID": slack.app.client_id,
        "SLACK_CLIENT_SECRET": slack.app.client_secret,
        "PAYLINK_SECRET_KEYS": new_key(),
    } | more
    service = await worlds.start(env)
    await service.begun.wait()
    slack.request_url = f"http://127.0.0.1:{service.port}/slack/events"
    browser = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
    worlds.stack.push_async_callback(browser.close)
    if transport == "socket":
        await slack.connected()
    return Company(slack, stripe, service, browser, env)


async def furnish(company: Company, team_id: str, number: str, account: str) -> tuple[str, str]:
    """A person who installs it and a channel, an invoice, and a Stripe account with a webhook of its own."""
    workspace = company.slack.workspaces[team_id]
    person = workspace.add_person("ann", tz="Europe/Berlin")
    await company.install(team_id, person)
    channel = workspace.add_channel("payments")
    await connect(company, team_id, account)
    bot = company.service.bot
    organisation = await bot.db.write(organisations.set_up, team_id, channel=channel)
    make_invoice(bot.db, number, organisation_id=organisation.id)
    return person, channel


async def connect(company: Company, team_id: str, account: str) -> None:
    key = f"rk_test_{account}{team_id}"
    company.stripe.add_key(key, account=account)
    company.stripe.add_webhook(
        f"{company.url}/stripe/webhook/{team_id}", secrets=[WEBHOOK_SECRET], account=account
    )
    bot = company.service.bot
    await bot.db.write(
        stripe_keys.store,
        bot.box,
        team_id,
        key,
        by="U1",
        account=account,
        signing_secrets=WEBHOOK_SECRET,
    )
    await bot.accounts.look()
    await bot.accounts.settle()


async def pay(company: Company, team_id: str, person: str, channel: str, number: str) -> list[str]:
    """Look it up, create its link, pay it: what the channel then says."""
    workspace = company.slack.workspaces[team_id]
    await workspace.command(person, channel, f"/invoice {number}")
    await until(lambda: number in modal(workspace, person))
    await workspace.press(person, workspace.top(person).id, "Create Payment Link")
    await until(lambda: "Pending Payment" in modal(workspace, person))
    url = re.findall(r'https?://[^"\\ ]+/test_[^"\\ ]+', modal(workspace, person))[0]
    await company.stripe.pay(url)
    await until(lambda: bool(said(workspace, channel)))
    return said(workspace, channel)


def modal(workspace: Workspace, person: str) -> str:
    views = workspace.views(person)
    return text_of(views[-1].payload) if views else ""


def said(workspace: Workspace, channel: str) -> list[str]:
    return [message.text for message in workspace.messages(channel) if message.bot_id is not None]
