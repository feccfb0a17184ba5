"""One process, and workspaces that install Paylink by clicking, through real sockets."""

from __future__ import annotations

import asyncio
import re

import aiohttp
import pytest

from domain.organisations import settings
from sandbox.slack.state import installing
from tests.acceptance.companies import PUBLIC, connect, furnish, make, modal, pay, said, until
from tests.acceptance.conftest import Transport, Worlds


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
    assert two.bot_user_id in next(one.members for one in two.channels if one.id == second)
    assert sum("Paylink is installed" in message.text for message in two.dms(bob)) == 2
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
