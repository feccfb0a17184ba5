"""What Home tells of a real database: what needs somebody, what was paid lately, and what the reader did last."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from domain.models import BulkRun, BulkRunItem, FileImport, OutboxMessage, PaymentException
from domain.money import Money
from domain.overview.summaries import HomeSummary, Tally
from domain.scope import Scope
from domain.states import (
    AnnouncementKind,
    ExceptionKind,
    ImportState,
    LinkState,
    LinkStatus,
    MessageState,
    Outcome,
)
from tests.domain.factories import NOW, make_invoice, make_link
from tests.domain.world import ADA, BEN, World

DAY = timedelta(days=1)


async def shown(world: World, **values: Any) -> HomeSummary:
    return await world.desk.get_home(values.get("actor", ADA))


def scope_of(world: World) -> Scope:
    return world.db.run(world.accounts.get_scope, ADA.team_id)


def add(world: World, row: object) -> int:
    def write(session: Session) -> int:
        session.add(row)
        session.flush()
        return int(row.id)  # type: ignore[attr-defined]

    return world.db.run(write)


def paid(world: World, amount: int, currency: str, days_ago: int) -> None:
    at = world.clock() - days_ago * DAY
    invoice = make_invoice(world.db, amount=amount, currency=currency)
    make_link(
        world.db,
        invoice,
        ledger_id=scope_of(world).ledger_id,
        status=LinkStatus.PAID,
        paid_at=at,
        changed_at=at,
        amount=amount,
        currency=currency,
        amount_received=amount,
    )


async def test_what_was_paid_in_seven_days_has_a_sum_for_each_currency(world: World) -> None:
    for amount, currency, days in ((100, "USD", 1), (20, "USD", 6), (5, "EUR", 2), (999, "USD", 8)):
        paid(world, amount, currency, days)
    found = await shown(world)
    assert found.paid_lately == Tally(3, (Money(5, "EUR"), Money(120, "USD")))
    assert found.paid == 4
    assert [one.amount.amount for one in found.lately_paid] == [100, 5, 20, 999]


def run_with_refused(world: World, by: str, link_state: LinkState) -> int:
    ledger = scope_of(world).ledger_id
    invoice = make_invoice(world.db)
    link = make_link(world.db, invoice, ledger_id=ledger, state=link_state)
    run = BulkRun(
        organisation_id=1,
        ledger_id=ledger,
        submission=f"create:{invoice}",
        requested_by=by,
        requested_at=world.clock(),
        finished_at=world.clock(),
    )
    run_id = add(world, run)

    def items(session: Session) -> None:
        given = {"run_id": run_id, "invoice_id": invoice, "link_id": link}
        session.add(BulkRunItem(ordinal=1, outcome=Outcome.FAILED, refusal="No", **given))
        session.add(BulkRunItem(ordinal=2, outcome=Outcome.CREATED, **given))

    world.db.run(items)
    return run_id


async def test_a_run_needs_somebody_until_what_failed_of_it_has_a_link(world: World) -> None:
    of_ben = run_with_refused(world, BEN.user_id, LinkState.REFUSED)
    mended = run_with_refused(world, ADA.user_id, LinkState.CREATED)
    found = await shown(world)
    assert [(run.id, run.failed, run.created, run.invoices) for run in found.failed_runs] == [
        (of_ben, 1, 1, 2)
    ]
    assert [(run.id, run.failed) for run in found.runs] == [(mended, 1)]
    world.ahead += 8 * DAY
    assert (await shown(world)).failed_runs == ()


async def test_exceptions_are_counted_by_kind_and_deadlines_come_nearest_first(world: World) -> None:
    ledger = scope_of(world).ledger_id
    kinds = [ExceptionKind.REFUNDED, ExceptionKind.DISPUTED, ExceptionKind.DISPUTED]
    for number, kind in enumerate(kinds):
        due_by = None if kind is ExceptionKind.REFUNDED else NOW + (5 - number) * DAY
        values: dict[str, Any] = {"stripe_object": "dp_1", "amount": number, "currency": "USD"}
        add(
            world,
            PaymentException(
                ledger_id=ledger,
                organisation_id=1,
                key=f"key-{number}",
                kind=kind,
                seen_at=NOW,
                due_by=due_by,
                **values,
            ),
        )
    found = await shown(world)
    assert found.exceptions == 3
    assert found.kinds == ((ExceptionKind.DISPUTED, 2), (ExceptionKind.REFUNDED, 1))
    assert [one.amount for one in found.deadlines] == [Money(2, "USD"), Money(1, "USD")]


async def test_announcements_that_slack_refuses_wait_and_say_why(world: World) -> None:
    for number, problem in enumerate(["internal_error", None]):
        add(
            world,
            OutboxMessage(
                organisation_id=1,
                kind=AnnouncementKind.CHANNEL_LOST,
                subject=f"subject-{number}",
                key=f"key-{number}",
                enqueued_at=NOW,
                next_attempt_at=NOW,
                state=MessageState.WAITING,
                problem=problem,
            ),
        )
    found = await shown(world)
    assert (found.undelivered, found.undelivered_because) == (1, ("internal_error",))


async def test_imports_are_the_readers_that_were_begun(world: World) -> None:
    states = [ImportState.PREVIEWED, ImportState.FINISHED, ImportState.CONFIRMED]
    for user in (ADA, BEN):
        for state in states:
            add(
                world,
                FileImport(
                    organisation_id=1,
                    user_id=user.user_id,
                    name=f"{user.user_id} {state}",
                    content=b"x",
                    digest="",
                    reading="",
                    state=state,
                    brought_at=NOW,
                    batch="",
                    previewed="{}",
                ),
            )
    found = await shown(world)
    assert [one.name for one in found.imports] == [f"{ADA.user_id} confirmed", f"{ADA.user_id} finished"]


async def test_what_waits_longest_past_its_due_date_comes_first(world: World) -> None:
    ledger = scope_of(world).ledger_id
    for days in (3, 1, 2):
        invoice = make_invoice(world.db, f"INV-{days}", due_date=(NOW + days * DAY).date())
        make_link(world.db, invoice, ledger_id=ledger)
    assert [one.number for one in (await shown(world)).waiting] == ["INV-1", "INV-2", "INV-3"]
