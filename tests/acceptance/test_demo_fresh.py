"""`paylink demo --fresh` without a browser's engine: from nothing to a command that is answered, all behind one address."""

import re
from contextlib import AsyncExitStack
from html import unescape
from pathlib import Path

import aiohttp

from sandbox.demo import bot_between, free_port, local_slack, local_stripe
from sandbox.demo_pages import REDIRECT, Pages
from sandbox.furnishing import COMPANIES, FIRST, SECOND
from tests.acceptance.companies import until


async def test_paylink_is_installed_by_clicking_through_the_one_page(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        bot_url = f"http://127.0.0.1:{free_port(28765)}"
        slack = await stack.enter_async_context(local_slack(tmp_path, f"{bot_url}{REDIRECT}"))
        stripe = await stack.enter_async_context(local_stripe(tmp_path))
        pages = Pages(
            slack,
            stripe,
            hints=(),
            accounts={one.team_id: one.account for one in COMPANIES},
            stripe_keys={SECOND.team_id: "rk_test_pasted"},
        )
        pages.bot = bot_url
        address = await stack.enter_async_context(pages.serve("127.0.0.1", 0, "", free_port))
        service = await stack.enter_async_context(bot_between(slack, stripe, tmp_path, bot_url))
        browser = await stack.enter_async_context(
            aiohttp.ClientSession(address, cookie_jar=aiohttp.CookieJar(unsafe=True))
        )
        async with browser.ws_connect(f"/{SECOND.team_id}/socket") as socket:
            picture = await socket.receive_json()
            assert (picture["install"], picture["stripe_key"]) == ("../slack/install", "rk_test_pasted")
            assert [place["name"] for place in picture["places"] if place["here"]] == [SECOND.name]
            async with browser.get("/slack/install") as shown:
                asking = unescape(re.findall(r'href="(/oauth/v2/authorize[^"]+)"', await shown.text())[0])
            person = SECOND.people[0][0]
            form = {"as": f"{SECOND.team_id}/{person}", "do": "allow"}
            async with browser.post(asking, data=form) as installed:
                page = await installed.text()
                assert (installed.status, f"installed in {SECOND.name}" in page) == (200, True)
            opened = unescape(re.findall(r'href="(/app_redirect[^"]+)"', page)[0])
            async with browser.get(opened, allow_redirects=False) as led:
                assert led.headers["Location"] == f"/{SECOND.team_id}/#home"
            while picture["install"]:
                picture = {"install": True, **await socket.receive_json()}
            assert "/invoice" in [command["command"] for command in picture["commands"]]
        await slack.connected()
        workspace = slack.workspaces[SECOND.team_id]
        assert (await workspace.command(person, SECOND.channels[0][0], "/invoice help")).acked
        assert service.bot.serving.workspaces.find(FIRST.team_id) is None
        # Taken out again, as in Slack on the app's own page.
        async with browser.ws_connect(f"/{SECOND.team_id}/socket?user={person}") as socket:
            assert (await socket.receive_json())["removable"]
            await socket.send_json({"id": 1, "op": "remove"})
            while not picture["install"]:
                picture |= await socket.receive_json()
        await until(lambda: service.bot.serving.workspaces.find(SECOND.team_id) is None)
        async with browser.get(f"/{SECOND.team_id}/dashboard") as dashboard:
            assert f'action="/{SECOND.team_id}/dashboard"' in await dashboard.text()
