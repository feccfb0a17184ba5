"""Finding a person's scope costs no way to the database of its own where the organisation is read anyway."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from domain.scope import Scope
from domain.states import Standing
from tests.databases import on_sqlite
from tests.domain.factories import PAGE, make_invoice
from tests.domain.world import ADA, World

LOOKS: dict[str, Callable[[World], Awaitable[object]]] = {
    "/invoice": lambda world: world.desk.look_up(ADA, "INV-1"),
    "/invoices": lambda world: world.desk.open_list(ADA, shape=PAGE),
    "the type-ahead": lambda world: world.desk.find_options(ADA, "inv"),
    "Home": lambda world: world.desk.get_home(ADA),
}


def test_a_day_begins_where_the_organisation_is() -> None:
    now = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    days = {
        zone: Scope(1, 1, True, zone=zone).today(now).day for zone in ("UTC", "Asia/Tokyo", "Nowhere/Known")
    }
    assert days == {"UTC": 30, "Asia/Tokyo": 1, "Nowhere/Known": 30}


@on_sqlite
async def test_the_zone_that_is_set_counts_at_once(world: World) -> None:
    world.ahead = datetime(2026, 11, 30, 23, 30, tzinfo=UTC) - datetime.now(UTC)
    invoice_id = make_invoice(world.db, "INV-1")
    assert (await world.desk.get_details(ADA, invoice_id)).today == date(2026, 11, 30)
    world.people.standings[ADA.user_id] = Standing.ADMINISTRATOR
    await world.desk.change_settings(ADA, zone="Asia/Tokyo")
    assert (await world.desk.get_details(ADA, invoice_id)).today == date(2026, 12, 1)


@pytest.mark.parametrize("look", LOOKS)
async def test_the_organisation_is_read_once(world: World, look: str) -> None:
    make_invoice(world.db, "INV-1")
    read: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM organisations" in statement:
            read.append(statement)

    sa.event.listen(world.db.engine, "before_cursor_execute", note)
    try:
        await LOOKS[look](world)
    finally:
        sa.event.remove(world.db.engine, "before_cursor_execute", note)
    assert len(read) == 1
