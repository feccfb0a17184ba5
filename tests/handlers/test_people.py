"""Who somebody is, as Slack says it, and for how long that holds."""

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from domain.errors import OrganisationUnknown, StandingUnknown
from domain.states import Standing
from domain.summaries import Actor
from handlers.bolt import remembering
from handlers.bolt.people import SlackPeople
from handlers.rejections import ScopeMissing
from sandbox.slack import Fault, LocalSlack
from tests.handlers.conftest import ROOT
from tests.handlers.samples import TEAM


@dataclass
class Asked:
    slack: LocalSlack
    people: SlackPeople
    now: float = 1_000.0

    def count(self, method: str) -> int:
        return sum(call.method == method for call in self.slack.workspace.calls)

    async def standing(self, user: str) -> Standing:
        return await self.people.get_standing(Actor(TEAM, user))


@pytest.fixture
async def asked(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> AsyncIterator[Asked]:
    manifest: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text())
    scopes = manifest["oauth_config"]["scopes"]["bot"]
    scopes[:] = [scope for scope in scopes if scope not in getattr(request, "param", ())]
    async with LocalSlack(manifest, team_id=TEAM) as slack, aiohttp.ClientSession() as session:
        client = AsyncWebClient(slack.workspace.bot_token, base_url=slack.api_url, session=session)
        client.retry_handlers = []
        one = Asked(slack, SlackPeople(lambda team: client if team == TEAM else None))
        monkeypatch.setattr(remembering, "_now", lambda: one.now)
        yield one


async def test_everybody_is_what_slack_says(asked: Asked) -> None:
    work = asked.slack.workspace
    people = {
        work.add_person("mo"): Standing.MEMBER,
        work.add_person("ad", admin=True): Standing.ADMINISTRATOR,
        work.add_person("ow", owner=True): Standing.ADMINISTRATOR,
        work.add_person("mu", guest="multi"): Standing.GUEST,
        work.add_person("si", guest="single"): Standing.GUEST,
        work.add_person("st", team_id="T0OTHER", stranger=True): Standing.STRANGER,
        work.add_person("co", team_id="T0OTHER"): Standing.STRANGER,
    }
    gone = work.add_person("de", admin=True)
    work.change_person(gone, deleted=True)
    assert {user: await asked.standing(user) for user in [*people, gone]} == {
        **people,
        gone: Standing.DEACTIVATED,
    }
    with pytest.raises(OrganisationUnknown):
        await asked.people.get_standing(Actor("T0NOBODY", "U1"))


async def test_on_enterprise_grid_whoever_belongs_to_several_workspaces_is_no_stranger_in_any(
    asked: Asked,
) -> None:
    work = asked.slack.workspace
    work.join_enterprise("E0GRID")
    people = {
        work.add_person("mo", team_id="T0THEIRFIRST"): Standing.MEMBER,
        work.add_person("ad", team_id="T0THEIRFIRST", admin=True): Standing.ADMINISTRATOR,
        work.add_person("mu", team_id="T0THEIRFIRST", guest="multi"): Standing.GUEST,
        work.add_person("st", team_id="T0OTHER", stranger=True): Standing.STRANGER,
    }
    assert {user: await asked.standing(user) for user in people} == people


async def test_an_answer_is_good_for_five_minutes_and_asked_for_once(asked: Asked) -> None:
    mo = asked.slack.workspace.add_person("mo")
    assert set(await asyncio.gather(*(asked.standing(mo) for _ in range(9)))) == {Standing.MEMBER}
    asked.slack.workspace.change_person(mo, guest="multi")
    asked.now += 299
    assert (await asked.standing(mo), asked.count("users.info")) == (Standing.MEMBER, 1)
    asked.now += 1
    assert (await asked.standing(mo), asked.count("users.info")) == (Standing.GUEST, 2)


async def test_what_was_known_holds_for_an_hour_while_slack_says_nothing(asked: Asked) -> None:
    mo, new = (asked.slack.workspace.add_person(name) for name in ("mo", "new"))
    assert await asked.standing(mo) is Standing.MEMBER
    asked.slack.faults.outage = True
    asked.now += 3_599
    assert await asked.standing(mo) is Standing.MEMBER
    asked.now += 1 + remembering.SOON
    for user in (mo, new):
        with pytest.raises(StandingUnknown):
            await asked.standing(user)
    asked.slack.faults.outage = False
    assert await asked.standing(mo) is Standing.MEMBER


async def test_whoever_waits_longest_hears_that_nobody_knows(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "PATIENCE", 0.05)
    mo = asked.slack.workspace.add_person("mo")
    silent = asked.slack.faults.add(Fault("users.info", do="slow", seconds=math.inf))
    with pytest.raises(StandingUnknown):
        await asked.standing(mo)
    asked.slack.faults.remove(silent)


@pytest.mark.parametrize("asked", [{"users:read", "usergroups:read"}], indirect=True)
async def test_an_installation_that_may_not_ask_goes_on(asked: Asked) -> None:
    guest = asked.slack.workspace.add_person("gil", guest="multi")
    group = asked.slack.workspace.add_group("Billing", [guest])
    assert await asked.standing(guest) is Standing.MEMBER
    assert await asked.people.find_in_group(Actor(TEAM, guest), group) is None
    with pytest.raises(ScopeMissing, match="users:read"):
        await asked.people.require_scope(Actor(TEAM, guest), "files:read")


async def test_a_group_is_asked_for_once_for_all_its_people(asked: Asked) -> None:
    work = asked.slack.workspace
    ann, ben = (Actor(TEAM, work.add_person(name)) for name in ("ann", "ben"))
    group = work.add_group("Billing", [ann.user_id])
    assert [await asked.people.find_in_group(one, group) for one in (ann, ben)] == [True, False]
    assert await asked.people.find_in_group(ann, "S0GONE") is False
    work.change_group(group, [ben.user_id])
    asked.now += 300
    assert [await asked.people.find_in_group(one, group) for one in (ann, ben)] == [False, True]
    assert asked.count("usergroups.users.list") == 3
