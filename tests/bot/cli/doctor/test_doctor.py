"""The doctor says what is wrong and how to mend it, and exits 1 if something is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.cli.doctor import examination
from domain.invoices.numbers import folding
from domain.models import Ledger, OutboxMessage
from domain.organisations import organisations
from domain.states import LinkState, PauseReason
from tests.bot.cli.doctor.conftest import World
from tests.domain.factories import NOW, make_invoice, make_ledger, make_link
from tests.domain.files.test_importing_twins import before


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


async def test_slack_and_stripe_away_are_told(world: World) -> None:
    world.slack.app.faults.outage = True
    world.stripe.faults.outage()

    status, told = await world.examine()

    assert status == 1
    assert told.count("✗ Slack: it can't be reached") == 1
    assert told.count("✗ Socket Mode: Slack can't be reached") == 1
    assert "✗ Stripe: it can't be reached" in told


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
