"""One organisation's program tries another's, in every place of every route: the routes themselves say which places there are."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from bot.api.routes import ROUTES
from domain.models import AuditEntry, Base
from domain.organisations import organisations
from tests.bot.api.conftest import Answer, Client, Served, invoice
from tests.databases import on_sqlite
from tests.domain.factories import TEAM

NUMBER, BUYER = "HIDDEN-77", "Veiled Buyer"
MANY = 150
Place = tuple[str, str, str]
Attack = Callable[[Client, Served], Awaitable[Answer]]


def places() -> Iterator[Place]:
    """Each place in which a program may write something."""
    for route in ROUTES:
        for parameter in route.parameters:
            yield route.method, route.path, str(parameter["name"])
        if route.body is not None:
            yield route.method, route.path, "body"


def at(path: str) -> Attack:
    return lambda theirs, _: theirs.get(path)


async def go_on_with_our_cursor(theirs: Client, served: Served) -> Answer:
    ours = (await served.ours.get("/invoices")).body
    return await theirs.get(f"/invoices?cursor={ours['next']}")


async def go_on_with_our_cursor_of_changes(theirs: Client, served: Served) -> Answer:
    since = "changed_since=2020-01-01T00:00:00Z"
    ours = (await served.ours.get(f"/invoices?{since}")).body
    return await theirs.get(f"/invoices?{since}&cursor={ours['next']}")


async def put_our_number(theirs: Client, _: Served) -> Answer:
    return await theirs.ask("PUT", "/invoices", json={"invoices": [invoice(NUMBER, "7.00")]})


async def follow_our_position(theirs: Client, served: Served) -> Answer:
    ours = (await served.ours.get("/events")).body
    return await theirs.get(f"/events?after={ours['next']}")


async def expect_our_amount(theirs: Client, _: Served) -> Answer:
    expected = {"billing_amount": "47.11", "currency": "USD"}
    return await theirs.ask("POST", f"/invoices/{NUMBER}/payment-link", json=expected)


LINK = "/invoices/{number}/payment-link"
ATTACKS: dict[Place, tuple[Attack, ...]] = {
    ("PUT", "/invoices", "body"): (put_our_number,),
    ("GET", "/invoices", "status"): tuple(
        at(f"/invoices?status={status}") for status in ("not_created", "pending_payment", "paid")
    ),
    ("GET", "/invoices", "search"): (at("/invoices?search=HIDDEN"), at("/invoices?search=Veiled")),
    ("GET", "/invoices", "changed_since"): (at("/invoices?changed_since=2020-01-01T00:00:00Z"),),
    ("GET", "/invoices", "cursor"): (go_on_with_our_cursor, go_on_with_our_cursor_of_changes),
    ("GET", "/invoices/{number}", "number"): (at(f"/invoices/{NUMBER}"), at("/invoices/1")),
    ("POST", LINK, "number"): (
        lambda theirs, _: theirs.ask("POST", f"/invoices/{NUMBER}/payment-link"),
        lambda theirs, _: theirs.ask("POST", "/invoices/1/payment-link"),
    ),
    ("POST", LINK, "body"): (expect_our_amount,),
    ("GET", "/events", "after"): (at("/events"), at("/events?after=0"), follow_our_position),
}


def test_each_place_of_each_route_is_attacked() -> None:
    assert set(ATTACKS) == set(places())
    # What has no place for anything can't ask for anything of others.
    assert all(one.parameters or one.body for one in ROUTES)


def of_ours(session: Session) -> dict[str, list[Any]]:
    """Everything of our organisation's but its audit."""
    own = organisations.get_by_team(session, TEAM).id
    found = {}
    for table in Base.metadata.sorted_tables:
        if "organisation_id" in table.c and table is not AuditEntry.__table__:
            rows = session.execute(sa.select(table).where(table.c.organisation_id == own))
            found[table.name] = sorted(map(repr, rows))
    return found


@on_sqlite
@pytest.mark.parametrize(("method", "path", "place"), sorted(ATTACKS))
async def test_nothing_of_the_others_is_seen_counted_or_changed(
    served: Served, method: str, path: str, place: str
) -> None:
    hidden = invoice(NUMBER, "47.11", buyer_name=BUYER)
    await served.ours.put(
        [hidden, *(invoice(f"HIDDEN-{n}", buyer_name=BUYER) for n in range(100, 100 + MANY))]
    )
    assert (await served.ours.ask("POST", f"/invoices/{NUMBER}/payment-link")).status == 201
    await served.ours.get("/events")
    before = served.world.db.run(of_ours)
    assert before["invoices"]
    for attack in ATTACKS[method, path, place]:
        answer = await attack(served.theirs, served)
        told = repr(answer.body)
        assert answer.status in (200, 404, 409), answer
        assert BUYER not in told
        assert "buy.stripe.com" not in told
        # A number is told back to whoever brought it.
        assert "HIDDEN" not in told or attack is put_our_number
        if answer.status == 200 and attack is not put_our_number:
            assert (answer.body.get("invoices") or answer.body.get("events") or []) == []
    assert served.world.db.run(of_ours) == before
