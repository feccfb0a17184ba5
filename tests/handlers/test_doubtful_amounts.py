"""Amounts that a buyer may be unable to pay are warned of, in words, and nothing is withheld for them."""

import pytest

from domain.lists.summaries import Confirmation
from domain.money import Money
from domain.reasons import Reason
from handlers.views.confirmation import confirmation
from handlers.views.details import details
from sandbox.slack.blocks.surfaces import check_view
from tests.handlers.samples import invoice, organisation, paid, with_link
from tests.handlers.shapes import LARGEST, STRIPE, TODAY, buttons, flat

SMALL, LARGE = Money(49, "USD"), Money(100_000_000, "USD")
WORDS = {
    SMALL: "USD 0.49 is less than Stripe usually takes",
    LARGE: "USD 1,000,000.00 is more than some cards take",
}


@pytest.mark.parametrize("amount", WORDS, ids=str)
def test_the_details_warn_before_and_after_the_link_is_created_and_not_once_it_is_paid(amount: Money) -> None:
    one = invoice(1, amount=amount)
    before = details(one, organisation(), STRIPE, today=TODAY)
    assert WORDS[amount] in flat(before)
    assert "Create Payment Link" in buttons(before)
    assert WORDS[amount] in flat(details(with_link(one), organisation(), STRIPE, today=TODAY))
    assert WORDS[amount] not in flat(details(paid(one), organisation(), STRIPE, today=TODAY))


@pytest.mark.parametrize("amount", [Money(50, "USD"), Money(99_999_999, "USD")], ids=str)
def test_the_details_warn_of_no_other_amount(amount: Money) -> None:
    shown = flat(details(invoice(1, amount=amount), organisation(), STRIPE, today=TODAY))
    assert "some cards" not in shown
    assert "usually takes" not in shown


def test_the_details_say_that_a_currency_is_not_in_use_any_more() -> None:
    one = invoice(1, amount=Money(10_000, "BGN"), reason=Reason.CURRENCY_RETIRED)
    shown = details(one, organisation(), STRIPE, today=TODAY)
    assert "EUR took the place of BGN" in flat(shown)
    assert "Create Payment Link" not in buttons(shown)


def test_the_confirmation_warns_of_each_kind_once_before_create() -> None:
    targets = (
        *(invoice(n, f"LARGE-{n}", amount=LARGE) for n in range(1, 13)),
        invoice(13, "SMALL-13", amount=SMALL),
        invoice(14, "PLAIN-14"),
    )
    skipped = (with_link(invoice(15, "LARGE-15", amount=LARGE)),)
    view = confirmation(Confirmation(1, targets, skipped, (LARGEST,), True, ""))
    assert check_view(view) == []
    said = [
        block["text"]["text"] for block in view["blocks"] if block["type"] == "section" and "text" in block
    ]
    warnings = [words for words in said if "⚠" in words]
    assert len(warnings) == 2
    assert "SMALL-13" in warnings[0]
    assert "LARGE-10" in warnings[1]
    assert "and 2 more is more than some cards take" in warnings[1]
    assert "PLAIN-14" not in "".join(warnings)
    assert view["submit"]["text"] == "Create"


def test_the_confirmation_of_plain_amounts_warns_of_nothing() -> None:
    assert "⚠" not in flat(confirmation(Confirmation(1, (invoice(1),), (), (LARGEST,), True, "")))
