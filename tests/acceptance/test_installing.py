"""One process, and workspaces that install Paylink by clicking, through real sockets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape

import aiohttp
import pytest
import yaml

from bot.run.service import Service
from domain.organisations import organisations, settings, stripe_keys
from domain.secrets.box import new_key
from sandbox.slack import LocalSlack
from sandbox.slack.state import installing
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


@pytest.mark.parametrize("transport", ["http", "socket"])
async def test_two_workspaces_install_it_and_are_told_of_their_own_payments(
    sqlite_worlds: Worlds, transport: Transport
) -> None:
    company = await make(sqlite_worlds, transport)
    slack, service = company.slack, company.service
    one, two = slack.workspaces["T0ONE"], slack.workspaces["T0TWO"]
    ann, first = await furnish(company, "T0ONE", "INV-1", "acct_one")
    # Days begin where whoever installed it lives, until somebody sets another zone.
    assert service.bot.db.run(settings.get, 1).zone == "Europe/Berlin"
    bob, second = await furnish(company, "T0TWO", "INV-2", "acct_two")
    assert any("INV-1" in text for text in await pay(company, "T0ONE", ann, first, "INV-1"))
    assert said(two, second) == []
    assert any("INV-2" in text for text in await pay(company, "T0TWO", bob, second, "INV-2"))
    assert not any("INV-2" in text for text in said(one, first))
    # Whoever removes it is asked for nothing any more; the other one notices nothing.
    token = two.bot_token
    slack.uninstall("T0TWO")
    await until(lambda: service.bot.serving.workspaces.find("T0TWO") is None)
    await until(lambda: len(list(service.bot.accounts)) == 1)
    # What was under way with it then has ended.
    await slack.settled()
    calls = len([call for call in slack.app.calls if call.token == token])
    await one.open_home(ann)
    await until(lambda: one.home(ann) is not None)
    assert len([call for call in slack.app.calls if call.token == token]) == calls
    # Installed again it goes on where it was, and an old event of the first installation ends nothing.
    await company.install("T0TWO", bob)
    await two.invite_bot(second)
    await connect(company, "T0TWO", "acct_two")
    await two.emit({"type": "app_uninstalled"})
    await service.bot.serving.endings.look()
    two.team.stacks.clear()
    assert (await two.command(bob, second, "/invoice INV-2")).acked
    await until(lambda: "Paid" in modal(two, bob))
    assert two.bot_token != token
    assert service.bot.serving.workspaces.find("T0TWO") is not None


async def test_a_state_is_for_one_browser_once_and_what_goes_wrong_is_said(sqlite_worlds: Worlds) -> None:
    company = await make(sqlite_worlds)
    slack = company.slack
    ann = slack.workspaces["T0ONE"].add_person("ann")
    led = slack.allow("T0ONE", ann, await company.begin())
    async with aiohttp.ClientSession() as stranger:
        status, page = await company.come_back(led, stranger)
        assert (status, "another browser" in page) == (400, True)
    assert (await company.come_back(led))[0] == 200
    status, page = await company.come_back(led)
    assert (status, "used already" in page) == (400, True)
    denied = slack.allow("T0ONE", ann, await company.begin(), allowed=False)
    status, page = await company.come_back(denied)
    assert (status, "allowed in Slack" in page) == (400, True)
    forged = re.sub("code=[^&]+", "code=forged", slack.allow("T0ONE", ann, await company.begin()))
    status, page = await company.come_back(forged)
    assert (status, "invalid_code" in page) == (400, True)
    status, page = await company.come_back(f"{PUBLIC}/slack/oauth_redirect?code=x&state={'a' * 43}")
    assert (status, "asked for" in page) == (400, True)
    async with company.browser.get(f"{company.url}/slack/install") as shown:
        policy = shown.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert shown.headers["Referrer-Policy"] == "no-referrer"
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
    for _ in range(40):
        async with company.browser.get(f"{company.url}/slack/install") as shown:
            status = shown.status
    assert status == 429


async def test_without_a_key_nothing_is_installed(sqlite_worlds: Worlds) -> None:
    company = await make(sqlite_worlds, PAYLINK_SECRET_KEYS="")
    async with company.browser.get(f"{company.url}/slack/install") as shown:
        assert (shown.status, "PAYLINK_SECRET_KEYS" in await shown.text()) == (503, True)


async def test_a_token_is_renewed_before_it_ends_and_another_process_takes_it_over(
    sqlite_worlds: Worlds,
) -> None:
    company = await make(sqlite_worlds, rotates=True)
    slack = company.slack
    one = slack.workspaces["T0ONE"]
    ann = one.add_person("ann")
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(installing, "TOKEN_SECONDS", 3600)
        await company.install("T0ONE", ann)
    beside = await sqlite_worlds.start(company.env)
    await beside.begun.wait()
    both = [service.bot.serving.renewing for service in (company.service, beside)]
    await asyncio.gather(*(one.renew_due() for one in both if one is not None))
    for service in (company.service, beside):
        await service.bot.serving.workspaces.refresh()
        kept = service.bot.serving.workspaces.find("T0ONE")
        assert kept is not None
        assert kept.installation.tokens.bot_token == one.bot_token
    exchanged = [call for call in slack.app.calls if call.args.get("grant_type") == "refresh_token"]
    # Their timers may have been faster, even while tokens still lived an hour: what counts is that none was exchanged twice.
    assert exchanged
    assert len({call.args["refresh_token"] for call in exchanged}) == len(exchanged)


async def test_of_an_organisations_installation_each_workspace_is_an_organisation(
    sqlite_worlds: Worlds,
) -> None:
    company = await make(sqlite_worlds, rotates=True, org_wide=True)
    slack, serving = company.slack, company.service.bot.serving
    one, two = slack.workspaces["T0ONE"], slack.workspaces["T0TWO"]
    ann, bob = one.add_person("ann"), two.add_person("bob")
    one.join_enterprise("E0GRID")
    two.join_enterprise("E0GRID")
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(installing, "TOKEN_SECONDS", 3600)
        led = slack.allow("T0ONE", ann, await company.begin(), org_wide=True)
        assert "2 workspaces" in (await company.come_back(led))[1]
    # One that is given it later has the token, too.
    three = slack.add_workspace("T0THREE", "Three", installed=False)
    three.join_enterprise("E0GRID")
    cat, lobby = three.add_person("cat"), three.add_channel("lobby")
    await slack.give_access("T0THREE")
    await until(lambda: serving.workspaces.find("T0THREE") is not None)
    kept = {workspace.team_id: workspace for workspace in serving.workspaces}
    assert kept.keys() == {"T0ONE", "T0TWO", "T0THREE"}
    assert len({workspace.organisation_id for workspace in kept.values()}) == 3
    before = one.bot_token
    assert serving.renewing is not None
    await serving.renewing.renew_due()
    assert {workspace.installation.tokens.bot_token for workspace in serving.workspaces} == {one.bot_token}
    assert one.bot_token == two.bot_token != before
    assert (await two.open_home(bob)).acked
    # It is taken away from that one alone: what comes from there late brings it back no more, until it is given again.
    await slack.take_access("T0THREE")
    await until(lambda: serving.workspaces.find("T0THREE") is None)
    assert await serving.workspaces.authorize("T0THREE", "E0GRID") is None
    assert (await one.open_home(ann)).acked
    slack.installations.give(three.team)
    serving.workspaces.grants.forget("E0GRID")
    assert (await three.command(cat, lobby, "/invoice help")).acked
    assert serving.workspaces.find("T0THREE") is not None


async def test_a_workspace_that_nobody_installed_here_is_told_so(sqlite_worlds: Worlds) -> None:
    company = await make(sqlite_worlds)
    two = company.slack.workspaces["T0TWO"]
    bob, lobby = two.add_person("bob"), two.add_channel("lobby")
    two.team.install(["commands"], "xoxb-elsewhere")
    assert (await two.command(bob, lobby, "/invoice help")).acked
    assert any(
        f"Install it at {PUBLIC}/slack/install" in message.text
        for message in two.messages(lobby, seen_by=bob)
    )
