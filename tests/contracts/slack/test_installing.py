"""Installing one app in several workspaces of the local Slack, with the official SDK's own helpers."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from slack_sdk.oauth import AuthorizeUrlGenerator
from slack_sdk.oauth.installation_store import Bot
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import LocalSlack
from sandbox.slack.state.installing import GRACE_SECONDS, Refused
from sandbox.slack.state.manifest import for_installing
from tests.contracts.slack.fixtures import make_app, make_world, manifest, over_http, quick, refused

BACK = "https://paylink.example/slack/oauth_redirect"
SCOPES = ["commands", "chat:write"]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def address(slack: LocalSlack, *, scopes: list[str] | None = None, redirect_uri: str = BACK) -> str:
    made = AuthorizeUrlGenerator(
        client_id=slack.app.client_id,
        scopes=SCOPES if scopes is None else scopes,
        redirect_uri=redirect_uri,
        authorization_url=f"{slack.url}/oauth/v2/authorize",
    )
    return made.generate("the state")


def query(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


async def exchange(slack: LocalSlack, **changes: Any) -> Any:
    given = {
        "client_id": slack.app.client_id,
        "client_secret": slack.app.client_secret,
        "redirect_uri": BACK,
        **changes,
    }
    return await AsyncWebClient(base_url=slack.api_url).oauth_v2_access(**given)


async def test_a_workspace_installs_the_app_and_only_its_own_token_works_in_it() -> None:
    clock = Clock()
    async with make_world(for_installing(manifest(), BACK), clock=clock) as world:
        slack = world.slack
        other = slack.add_workspace("T0OTHER", "Other", installed=False)
        eve = other.add_person("eve")
        lobby = other.add_channel("lobby")
        assert not (await other.command(eve, lobby, "/show")).sent
        async with aiohttp.ClientSession() as browser:
            async with browser.get(address(slack)) as asked:
                assert "Allow" in await asked.text()
            form = {"as": f"T0OTHER/{eve}", "do": "allow"}
            async with browser.post(address(slack), data=form, allow_redirects=False) as led:
                back = led.headers["Location"]
        assert back.startswith(BACK)
        assert query(back)["state"] == "the state"
        code = query(back)["code"]
        assert (await refused(exchange(slack, code="nonsense")))["error"] == "invalid_code"
        assert (await refused(exchange(slack, code=code, client_id="1.2")))["error"] == "invalid_client_id"
        wrong = await refused(exchange(slack, code=code, client_secret="wrong"))
        assert wrong["error"] == "bad_client_secret"
        elsewhere = await refused(exchange(slack, code=code, redirect_uri=f"{BACK}/other"))
        assert elsewhere["error"] == "bad_redirect_uri"
        answer = await exchange(slack, code=code)
        assert answer["team"] == {"id": "T0OTHER", "name": "Other"}
        assert (answer["authed_user"]["id"], answer["scope"]) == (eve, "commands,chat:write")
        assert answer["access_token"] == other.bot_token
        assert (await refused(exchange(slack, code=code)))["error"] == "code_already_used"
        client = AsyncWebClient(token=answer["access_token"], base_url=slack.api_url)
        assert (await client.auth_test())["team_id"] == "T0OTHER"
        there = await refused(client.chat_postMessage(channel=world.general, text="x"))
        assert there["error"] == "channel_not_found"
        # Ten minutes later a code is worth nothing, and who installs it again keeps the token.
        late = query(slack.allow("T0OTHER", eve, address(slack)))["code"]
        clock.now += 601
        assert (await refused(exchange(slack, code=late)))["error"] == "invalid_code"
        again = query(slack.allow("T0OTHER", eve, address(slack, scopes=["files:write"])))["code"]
        more = await exchange(slack, code=again)
        assert more["access_token"] == answer["access_token"]
        assert more["scope"] == "commands,chat:write,files:write"


async def test_the_authorize_page_asks_nobody_for_what_is_wrong() -> None:
    async with make_world(for_installing(manifest(), BACK)) as world:
        slack, ann = world.slack, world.ann
        guest = world.work.add_person("gus", guest="multi")
        denied = query(slack.allow(world.work.team_id, ann, address(slack), allowed=False))
        assert denied == {"error": "access_denied", "state": "the state"}
        for wrong in (
            address(slack, redirect_uri="https://evil.example/slack/oauth_redirect"),
            address(slack, redirect_uri=f"{BACK}-not"),
            address(slack, scopes=[]),
            address(slack).replace(slack.app.client_id, "1.2"),
        ):
            with pytest.raises(Refused):
                slack.allow(world.work.team_id, ann, wrong)
        with pytest.raises(Refused):
            slack.allow(world.work.team_id, guest, address(slack))
        async with (
            aiohttp.ClientSession() as browser,
            browser.get(address(slack, redirect_uri="https://evil.example/")) as shown,
        ):
            assert (shown.status, "did not match" in await shown.text()) == (400, True)


async def test_tokens_rotate_with_a_refresh_token_that_works_once() -> None:
    clock = Clock()
    async with make_world(for_installing(manifest(), BACK, rotates=True), clock=clock) as world:
        slack, work = world.slack, world.work
        answer = await exchange(
            slack, code=query(slack.allow(work.team_id, world.ann, address(slack)))["code"]
        )
        assert answer["access_token"].startswith("xoxe.xoxb-")
        assert answer["expires_in"] == 43_200
        bot = Bot(
            bot_token=answer["access_token"],
            bot_id="B1",
            bot_user_id=answer["bot_user_id"],
            bot_refresh_token=answer["refresh_token"],
            bot_token_expires_at=1,
            installed_at=0.0,
        )
        rotator = AsyncTokenRotator(
            client_id=slack.app.client_id,
            client_secret=slack.app.client_secret,
            client=AsyncWebClient(base_url=slack.api_url),
        )
        rotated = await rotator.perform_bot_token_rotation(bot=bot)
        assert rotated is not None
        spent = {"grant_type": "refresh_token", "redirect_uri": None}
        client = AsyncWebClient(token=answer["access_token"], base_url=slack.api_url)
        # The one before lives on to its end.
        assert (await client.auth_test())["expires_in"] == 43_200
        clock.now += GRACE_SECONDS - 1
        again = await exchange(slack, **spent, refresh_token=answer["refresh_token"])
        assert (await refused(client.auth_test()))["error"] == "token_revoked", "two are active at most"
        clock.now += 1
        late = await refused(exchange(slack, **spent, refresh_token=answer["refresh_token"]))
        assert late["error"] == "invalid_refresh_token"
        client.token = again["access_token"]
        assert (await client.auth_test())["expires_in"] == 43_199
        clock.now += 43_200
        assert (await refused(client.auth_test()))["error"] == "token_expired"


async def test_who_removes_the_app_ends_its_tokens_and_both_events_say_so() -> None:
    given = manifest()
    given["settings"]["event_subscriptions"]["bot_events"] += ["app_uninstalled", "tokens_revoked"]
    async with LocalSlack(given, delivery="http", limits=quick()) as slack:
        work = slack.workspace
        ann = work.add_person("ann")
        channel = work.add_channel("general")
        other = slack.add_workspace("T0OTHER", "Other")
        app = make_app(slack)
        heard: list[Any] = []

        @app.event("app_uninstalled")
        async def uninstalled(body: Any) -> None:
            heard.append((body["team_id"], body["event"]["type"]))

        @app.event("tokens_revoked")
        async def revoked(body: Any) -> None:
            heard.append((body["team_id"], body["event"]["type"], body["event"]["tokens"]["bot"]))

        async with over_http(slack, app):
            token, bot = work.bot_token, work.bot_user_id
            slack.uninstall(work.team_id)
            client = AsyncWebClient(token=token, base_url=slack.api_url)
            assert (await refused(client.auth_test()))["error"] == "account_inactive"
            assert not (await work.command(ann, channel, "/show")).sent
            gone = AsyncWebClient(token=other.bot_token, base_url=slack.api_url)
            assert (await gone.auth_revoke())["revoked"]
            assert (await refused(gone.auth_test()))["error"] == "token_revoked"
            await slack.settled()
        assert ("T0PAYLINK1", "app_uninstalled") in heard
        assert ("T0PAYLINK1", "tokens_revoked", [bot]) in heard
        assert ("T0OTHER", "app_uninstalled") in heard


async def test_users_info_tells_every_kind_of_person_and_user_groups_tell_who_is_in_them() -> None:
    async with make_world(manifest(scopes=["users:read", "usergroups:read"])) as world:
        work = world.work
        kinds = {
            "member": world.ann,
            "admin": work.add_person("a", admin=True),
            "owner": work.add_person("o", owner=True),
            "primary": work.add_person("p", primary_owner=True),
            "multi": work.add_person("m", guest="multi"),
            "single": work.add_person("s", guest="single"),
            "stranger": work.add_person("x", team_id="T0CONNECT", stranger=True),
            "bot": work.bot_user_id,
            "gone": work.add_person("g", admin=True),
        }
        work.change_person(kinds["gone"], deleted=True)
        names = (
            "is_admin is_owner is_primary_owner is_restricted is_ultra_restricted is_stranger is_bot deleted"
        )
        told = {}
        for kind, user in kinds.items():
            shown = (await world.client.users_info(user=user))["user"]
            told[kind] = [name for name in names.split() if shown.get(name)]
        assert told == {
            "member": [],
            "admin": ["is_admin"],
            "owner": ["is_admin", "is_owner"],
            "primary": ["is_admin", "is_owner", "is_primary_owner"],
            "multi": ["is_restricted"],
            "single": ["is_restricted", "is_ultra_restricted"],
            "stranger": ["is_stranger"],
            "bot": ["is_bot"],
            "gone": ["deleted"],
        }
        group = work.add_group("Billing Team", [world.ann])
        listed = (await world.client.usergroups_list(include_users=True))["usergroups"]
        assert [(one["id"], one["handle"], one["users"]) for one in listed] == [
            (group, "billing-team", [world.ann])
        ]
        assert (await world.client.usergroups_users_list(usergroup=group))["users"] == [world.ann]
        work.change_group(group, [], disabled=True)
        gone = await refused(world.client.usergroups_users_list(usergroup=group))
        assert gone["error"] == "no_such_subteam"


async def test_an_organisations_installation_has_one_token_for_all_its_workspaces() -> None:
    given = for_installing(manifest(), BACK, org_wide=True)
    async with make_world(given) as world:
        slack, work = world.slack, world.work
        second = slack.add_workspace("T0SECOND", "Second", installed=False)
        second.add_person("zoe")
        for one in (work, second):
            one.join_enterprise("E0GRID")
        code = query(slack.allow(work.team_id, world.ann, address(slack), org_wide=True))["code"]
        answer = await exchange(slack, code=code)
        assert (answer["team"], answer["enterprise"]["id"], answer["is_enterprise_install"]) == (
            None,
            "E0GRID",
            True,
        )
        lobby = second.add_channel("lobby")
        client = AsyncWebClient(token=answer["access_token"], base_url=slack.api_url)
        await client.chat_postMessage(channel=lobby, text="here")
        assert [message.text for message in second.messages(lobby)] == ["here"]
        assert second.bot_user_id == work.bot_user_id == answer["bot_user_id"]
