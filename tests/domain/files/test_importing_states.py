"""Invoices that were settled or voided elsewhere, as the import's column ``state`` says."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.errors import NotEligible
from domain.files.importing import take
from domain.files.reading.invoice_file import open_path
from domain.files.reading.plain import HEADING
from domain.files.reading.records import BadLine
from domain.models import Invoice
from domain.money import Money
from domain.organisations import organisations
from domain.reasons import Reason
from domain.states import LinkStatus, Outcome
from tests.domain.factories import NOW, PAGE, TEAM, make_organisation
from tests.domain.test_refusals import touch
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(1_000, "USD")
REASONS = {"settled": Reason.SETTLED_ELSEWHERE, "void": Reason.VOID}


def imported(db: Database, tmp_path: Path, states: dict[str, str], *, column: bool = True) -> list[BadLine]:
    """Import invoices by number with the state that each has; return the bad lines."""
    path = tmp_path / "invoices.csv"
    lines = [
        f"{number},Acme,,10.00,USD,,2026-11-30,{',' + state if column else ''}"
        for number, state in states.items()
    ]
    path.write_text("\n".join([HEADING + (",state" if column else ""), *lines]) + "\n")
    bad: list[BadLine] = []
    organisation = db.run(organisations.get_by_team, TEAM)
    with open_path(path) as file:
        take(db, organisation, file.read(), now=NOW, on_bad=bad.append)
    return bad


def stored(db: Database) -> dict[str, tuple[str, str]]:
    """By number: the state, and whether it stands among the eligible (0) or not (1)."""
    found = sa.select(Invoice.number, Invoice.billing_state, Invoice.position)
    return {
        row.number: (row.billing_state, row.position[0])
        for row in db.run(lambda session: session.execute(found).all())
    }


def test_each_state_is_kept_and_blank_or_absent_is_open(db: Database, tmp_path: Path) -> None:
    make_organisation(db)
    assert not imported(db, tmp_path, {"O": "open", "S": "settled", "V": "void", "B": ""})
    assert stored(db) == {"O": ("open", "0"), "S": ("settled", "1"), "V": ("void", "1"), "B": ("open", "0")}
    assert not imported(db, tmp_path, {"S": "open", "O": "void"})
    assert (stored(db)["S"], stored(db)["O"]) == (("open", "0"), ("void", "1"))
    assert not imported(db, tmp_path, {"O": "", "V": ""}, column=False)
    assert (stored(db)["O"], stored(db)["V"]) == (("open", "0"), ("open", "0"))


@pytest.mark.parametrize("state", ["Open", "VOID", "paid", "settled void", "0"])
def test_another_state_is_refused_with_its_line_and_nothing_else_is(
    db: Database, tmp_path: Path, state: str
) -> None:
    make_organisation(db)
    [bad] = imported(db, tmp_path, {"GOOD": "void", "BAD": state})
    assert (bad.line, bad.reason) == (
        3,
        f"state: write open, settled or void, or leave it blank, which is open (it says “{state}”)",
    )
    assert set(stored(db)) == {"GOOD"}


def test_json_lines_may_say_the_state(db: Database, tmp_path: Path) -> None:
    make_organisation(db)
    path = tmp_path / "invoices.jsonl"
    path.write_text(
        '{"number": "J", "buyer_name": "Acme", "billing_amount": "10.00", "currency": "USD", "state": "void"}\n'
        '{"number": "K", "buyer_name": "Acme", "billing_amount": "10.00", "currency": "USD", "state": null}\n'
    )
    with open_path(path) as file:
        take(db, db.run(organisations.get_by_team, TEAM), file.read(), now=NOW)
    assert stored(db) == {"J": ("void", "1"), "K": ("open", "0")}


@pytest.mark.parametrize("state", REASONS)
async def test_no_link_can_be_created_whoever_looked_before(world: World, tmp_path: Path, state: str) -> None:
    make_organisation(world.db)
    imported(world.db, tmp_path, {"ONE": "open", "TWO": "open"})
    list_id = (await world.desk.open_list(ADA, shape=PAGE)).selection.id
    await touch(world, ADA, list_id)
    await world.desk.select_page(ADA, list_id, shape=PAGE)
    seal = (await world.desk.confirm(ADA, list_id)).seal
    imported(world.db, tmp_path, {"ONE": state})

    found = await world.desk.find_invoice(ADA, "ONE")
    assert found is not None
    assert found.reason is REASONS[state]
    with pytest.raises(NotEligible) as refused:
        await world.desk.create_link(ADA, found.id, SEEN, patience=PATIENCE)
    assert refused.value.reason is REASONS[state]

    run = await world.desk.start_run(ADA, list_id, seal=seal, submission="V1", view_id="V1")
    outcomes = {item.number: (item.outcome, item.reason) for item in run.items}
    assert outcomes == {"ONE": (Outcome.SKIPPED, REASONS[state]), "TWO": (Outcome.BEING_CREATED, None)}
    confirmed = await world.desk.open_list(ADA, shape=PAGE)
    assert [one.number for one in confirmed.invoices if one.reason is REASONS[state]] == ["ONE"]


async def test_a_link_that_is_there_stays_and_says_first_what_it_stands_at(
    world: World, tmp_path: Path
) -> None:
    make_organisation(world.db)
    imported(world.db, tmp_path, {"ONE": "open"})
    found = await world.desk.find_invoice(ADA, "ONE")
    assert found is not None
    await world.desk.create_link(ADA, found.id, SEEN, patience=PATIENCE)
    imported(world.db, tmp_path, {"ONE": "settled"})
    found = await world.desk.find_invoice(ADA, "ONE")
    assert found is not None
    assert (found.status, found.reason) == (LinkStatus.PENDING_PAYMENT, Reason.PENDING_PAYMENT)
