"""The doctor says what is wrong and how to mend it, and exits 1 if something is."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from rich.console import Console

from bot.cli.doctor import examination
from bot.cli.doctor.examination import examine
from bot.scopes import OPTIONAL, SCOPES
from domain import database
from domain.database import Database
from domain.invoices.numbers import folding
from domain.migrations import upgrade
from domain.models import Ledger, OutboxMessage
from domain.organisations import organisations
from domain.payments import event_reading, events
from domain.payments.many import unused
from domain.states import LinkState, PauseReason
from sandbox.slack import LocalSlack
from sandbox.stripe.server import LocalStripe
from tests.conftest import SHIPPED_SYNCHRONOUS
from tests.domain.factories import NOW, make_invoice, make_ledger, make_link, make_organisation
from tests.domain.files.test_importing_twins import before

MANIFEST = yaml.safe_load((Path(__file__).parents[3] / "manifest.yml").read_text())


@dataclass
class World:
    slack: LocalSlack
    stripe: LocalStripe
    env: dict[str, str]
    channel: str

    async def examine(self, **more: str) -> tuple[int, str]:
        """The exit status and what was printed. The doctor has a loop of its own, as on the command line."""
        out = io.StringIO()
        console = Console(file=out, highlight=False, soft_wrap=True)
        status = await asyncio.to_thread(examine, self.env | more, console)
        return status, out.getvalue()

    def prepared(self) -> Database:
        db = Database(self.env["DATABASE_URL"])
        upgrade(db.engine)
        return db


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(database, "SYNCHRONOUS", SHIPPED_SYNCHRONOUS)
    slack = LocalSlack(MANIFEST)
    await slack.start()
    async with LocalStripe() as stripe:
        channel = slack.workspace.add_channel("payments")
        env = {
            "HOME": str(tmp_path),
            "DATABASE_URL": f"sqlite:///{tmp_path}/paylink.sqlite3",
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.workspace.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "STRIPE_API_URL": stripe.api_url,
            "STRIPE_API_KEY": stripe.api_key,
            "STRIPE_WEBHOOK_SECRET": "whsec_1",
            "PORT": "3000",
            "PAYLINK_NOTIFICATION_CHANNEL": channel,
        }
        yield World(slack, stripe, env, channel)
    await slack.stop()


async def test_all_well_is_status_0_and_no_cross(world: World) -> None:
    db = world.prepared()
    db.run(organisations.ensure, world.slack.workspace.team_id, "Paylink", world.channel)
    db.close_now()

    status, told = await world.examine()

    assert status == 0
    assert "✗" not in told
    assert "test mode" in told
    assert f"can read {world.channel}" in told


async def test_it_makes_no_database(world: World, tmp_path: Path) -> None:
    status, told = await world.examine()

    assert status == 0
    assert "the first start makes it" in told
    assert not (tmp_path / "paylink.sqlite3").exists()


@pytest.mark.parametrize("place", ["/proc/nonexist", "/proc", "{file}"])
async def test_a_database_file_that_the_first_start_cannot_make_is_told(
    place: str, world: World, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    path = f"{place.format(file=tmp_path / 'file')}/paylink.sqlite3"

    status, told = await world.examine(DATABASE_URL=f"sqlite:///{path}")

    assert status == 1
    assert f"✗ Database: The database file {path} can't be made: " in told
    assert "See that DATABASE_URL is right" in told


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_trying_out_where_the_database_goes_leaves_nothing(world: World, tmp_path: Path) -> None:
    before = names(tmp_path)
    status, told = await world.examine(DATABASE_URL=f"sqlite:///{tmp_path}/deep/below/paylink.sqlite3")

    assert status == 0
    assert "the first start makes it" in told
    assert names(tmp_path) == before


async def test_what_waits_for_stripe_and_what_it_sends_in_vain_is_told(world: World) -> None:
    db = world.prepared()
    make_organisation(db, "T0STRIPE")
    ledger, now = make_ledger(db), datetime.now(UTC)
    event = event_reading.Received("evt_1", "charge.dispute.created", "dp_1", None, now)
    db.run(events.keep, ledger, [event])
    db.run(events.wait_for, ledger, event, "missing", timedelta(hours=1))
    for days, told in ((1, "v1.customer.created"), (8, "invoice.paid")):
        db.run(unused.note_unused, ledger, told, now - timedelta(days=days))
    db.close_now()

    status, told = await world.examine()

    assert status == 0
    assert "! Stripe: it doesn't show yet what 1 of its events tell (1 missing)." in told
    assert "! Webhook: Stripe sends events that Paylink has no use for: v1.customer.created." in told


async def test_what_the_key_may_not_read_of_stripes_events_is_named(world: World) -> None:
    db = world.prepared()
    make_organisation(db, "T0STRIPE")
    ledger, now = make_ledger(db), datetime.now(UTC)
    for number, told in enumerate(("charge.dispute.created", "charge.dispute.updated", "refund.created")):
        event = event_reading.Received(
            f"evt_{number}", told, "ch_1", "pi_1", now, team_id="T0STRIPE", thin=True
        )
        db.run(events.keep, ledger, [event])
        db.run(events.hold, ledger, event, "forbidden", timedelta(hours=1))
    db.close_now()

    status, told = await world.examine()

    assert status == 1
    assert "✗ Stripe: the key may not read what 3 of its events tell of: refunds, disputes." in told
    assert "(Charges and Refunds: Read, Disputes: Read)" in told
    assert "doesn't show yet" not in told


@pytest.mark.parametrize(("seconds", "told"), [(1800, "behind"), (-1800, "ahead of"), (30, None)])
async def test_a_clock_that_differs_from_stripes_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: int, told: str | None
) -> None:
    monkeypatch.setattr(world.stripe, "_clock", lambda: time.time() + seconds)
    status, printed = await world.examine()
    assert status == 0
    assert ("! Clock" in printed) is (told is not None)
    if told:
        assert f"this machine's is 30 minutes {told} Stripe's" in printed


async def test_the_account_and_mode_are_told_or_the_permission_that_tells(world: World) -> None:
    _, told = await world.examine()
    assert f"✓ Stripe: the key is of the account {world.stripe.account} in test mode." in told

    world.stripe.add_key("rk_test_aaaaaaaaaaaaaaaa", without={"rak_accounts_kyc_basic_read"})
    status, told = await world.examine(STRIPE_API_KEY="rk_test_aaaaaaaaaaaaaaaa")
    assert status == 0
    assert "! Stripe: the key may not read which account it is of (test mode)." in told
    assert "rak_accounts_kyc_basic_read" in told


@pytest.mark.parametrize(
    ("minutes", "status", "reason", "told"),
    [
        (14, "Pending Payment", None, "✓ Stripe: last checked"),
        (16, "Pending Payment", None, "See that `paylink serve` runs."),
        (16, "Pending Payment", PauseReason.STRIPE_AWAY, "Stripe couldn't be reached."),
        (170, None, None, "✓ Stripe: last checked"),
        (190, None, None, "that is late, it should be every 3600 seconds."),
    ],
)
async def test_a_check_that_is_late_is_told_with_its_reason(
    world: World, minutes: int, status: str | None, reason: PauseReason | None, told: str
) -> None:
    db, now = world.prepared(), datetime.now(UTC)
    make_ledger(db, last_checked_at=now - timedelta(minutes=minutes), pause_reason=reason)
    make_link(
        db,
        make_invoice(db),
        state=LinkState.CREATED if status else LinkState.REFUSED,
        created_at=now if status else None,
    )
    if not status:
        db.run(
            lambda session: session.execute(sa.update(Ledger).values(events_watermark=now, swept_until=now))
        )
    db.close_now()

    exit_status, printed = await world.examine()

    assert exit_status == 0
    assert told in printed
    assert ("that is late" in printed) is (minutes in (16, 190))


async def test_a_malformed_setting_is_told(world: World) -> None:
    status, told = await world.examine(PORT="eighty")

    assert status == 1
    assert "✗ Settings: PORT must be" in told


async def test_missing_settings_are_told(world: World) -> None:
    status, told = await world.examine(STRIPE_API_KEY="", SLACK_BOT_TOKEN="")

    assert status == 1
    assert "SLACK_BOT_TOKEN and STRIPE_API_KEY aren't set" in told


async def test_a_webhook_without_a_secret_is_told(world: World) -> None:
    status, told = await world.examine(STRIPE_WEBHOOK_SECRET="")

    assert status == 0
    assert "! Webhook: STRIPE_WEBHOOK_SECRET isn't set" in told


async def test_a_setting_that_is_none_is_noted_with_the_nearest_that_is_one(world: World) -> None:
    status, told = await world.examine(PAYLINK_POL_SECONDS="60")

    assert status == 0
    assert "! Settings: PAYLINK_POL_SECONDS is no setting of Paylink's: PAYLINK_POLL_SECONDS is." in told


async def test_tokens_that_slack_refuses_are_told(world: World) -> None:
    world.slack.revoke(world.slack.app_token)
    status, told = await world.examine()
    assert status == 1
    assert "✗ Socket Mode: Slack refuses SLACK_APP_TOKEN (token_revoked)" in told

    world.slack.revoke(world.slack.workspace.bot_token)
    status, told = await world.examine()
    assert status == 1
    assert "✗ Slack: it refuses SLACK_BOT_TOKEN (token_revoked)" in told


async def test_a_missing_scope_is_told_with_what_is_lost(world: World) -> None:
    world.slack.workspace.scopes.remove("files:write")

    status, told = await world.examine()

    assert status == 1
    assert "✗ Scopes: files:write is missing, so Download doesn't work" in told


async def test_a_channel_without_the_bot_is_told(world: World) -> None:
    await world.slack.workspace.kick_bot(world.channel)

    status, told = await world.examine()

    assert status == 1
    assert f"✗ Notification channel: {world.channel} can't be read (not_in_channel)" in told
    assert "/invite" in told


async def test_no_channel_at_all_is_told(world: World) -> None:
    status, told = await world.examine(PAYLINK_NOTIFICATION_CHANNEL="")

    assert status == 1
    assert "✗ Notification channel: there is none, so announcements wait" in told


async def test_slack_and_stripe_away_are_told(world: World) -> None:
    world.slack.app.faults.outage = True
    world.stripe.faults.outage()

    status, told = await world.examine()

    assert status == 1
    assert told.count("✗ Slack: it can't be reached") == 1
    assert told.count("✗ Socket Mode: Slack can't be reached") == 1
    assert "✗ Stripe: it can't be reached" in told


@pytest.mark.parametrize("body", ["", "<html>", "[]", "[1]", '"ok"'])
@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        ("auth.test", "✗ Slack: it can't be reached."),
        ("apps.connections.open", "✗ Socket Mode: Slack can't be reached (status 502)."),
        ("conversations.history", "can't be read, since Slack can't be reached (status 502)."),
    ],
)
async def test_an_answer_that_is_not_slacks_means_that_slack_is_away(
    method: str, sentence: str, body: str, world: World
) -> None:
    world.slack.app.faults.add(method=method, do="garbled", status=502, body=body, times=None)

    status, told = await world.examine()

    assert status == 1
    assert sentence in told
    assert "Stripe:" in told


async def test_an_answer_without_a_workspace_means_that_slack_is_away(world: World) -> None:
    world.slack.app.faults.add(
        method="auth.test", do="garbled", status=200, body='{"ok": true, "team_id": null}', times=None
    )

    status, told = await world.examine()

    assert status == 1
    assert "✗ Slack: it can't be reached." in told


@pytest.mark.parametrize("http_status", [200, 403, 404])
async def test_what_answers_in_stripes_place_is_told(http_status: int, world: World) -> None:
    world.stripe.faults.add("garbled", times=None, status=http_status)

    status, told = await world.examine()

    assert status == 1
    assert "✗ Stripe: what answers isn't Stripe" in told


async def test_a_key_without_permissions_is_told_which_it_lacks(world: World) -> None:
    world.stripe.add_key(
        "rk_test_little",
        permissions=[
            "rak_payment_link_read",
            "rak_checkout_session_read",
            "rak_event_read",
            "rak_dispute_read",
        ],
    )

    status, told = await world.examine(STRIPE_API_KEY="rk_test_little")

    assert status == 1
    assert "✗ Stripe: the key lacks permissions: Payment Links: Write, Charges and Refunds: Read." in told


async def test_a_key_that_stripe_refuses_is_told(world: World) -> None:
    status, told = await world.examine(STRIPE_API_KEY="sk_test_unknown")

    assert status == 1
    assert "✗ Stripe: it refuses STRIPE_API_KEY" in told
    assert "sk_test_unknown" not in told


async def test_probing_the_key_makes_nothing_at_stripe(world: World) -> None:
    await world.examine()

    assert world.stripe.links() == []


async def test_messages_that_wait_for_people_are_told(world: World) -> None:
    db = world.prepared()
    organisation = db.run(organisations.ensure, world.slack.workspace.team_id, "Paylink", world.channel)
    db.run(
        lambda session: session.add(
            OutboxMessage(
                organisation_id=organisation.id,
                kind="paid",
                subject="s",
                key="k",
                enqueued_at=NOW,
                next_attempt_at=NOW,
                state="unknown",
            )
        )
    )
    db.close_now()

    status, told = await world.examine()

    assert status == 1
    assert "✗ Announcements: 1 wait for you" in told


async def test_numbers_that_look_the_same_are_named(world: World) -> None:
    db = world.prepared()
    organisation = db.run(organisations.ensure, world.slack.workspace.team_id, "Paylink", world.channel)
    for number in ("INV-1", "INV\u20111", "INV-2"):
        before(db, number, organisation_id=organisation.id)
    folding.fold_all(db)
    db.close_now()

    status, told = await world.examine()

    assert status == 0
    alike = f"'INV-1' and 'INV\\u20111' ({organisation.team_id})."
    assert f"! Invoices: an older version kept numbers apart that look the same: {alike}" in told


async def test_another_schema_is_told(world: World) -> None:
    (Path(world.env["HOME"]) / "paylink.sqlite3").touch()

    status, told = await world.examine()

    assert status == 1
    assert "✗ Database: The database has no schema yet" in told


def test_the_scopes_asked_for_are_the_manifests() -> None:
    assert set(SCOPES | OPTIONAL) == set(MANIFEST["oauth_config"]["scopes"]["bot"])


async def test_a_scope_that_came_later_is_missed_and_nothing_is_wrong(world: World) -> None:
    db = world.prepared()
    db.run(organisations.ensure, world.slack.workspace.team_id, "Paylink", world.channel)
    db.close_now()
    world.slack.workspace.scopes.remove("im:history")

    status, told = await world.examine()

    assert status == 0
    assert "! Scopes: im:history is missing, so nobody is answered who writes to Paylink directly" in told


async def test_amounts_with_decimals_of_an_older_version_are_told(world: World) -> None:
    db = world.prepared()
    for number, currency, amount in (("L-1", "LYD", 1050), ("L-2", "LYD", 0), ("K-1", "KWD", 1050)):
        make_invoice(db, number, amount=amount, currency=currency)
    db.run(lambda session: session.execute(sa.text("UPDATE invoices SET changed_at = NULL")))
    db.close_now()
    _, told = await world.examine()
    expected = "! Invoices: an older version took amounts with two decimals in currencies that have others: 1 in LYD (T"
    assert expected in told


async def test_a_database_that_may_lose_commits_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.prepared().close_now()
    monkeypatch.setattr(examination, "list_weaknesses", lambda _session: {"synchronous_commit": "off"})

    status, told = await world.examine()

    assert status == 1
    assert "✗ Database: synchronous_commit is off, so what was committed may be lost" in told
