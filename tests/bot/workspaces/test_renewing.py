"""A refresh token works once: whoever may have missed Slack's answer asks again while it still takes the same one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog.testing
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspaces import renewing
from bot.workspaces.registry import Workspaces
from bot.workspaces.renewing import Renewing
from domain.coordination import abandoned_claims
from domain.database import Database
from domain.errors import DatabaseUnavailable
from domain.migrations import prepare
from domain.organisations import installations
from domain.organisations.installations import Installation, Tokens
from domain.secrets.box import Box, new_key
from sandbox.slack import Fault, LocalSlack
from sandbox.slack.state.manifest import for_installing

BOX = Box([new_key()])
BACK = "https://paylink.example/slack/oauth_redirect"
SOON = timedelta(hours=1)


class Case:
    """One workspace whose token ends within the hour."""

    def __init__(self, slack: LocalSlack, db: Database) -> None:
        self.slack = slack
        self.db = db
        self.team_id = slack.workspace.team_id

    def process(self, owner: str) -> Renewing:
        workspaces = Workspaces(
            self.db, BOX, lambda token, team_id: AsyncWebClient(token=token, base_url=self.slack.api_url)
        )
        rotator = AsyncTokenRotator(
            client_id=self.slack.app.client_id,
            client_secret=self.slack.app.client_secret,
            client=AsyncWebClient(base_url=self.slack.api_url, retry_handlers=[]),
        )
        return Renewing(self.db, BOX, workspaces, rotator, owner, clock=lambda: datetime.now(UTC))

    async def install(self) -> None:
        person = self.slack.workspace.add_person("ann")
        asked = f"{self.slack.url}/oauth/v2/authorize?client_id={self.slack.app.client_id}&scope=commands"
        code = self.slack.allow(self.team_id, person, asked).partition("code=")[2].partition("&")[0]
        answer = await AsyncWebClient(base_url=self.slack.api_url).oauth_v2_access(
            client_id=self.slack.app.client_id, client_secret=self.slack.app.client_secret, code=code
        )
        tokens = Tokens(answer["access_token"], answer["refresh_token"], datetime.now(UTC) + SOON)
        kept = Installation(self.team_id, None, False, "B1", "U1", ("commands",), person, tokens)
        await self.db.write(installations.store, BOX, kept, "Paylink")

    async def is_renewed(self) -> bool:
        """Whether the newest token that Slack gave is kept."""
        kept = await self.db.read(installations.find, BOX, self.team_id)
        assert kept is not None
        ends = kept.installation.tokens.expires_at
        newest = kept.installation.tokens.bot_token == self.slack.workspace.bot_token
        return newest and ends is not None and ends > datetime.now(UTC) + SOON

    @property
    def exchanged(self) -> int:
        return len([one for one in self.slack.app.calls if one.args.get("grant_type") == "refresh_token"])


@pytest.fixture
async def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Case]:
    monkeypatch.setattr(renewing, "FETCH_PAUSE", 0.0)
    db = Database(f"sqlite:///{tmp_path}/paylink.sqlite3")
    prepare(db.engine)
    manifest = for_installing({"oauth_config": {"scopes": {"bot": ["commands"]}}}, BACK, rotates=True)
    async with LocalSlack(manifest, installed=False) as slack:
        made = Case(slack, db)
        await made.install()
        try:
            yield made
        finally:
            await db.close()


async def test_a_lost_answer_is_asked_for_again_at_once(case: Case) -> None:
    case.slack.faults.add(Fault("oauth.v2.access", when="after"))
    await case.process("one").renew_due()
    assert await case.is_renewed()
    assert case.exchanged == 2


async def test_what_a_dead_process_asked_for_is_asked_for_again_and_what_a_living_one_did_is_not(
    case: Case,
) -> None:
    before = datetime.now(UTC) + renewing.AHEAD
    claim = installations.claim_refresh
    await case.db.write(claim, BOX, case.team_id, "dead", before=before, lease=renewing.LEASE)
    await case.process("other").renew_due()
    assert case.exchanged == 0
    assert await case.db.read(abandoned_claims.list_owners) == {"dead"}
    await case.db.write(abandoned_claims.end_claims, {"dead"})
    await case.process("other").renew_due()
    assert await case.is_renewed()


async def test_what_the_database_does_not_take_is_kept_until_it_does(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bool:
        raise DatabaseUnavailable

    process = case.process("one")
    with monkeypatch.context() as patching:
        patching.setattr(renewing, "STORE_ATTEMPTS", 1)
        patching.setattr(installations, "renew", away)
        with pytest.raises(DatabaseUnavailable):
            await process.renew_due()
    assert not await case.is_renewed()
    await process.renew_due()
    assert await case.is_renewed()
    assert case.exchanged == 1


async def test_one_that_is_lost_for_good_is_told_and_asked_for_once(case: Case) -> None:
    case.slack.faults.add(Fault("oauth.v2.access", do="error", error="invalid_refresh_token", times=None))
    with structlog.testing.capture_logs() as logged:
        await case.process("one").renew_due()
    assert [(one["event"], one["log_level"], one["code"]) for one in logged] == [
        ("installation.not_renewed", "error", "invalid_refresh_token")
    ]
    assert case.exchanged == 1
