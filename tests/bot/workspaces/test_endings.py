"""Nothing is erased on a hiccup of Slack's, nor on an old event; everything is once Slack takes the token no more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspaces.endings import AGAIN_SECONDS, Endings
from bot.workspaces.grants import Grants
from bot.workspaces.registry import Workspaces
from domain.connecting.disconnecting import Disconnected
from domain.database import Database
from domain.migrations import prepare
from domain.organisations import erasing, installations
from domain.organisations.installations import Installation, Tokens
from domain.secrets.box import Box, new_key
from sandbox.slack import Fault, LocalSlack

BOX = Box([new_key()])


class Case:
    def __init__(self, slack: LocalSlack, db: Database) -> None:
        self.slack = slack
        self.db = db
        self.now = 1000.0
        self.workspaces = Workspaces(
            db,
            BOX,
            lambda token, team_id: AsyncWebClient(token=token, base_url=slack.api_url),
            grants=Grants(lambda: self.now),
        )
        self.endings = Endings(self.workspaces, self.disconnect, now=lambda: self.now)

    async def disconnect(self, team_id: str, seen: int) -> Disconnected:
        return Disconnected(await self.db.write(erasing.erase, team_id, "slack", seen=seen))

    async def store(self, enterprise_id: str | None = None) -> None:
        kept = Installation(
            team_id=self.slack.workspace.team_id,
            enterprise_id=enterprise_id,
            for_enterprise=enterprise_id is not None,
            bot_id="B1",
            bot_user_id="U1",
            scopes=("commands",),
            installed_by="U2",
            tokens=Tokens(self.slack.workspace.bot_token),
        )
        await self.db.write(installations.store, BOX, kept, "Paylink")
        await self.workspaces.refresh()

    async def look_later(self, seconds: float = AGAIN_SECONDS) -> bool:
        """Whether it is still installed then."""
        self.now += seconds
        await self.endings.look()
        return self.workspaces.find(self.slack.workspace.team_id) is not None


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Case]:
    db = Database(f"sqlite:///{tmp_path}/paylink.sqlite3")
    prepare(db.engine)
    async with LocalSlack({"oauth_config": {"scopes": {"bot": ["commands"]}}}) as slack:
        made = Case(slack, db)
        await made.store()
        try:
            yield made
        finally:
            await db.close()


async def test_one_refusal_is_a_hiccup_and_three_in_a_row_are_an_end(case: Case) -> None:
    team_id = case.slack.workspace.team_id
    case.endings.hear(team_id, "account_inactive")
    assert await case.look_later(), "Slack takes the token: somebody else said no"
    case.slack.faults.add(Fault(method="auth.test", do="error", error="account_inactive", times=1))
    case.endings.hear(team_id, "account_inactive")
    assert await case.look_later()
    assert await case.look_later(1), "it isn't asked again so soon"
    assert await case.look_later()
    case.slack.uninstall(team_id)
    case.endings.hear(team_id, "account_inactive")
    assert await case.look_later()
    assert await case.look_later()
    assert not await case.look_later()


async def test_an_event_is_enough_once_slack_refuses_the_token_and_nothing_while_it_takes_it(
    case: Case,
) -> None:
    team_id = case.slack.workspace.team_id
    case.endings.tell(team_id, None)
    assert await case.look_later()
    case.endings.tell("T0NOBODY", "E0NOBODY")
    assert await case.look_later()
    await case.slack.outage()
    case.endings.tell(team_id, None)
    assert await case.look_later(), "Slack can't say"
    await case.slack.outage(False)
    case.slack.uninstall(team_id)
    for code in ("ratelimited", "internal_error"):
        case.slack.faults.add(Fault(method="auth.test", do="error", error=code, times=1))
        assert await case.look_later(), "that says nothing of the token"
    assert not await case.look_later()


async def test_what_no_event_told_is_found_within_two_hours(case: Case) -> None:
    assert await case.look_later(600)
    case.slack.uninstall(case.slack.workspace.team_id)
    for _ in range(3):
        there = await case.look_later(2 * 3600)
    assert not there


async def test_a_workspace_that_its_organisation_took_the_app_from_is_found_though_the_token_works_on(
    case: Case,
) -> None:
    other = case.slack.add_workspace("T0OTHER", "Other")
    for one in (case.slack.workspace, other):
        one.join_enterprise("E0GRID", org_wide=True)
    other.team.tokens = dict(case.slack.workspace.team.tokens)
    await case.store("E0GRID")
    assert await case.look_later(600)
    await case.slack.take_access(case.slack.workspace.team_id)
    for _ in range(3):
        there = await case.look_later(2 * 3600)
    assert not there


async def test_an_installation_since_then_is_not_erased(case: Case) -> None:
    seen = case.workspaces.find(case.slack.workspace.team_id)
    assert seen is not None
    await case.store()
    assert not (await case.disconnect(seen.team_id, seen.generation)).erased.tokens
