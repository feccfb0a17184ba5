"""Finding a person's scope costs no way to the database of its own where the organisation is read anyway."""

from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa

from tests.domain.factories import PAGE, make_invoice
from tests.domain.world import ADA, World

LOOKS: dict[str, Callable[[World], Awaitable[object]]] = {
    "/invoice": lambda world: world.desk.look_up(ADA, "INV-1"),
    "/invoices": lambda world: world.desk.open_list(ADA, shape=PAGE),
    "the type-ahead": lambda world: world.desk.find_options(ADA, "inv"),
    "Home": lambda world: world.desk.get_home(ADA),
}


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
