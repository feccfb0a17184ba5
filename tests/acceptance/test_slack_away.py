"""Announcements while Slack is away and then limits them, through Slack's protocol.

On SQLite: what is written down meanwhile, tests/domain/messages and tests/faults/test_long_outages.py hold on both.
"""

import asyncio
import io
import itertools
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from rich.console import Console
from sqlalchemy.orm import Session

from bot.cli.doctor.examination import examine
from bot.stop import Stop
from domain.messages import announcing
from domain.migrations import prepare
from domain.models import OutboxMessage
from domain.organisations import organisations
from domain.outbox import enqueuing
from domain.states import LinkStatus
from tests.acceptance.conftest import World, Worlds
from tests.domain.factories import make_link, make_payment

MESSAGES = 4
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def pay(world: World, number: str) -> None:
    """A payment as it is recorded, with its announcement."""
    invoice = world.add_invoice(number)
    (ledger,) = [account.ledger_id for account in world.service.bot.accounts]
    link_id = make_link(world.db, invoice, ledger_id=ledger, status=LinkStatus.PAID)
    make_payment(world.db, link_id)


def begun_posted(session: Session) -> tuple[list[datetime], int]:
    """When the last attempt at each message began, and how many are posted."""
    messages = session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.id)).all()
    begun = [message.last_attempted_at for message in messages if message.last_attempted_at is not None]
    return begun, sum(message.state == "posted" for message in messages)


async def test_after_an_outage_and_429s_all_stand_there_once_in_order_and_one_a_second(
    sqlite_worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "LOOK_AGAIN", 0.1)
    world = await sqlite_worlds.make(PAYLINK_LEASE_SECONDS="3", PAYLINK_MARGIN_SECONDS="0.5")

    def asked(method: str) -> list[float]:
        return [call.at for call in world.slack.app.calls if call.method == method]

    await world.slack.outage()
    for n in range(MESSAGES):
        pay(world, f"INV-{n}")
    # Whether the first post was taken isn't known, and its channel can't be read either.
    await world.until(lambda: asked("conversations.history"))
    limited = world.slack.app.faults.add(
        method="chat.postMessage", do="status", status=429, seconds=1, times=2
    )
    await world.slack.outage(False)
    back = len(asked("chat.postMessage"))
    await world.until(lambda: len(world.announced()) == MESSAGES)
    await world.until(lambda: world.db.run(begun_posted)[1] == MESSAGES)

    assert limited.struck == 2
    numbers = [text.split("INV-")[1][0] for text in world.announced()]
    assert numbers == [str(n) for n in range(MESSAGES)]
    # As the bot began them: on a busy machine a request that left a second after another arrives sooner after it.
    begun = world.db.run(begun_posted)[0]
    assert all(later - earlier >= timedelta(seconds=1) for earlier, later in itertools.pairwise(begun))
    refused = asked("chat.postMessage")[back : back + 3]
    # The local Slack takes its time by another clock.
    assert [later - earlier >= 0.95 for earlier, later in itertools.pairwise(refused)] == [True, True]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("token_expired", "without token rotation"),
        ("account_inactive", "install the app again"),
        ("org_login_required", "is being moved into an Enterprise organisation"),
        ("ekm_access_denied", "Enterprise Key Management"),
    ],
)
async def test_a_token_that_stops_working_is_told_with_its_cure(
    sqlite_worlds: Worlds, code: str, words: str
) -> None:
    world = await sqlite_worlds.make()
    fault = world.slack.faults.add(method="chat.*", do="error", error=code, times=None)
    pay(world, "INV-1001")

    await world.until(lambda: "slack" in world.service.bot.health.reasons)
    reasons = world.service.bot.health.reasons
    assert code in reasons["slack"]
    assert words in reasons["slack"]
    status, told = await world.get("/readyz")
    assert (status, told["reasons"]["slack"]) == (503, reasons["slack"])

    world.slack.faults.add(method="auth.test", do="error", error=code, times=None)
    said = await doctored(world)
    assert f"it refuses SLACK_BOT_TOKEN ({code})" in said
    assert words in said
    assert fault.struck


async def test_an_org_wide_token_ends_the_start_and_nothing_is_written(sqlite_worlds: Worlds) -> None:
    slack, stripe = await sqlite_worlds.services("socket")
    slack.workspace.join_enterprise("E0GRID", org_wide=True)
    service = await sqlite_worlds.start(sqlite_worlds.settings(slack, stripe, "socket", "C0PAYMENTS"))

    with pytest.raises(Stop, match="org-wide installation") as stop:
        await service.run_until(asyncio.Event())

    assert stop.value.status == 2
    # Slack may have refused before there was a schema.
    await asyncio.to_thread(prepare, service.bot.db.engine)
    assert service.bot.db.run(organisations.list_all) == ()


@pytest.mark.parametrize("code", ["message_limit_exceeded", "access_denied", "something_new"])
async def test_one_message_that_slack_refuses_for_its_own_reasons_holds_up_no_other(
    sqlite_worlds: Worlds, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "LONGEST_DELAY", 0.2)
    world = await sqlite_worlds.make()
    world.slack.faults.add(
        method="chat.postMessage", do="error", error=code, containing="INV-1001", times=None
    )
    pay(world, "INV-1001")
    pay(world, "INV-1002")

    await world.until(lambda: world.announced())
    assert "INV-1002" in world.announced()[0]
    await world.until(lambda: world.db.run(enqueuing.list_stuck))
    await world.workspace.open_home(world.alice)
    home = await world.workspace.wait_for(lambda: world.workspace.home(world.alice))
    assert home is not None
    assert code in str(home.payload)
    assert code in await doctored(world)


async def test_a_channel_that_takes_nothing_is_told_by_slacks_code_and_nothing_is_lost(
    sqlite_worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcing, "LONGEST_DELAY", 0.2)
    world = await sqlite_worlds.make()
    fault = world.slack.faults.add(
        method="chat.postMessage", do="error", error="access_denied", containing=world.channel, times=None
    )
    pay(world, "INV-1001")
    pay(world, "INV-1002")

    known = world.workspace.team_id
    await world.until(lambda: world.db.run(organisations.get_by_team, known).channel_problem)
    assert "access_denied" in await doctored(world)
    world.slack.faults.active.remove(fault)
    await world.until(lambda: len(world.announced()) == 2)
    await world.until(lambda: not world.db.run(organisations.get_by_team, known).channel_problem)


async def doctored(world: World) -> str:
    out = io.StringIO()
    await asyncio.to_thread(examine, world.env, Console(file=out, highlight=False, soft_wrap=True))
    return out.getvalue()
