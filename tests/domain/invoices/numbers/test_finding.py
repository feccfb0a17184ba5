"""What people type for an invoice is found, and nothing is guessed where several are meant."""

import pytest

from domain.desk import Desk
from domain.overview.summaries import LookedUp
from tests.domain.factories import make_invoice, make_link, make_organisation, make_payment
from tests.domain.world import ADA, World


def told(found: LookedUp) -> list[str]:
    """The number that is meant, or those that may be."""
    if found.details is not None:
        return [f"= {found.details.invoice.number}"]
    return [one.number for one in found.options]


@pytest.fixture
def desk(world: World) -> Desk:
    stranger = make_organisation(world.db, "T0OTHER")
    for number in ("INV-1003", "ZZ-1008"):
        make_invoice(world.db, number, organisation_id=stranger)
    for number in (
        "INV-1002",
        "INV-1003",
        "INV-11007",
        "INV-1007",
        "CR/1004",
        "7",
        "INV 2 B",
        "CR/20261130009",
        "X-1255",
        "X-３４５５",
    ):
        make_invoice(world.db, number)
    return world.desk


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("INV-1003", ["= INV-1003"]),
        ("#INV-1003", ["= INV-1003"]),
        ("INV1003", ["= INV-1003"]),
        ("'1003'", ["= INV-1003"]),
        ("«INV-1003»", ["= INV-1003"]),
        ("invoice 1003", ["= INV-1003"]),
        ("please show INV-1003 to me", ["= INV-1003"]),
        ("inv 1003", ["= INV-1003"]),
        ("inv/1003", ["= INV-1003"]),
        ("INV–1003\u200b", ["= INV-1003"]),
        ("\u00a0INV\u00a01003", ["= INV-1003"]),
        ("INV-1002 please", ["= INV-1002"]),
        ("INV-1002, thanks a lot!", ["= INV-1002"]),
        ("inv 1002 please", ["= INV-1002"]),
        ("INV 2 B", ["= INV 2 B"]),
        ("1003", ["= INV-1003"]),
        ("#1003", ["= INV-1003"]),
        ("1004 please", ["= CR/1004"]),
        ("7", ["= 7"]),
        ("1007", ["INV-1007", "INV-11007"]),
        ("1008", []),
        ("009", ["= CR/20261130009"]),
        ("１００３", ["= INV-1003"]),
        ("55", ["X-1255", "X-３４５５"]),
        ("cr 1004", ["= CR/1004"]),
        ("INV-9", []),
        ("", []),
        ("please", []),
        ("-", []),
        ("%", []),
        ("№1003", ["= INV-1003"]),
        ("no.1003", ["= INV-1003"]),
        ("Invoice-1003", ["= INV-1003"]),
        ("the 2nd time INV-1003", ["= INV-1003"]),
        ("INV-1003, INV-1002", ["INV-1002", "INV-1003"]),
        ("INV-1002;INV-1003", ["INV-1002", "INV-1003"]),
        ("1003+CR/1004", ["CR/1004", "INV-1003"]),
        ("INV-1003 of 7 November", ["= INV-1003"]),
        ("INV-1003 USD 1,004", ["= INV-1003"]),
    ],
)
async def test_what_is_typed_is_found(desk: Desk, typed: str, found: list[str]) -> None:
    assert told(await desk.look_up(ADA, typed)) == found


async def test_nothing_is_the_only_one_if_another_number_ends_so_however_long_it_is(world: World) -> None:
    for number in ("INV-1003", "INV-4441003"):
        make_invoice(world.db, number)
    for n in range(12):
        make_invoice(world.db, f"P{n}-77")
        make_invoice(world.db, f"Q-{n + 10}88")
    make_invoice(world.db, "Q-0088", due_date=None)

    assert told(await world.desk.look_up(ADA, "1003")) == ["INV-1003", "INV-4441003"]
    assert told(await world.desk.look_up(ADA, "4441003")) == ["= INV-4441003"]
    assert (await world.desk.look_up(ADA, "77")).more
    # Of many, that with nothing but noughts before the digits is among those that are offered.
    assert "Q-0088" in told(await world.desk.look_up(ADA, "88"))


async def test_a_buyer_whose_name_ends_like_a_number_is_a_buyer(world: World) -> None:
    make_invoice(world.db, "INV-54")
    make_invoice(world.db, "X-1", buyer_name="Studio 54 Ltd")
    assert told(await world.desk.look_up(ADA, "studio 54")) == ["X-1"]


@pytest.mark.parametrize("typed", ["INV-1O03", "INV-1030", "INV-103", "INV-10003", "NV-1003", "INV-1005"])
async def test_what_is_one_slip_away_is_among_the_nearest(world: World, typed: str) -> None:
    for number in (1003, *range(2000, 2100)):
        make_invoice(world.db, f"INV-{number}")
    assert "INV-1003" in [one.number for one in await world.desk.find_nearest(ADA, typed)]


async def test_a_buyers_invoices_are_offered_ten_at_most(world: World) -> None:
    for n in range(12):
        make_invoice(world.db, f"K-{n:02}", buyer_name="Red Kestrel Ltd")
    make_invoice(world.db, "X-1", buyer_name="Heron")

    found = await world.desk.look_up(ADA, "kestrel")

    assert told(found) == [f"K-{n:02}" for n in range(10)]
    assert found.more
    assert await world.desk.look_up(ADA, "heron") != LookedUp()
    assert not (await world.desk.look_up(ADA, "heron")).more


async def test_what_stripe_calls_it_is_found(world: World) -> None:
    url = "https://buy.stripe.com/test_abc"
    make_link(
        world.db,
        make_invoice(world.db, "INV-1"),
        ledger_id=world.account.ledger_id,
        stripe_id="plink_1Abc",
        url=url,
    )

    for typed in (
        url,
        f"{url}.",
        f"{url}?prefilled_email=a%40b.c",
        f"<{url}>",
        f"<{url}|link>",
        "buy.stripe.com/test_abc",
        "http://Buy.Stripe.com/test_abc/",
        "plink_1Abc",
        "see plink_1Abc please",
    ):
        assert told(await world.desk.look_up(ADA, typed)) == ["= INV-1"]
    for typed in (f"{url}d", "plink_2", "pi_1"):
        assert await world.desk.look_up(ADA, typed) == LookedUp()


async def test_a_checkout_session_is_told_from_a_number_with_the_same_beginning(world: World) -> None:
    make_invoice(world.db, "CS-1001")
    make_payment(
        world.db,
        make_link(world.db, make_invoice(world.db, "INV-1"), ledger_id=world.account.ledger_id),
        session_id="cs_test_a1B2",
    )

    for typed, found in (("cs_1001", ["= CS-1001"]), ("cs_test_a1B2", ["= INV-1"]), ("cs_live_a1", [])):
        assert told(await world.desk.look_up(ADA, typed)) == found


async def test_another_organisations_link_is_not_found(world: World) -> None:
    stranger = make_organisation(world.db, "T0OTHER")
    theirs = make_invoice(world.db, "INV-1", organisation_id=stranger)
    make_link(
        world.db, theirs, ledger_id=world.account.ledger_id, stripe_id="plink_theirs", url="https://x.test/1"
    )

    for typed in ("plink_theirs", "https://x.test/1"):
        assert await world.desk.look_up(ADA, typed) == LookedUp()
