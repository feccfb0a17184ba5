"""A list of what is overdue: what Home counts as such, in list order, over pages, with a search, and as a file."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.files.exporting import export_page
from domain.invoices import list_page, number_search
from domain.invoices.list_page import find_page
from domain.models import Invoice
from domain.overview import sums
from domain.scope import Scope
from domain.states import Due, LinkStatus
from domain.summaries import InvoiceSummary
from tests.domain.factories import NOW, PAGE, make_invoice, make_link
from tests.domain.world import ADA, World

TODAY = NOW.date()


@pytest.fixture
def late(world: World) -> list[int]:
    """Three that are overdue, in list order, among others that aren't."""
    db = world.db
    long_ago, yesterday = TODAY - timedelta(days=9), TODAY - timedelta(days=1)
    pending = make_invoice(db, "LATE-3", due_date=long_ago)
    make_link(db, pending)
    second, first = (
        make_invoice(db, "LATE-2", due_date=yesterday),
        make_invoice(db, "LATE-1", due_date=long_ago),
    )
    make_link(db, make_invoice(db, "LATE-4", due_date=long_ago), status=LinkStatus.PAID)
    make_invoice(db, "LATE-5", due_date=TODAY)
    make_invoice(db, "LATE-6", due_date=None)
    make_invoice(db, "LATE-7", due_date=long_ago, amount=-5)
    void = make_invoice(db, "LATE-8", due_date=long_ago)
    db.run(
        lambda session: session.execute(
            sa.update(Invoice).where(Invoice.id == void).values(billing_state="void")
        )
    )
    return [first, second, pending]


def found(world: World, search: str = "", after: str | None = None, limit: int = 9) -> list[int]:
    return world.db.run(find_page, 1, search, status=None, after=after, limit=limit, due_before=TODAY)


@pytest.mark.parametrize("few", [list_page.FEW, 0])
@pytest.mark.parametrize("search", ["", "late", "acme"])
async def test_it_lists_what_home_counts_in_list_order(
    world: World, late: list[int], search: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_page, "FEW", few)
    monkeypatch.setattr(number_search, "FEW", few)
    assert found(world, search) == late
    owed = world.db.run(sums.read, 1, TODAY)
    assert owed is not None
    assert owed.overdue.invoices == len(late)
    pages, after = [], None
    while page := found(world, search, after, limit=1):
        pages += page
        after = world.db.run(_position_of, page[0])
    assert pages == late


def _position_of(session: Session, invoice_id: int) -> str | None:
    return session.scalar(sa.select(Invoice.position).where(Invoice.id == invoice_id))


async def test_a_list_stays_narrowed_to_it(world: World, late: list[int]) -> None:
    world.ahead += NOW - world.clock()
    opened = (await world.desk.open_list(ADA, shape=PAGE)).selection
    await world.desk.tick(
        ADA, opened.id, revision=1, displayed=set(), ticked=set(), acted_at="", opened_with=""
    )
    narrowed = await world.desk.narrow(ADA, opened.id, filter=Due.OVERDUE, search="", shape=PAGE)
    assert narrowed.selection.filter is Due.OVERDUE

    def listed(shown: tuple[InvoiceSummary, ...]) -> list[int]:
        return [one.id for one in shown]

    assert listed(narrowed.invoices) == late
    assert listed((await world.desk.show_list(ADA, opened.id, shape=PAGE)).invoices) == late
    fresh = await world.desk.refresh_list(ADA, opened.id, shape=PAGE)
    assert (listed(fresh.invoices), fresh.selection.filter) == (late, Due.OVERDUE)
    paid = await world.desk.narrow(ADA, opened.id, filter=LinkStatus.PAID, search="", shape=PAGE)
    assert [one.number for one in paid.invoices] == ["LATE-4"]
    assert paid.selection.filter is LinkStatus.PAID


async def test_a_file_of_it_has_the_same(world: World, late: list[int]) -> None:
    scope: Scope = world.db.run(world.accounts.get_scope, ADA.team_id)
    rows, _ = world.db.run(
        export_page, 1, scope.ledger_id, filter=Due.OVERDUE, search="", after="", today=TODAY
    )
    assert sorted(str(row[0]) for row in rows) == ["LATE-1", "LATE-2", "LATE-3"]
