"""What a version with other rules put into the list stands where it belongs once this one has started."""

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.invoices import placing
from domain.invoices.placing import Placing
from domain.models import Invoice, Link
from domain.money import Money
from tests.domain.factories import make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

DUE = date(2026, 11, 30)


def put_as_before(db: Database, number: str, amount: int, currency: str, *, eligible: bool) -> int:
    """As a version before put it, which refused 100,000,000 and more, and took every currency of the list."""
    key = make_invoice(db, number, amount=amount, currency=currency, due_date=DUE)
    where = f"{0 if eligible else 1}|2026-11-30|{number.casefold()}"
    db.run(
        lambda session: session.execute(sa.update(Invoice).where(Invoice.id == key).values(position=where))
    )
    return key


def positions(db: Database) -> dict[str, str]:
    def read(session: Session) -> dict[str, str]:
        found = session.execute(sa.select(Invoice.number, Invoice.position))
        return {row.number: row.position for row in found}

    return db.run(read)


@pytest.mark.parametrize("at_once", [1, 2, 500])
async def test_each_invoice_comes_to_the_place_that_its_amount_has_now(
    db: Database, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(placing, "AT_ONCE", at_once)
    before: dict[str, Any] = {
        "HUF": (150_000_000, "HUF", False),
        "JPY": (100_000_000, "JPY", False),
        "USD": (100_000_000, "USD", False),
        "MOST": (999_999_999_999, "USD", False),
        "TOO-MUCH": (1_000_000_000_000, "USD", False),
        "SMALL": (120_050, "USD", True),
        "NOTHING": (0, "USD", False),
        "KWD": (100_000_001, "KWD", False),
        "BGN": (10_000, "BGN", True),
        "STD": (10_000, "STD", True),
        "IDR": (1_000_000_000_000, "IDR", True),
    }
    for number, (amount, currency, eligible) in before.items():
        put_as_before(db, number, amount, currency, eligible=eligible)

    await Placing(db).place_again()

    eligible = {number for number, position in positions(db).items() if position.startswith("0|")}
    assert eligible == {"HUF", "JPY", "USD", "MOST", "SMALL"}
    assert positions(db)["HUF"] == "0|2026-11-30|huf"


async def test_it_is_done_once(db: Database) -> None:
    placing = Placing(db)
    await placing.place_again()
    put_as_before(db, "LATER", 100_000_000, "USD", eligible=False)
    await placing.place_again()
    assert positions(db)["LATER"].startswith("1|")


async def test_an_invoice_whose_link_is_asked_for_stays_where_it_is(world: World) -> None:
    """The version before reserved a link in a currency that isn't money any more, or this one over a large amount."""
    key = make_invoice(world.db, "LARGE", amount=100_000_000)
    await world.desk.create_link(ADA, key, Money(100_000_000, "USD"), patience=PATIENCE)
    asked = make_invoice(world.db, "ASKED", amount=100_000_000, due_date=DUE)
    world.stripe.faults.outage()
    await world.desk.create_link(ADA, asked, Money(100_000_000, "USD"), patience=PATIENCE)
    before = positions(world.db)
    assert set(before) == {"LARGE", "ASKED"}
    assert world.db.run(lambda session: set(session.scalars(sa.select(Link.state)))) == {
        "created",
        "reserved",
    }

    await Placing(world.db).place_again()

    assert positions(world.db) == before
    assert all(position.startswith("1|") for position in before.values())
