"""The views of one invoice and the search pass Block Kit's rules and say what they must, whatever customers' text."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from domain.import_results import ImportCounts, ImportStanding
from domain.lists.summaries import Confirmation
from domain.messages.summaries import Announcement
from domain.money import Money
from domain.overview.summaries import HomeSummary
from domain.states import AnnouncementKind, Badge, ImportState, LinkStatus, PauseReason
from domain.summaries import InvoiceOption, Pause
from handlers.views import search
from handlers.views.confirmation import confirmation
from handlers.views.details import copying, details
from handlers.views.home import home, unavailable
from handlers.views.import_result import progress
from handlers.views.listing import listing
from handlers.views.messages import announcement_message
from handlers.words.sentences import STATUSES
from sandbox.slack.blocks.surfaces import check_options, check_view
from tests.handlers.hostile import HOSTILE
from tests.handlers.samples import invoice, organisation, paid, with_link
from tests.handlers.shapes import LARGEST, STRIPE, TODAY, buttons, flat, page, standings


@pytest.mark.parametrize("add_on", [True, False])
@pytest.mark.parametrize("creating", [True, False])
@pytest.mark.parametrize("standing", standings(invoice(1)))
def test_details_pass_for_every_standing(standing: str, creating: bool, add_on: bool) -> None:
    one = standings(invoice(1))[standing]
    view = details(
        one, organisation(add_on=add_on), STRIPE, today=TODAY, said="Something." * 100, creating=creating
    )
    assert check_view(view) == []


@pytest.mark.parametrize("kind", HOSTILE)
def test_details_search_and_copy_pass_for_hostile_text(kind: str) -> None:
    text = HOSTILE[kind]
    one = invoice(1, text[:60].strip() or "x", buyer_name=text, buyer_email=text, refusal=text)
    assert check_view(details(one, organisation(name=text), STRIPE, today=TODAY, said=text)) == []
    linked = with_link(one)
    assert linked.link is not None
    assert check_view(copying(linked, linked.link)) == []
    option = InvoiceOption(1, one.number, text, LARGEST, LinkStatus.PENDING_PAYMENT)
    assert check_options({"options": search.found([option] * 1)}) == []
    assert check_view(search.unknown(text, [replace(option, id=n) for n in range(9)])) == []


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_stands_in_plain_or_rich_text_alone(kind: str) -> None:
    marker = "<!channel> Krzysztof "
    one = invoice(1, buyer_name=marker + HOSTILE[kind], buyer_email=marker)
    shown = [
        details(one, organisation(), STRIPE, today=TODAY),
        listing(page([one, paid(replace(one, id=2))])),
        confirmation(Confirmation(1, (one,), (paid(one),), (one.amount,), False, "")),
    ]
    for view in shown:
        assert not [each for each in _marked_up(view) if "Krzysztof" in each]


def test_a_separator_of_lines_in_a_buyers_name_is_a_blank_wherever_it_is_shown() -> None:
    one = invoice(1, buyer_name="Acme\u2028Lane\u2029Ltd")
    shown = [
        details(one, organisation(), STRIPE, today=TODAY),
        listing(page([one, paid(replace(one, id=2))])),
        confirmation(Confirmation(1, (one,), (paid(one),), (one.amount,), False, "")),
        search.unknown("INV-0", [InvoiceOption(1, one.number, one.buyer_name, one.amount, one.status)]),
        announcement_message(
            Announcement(1, 1, AnnouncementKind.PAID, "key", "C0PAY", 0, False, None, invoice=paid(one))
        ),
    ]
    for view in shown:
        said = json.dumps(view, ensure_ascii=False)
        assert "Acme Lane Ltd" in said
        assert not {"\u2028", "\u2029"} & set(said)


def test_a_number_that_turns_text_around_leaves_the_buyer_beside_it_alone() -> None:
    near = InvoiceOption(1, "INV\u202e1", "Acme", LARGEST, LinkStatus.NOT_CREATED)
    [suggested] = [each for each in buttons(search.unknown("INV-0", [near])) if "Acme" in each]
    [found] = search.found([near])
    assert suggested == found["text"]["text"] == "\u2068INV\u202e1\u2069 · Acme"


def _marked_up(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            yield value["text"]
        for each in value.values():
            yield from _marked_up(each)
    elif isinstance(value, list):
        for each in value:
            yield from _marked_up(each)


def test_details_hold_every_label_letter_for_letter() -> None:
    lines = flat(details(paid(invoice(1)), organisation(), STRIPE, today=TODAY)).splitlines()
    labels = "Invoice number,Buyer,E-mail,Billing amount,Due date,Online Payment Link,Paid on,Amount received,Stripe payment"
    assert set(labels.split(",")) <= set(lines)
    assert {"Billing Invoice Details", "INV-1001", "Acme Corporation", "USD 1,200.50", "🟢 Paid"} <= set(
        lines
    )
    assert any(line.startswith("Last checked with Stripe") for line in lines)


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        ("eligible", ["Create Payment Link"]),
        ("refused", ["Create Payment Link"]),
        ("tiny", ["Create Payment Link"]),
        ("being_created", []),
        ("zero", []),
        ("pending", ["Copy Link URL", "Open Link", "Recheck Now"]),
        ("paid", ["Copy Link URL", "Open Link", "Recheck Now"]),
    ],
)
def test_details_offer_what_the_standing_allows(standing: str, expected: list[str]) -> None:
    view = details(standings(invoice(1))[standing], organisation(), STRIPE, today=TODAY)
    assert buttons(view) == [*expected, "History"]


def test_the_button_goes_while_the_link_is_being_created() -> None:
    view = details(invoice(1), organisation(), STRIPE, today=TODAY, creating=True)
    assert buttons(view) == ["History"]
    assert "⚪ Not Created · Being created" in flat(view).splitlines()


def test_while_stripe_refuses_the_key_the_details_say_why_the_link_waits_and_what_to_do() -> None:
    refusing = replace(STRIPE, paused=Pause(PauseReason.PERMISSION_LACKING))
    shown = flat(details(standings(invoice(1))["being_created"], organisation(), refusing, today=TODAY))
    assert "The Stripe key lacks a permission. Links that were asked for are created by themselves" in shown
    assert "within a minute" not in shown


def test_without_the_add_on_the_details_say_so_with_its_full_name() -> None:
    view = details(invoice(1), organisation(add_on=False), STRIPE, today=TODAY)
    assert buttons(view) == ["History"]
    assert "Stripe Credit Card Payment Add-on" in flat(view)


@pytest.mark.parametrize("mode", [True, False])
def test_amounts_that_changed_since_the_link_are_shown(mode: bool) -> None:
    one = standings(invoice(1))["changed"]
    shown = details(one, organisation(), STRIPE, today=TODAY) if mode else listing(page([one]))
    assert "USD 1,200.50" in flat(shown)


CHANGED = (
    "The billing amount has changed: the link still asks for USD 9.00, the invoice now says USD 1,200.50."
)


@pytest.mark.parametrize("place", ["the copy view", "Home", "Home, paid", "the confirmation"])
@pytest.mark.parametrize("amount", [Money(900, "USD"), invoice(1).amount])
def test_wherever_an_invoice_is_shown_its_changed_amount_is(place: str, amount: Money) -> None:
    waiting, settled = with_link(invoice(1), amount=amount), paid(invoice(1), amount=amount)
    skipped = tuple(replace(waiting, id=number) for number in range(100))
    assert waiting.link is not None
    views = {
        "the copy view": copying(waiting, waiting.link),
        "Home": home(HomeSummary(organisation(), STRIPE, 1, 0, (waiting,), (), 0, 0)),
        "Home, paid": home(HomeSummary(organisation(), STRIPE, 0, 1, (), (settled,), 0, 0)),
        "the confirmation": confirmation(Confirmation(1, (), skipped, (), False, "")),
    }
    said = CHANGED.replace("still asks", "asked") if place == "Home, paid" else CHANGED
    assert (said in flat(views[place])) == (amount != waiting.amount)
    assert check_view(views[place]) == []


@pytest.mark.parametrize("asked", [None, LARGEST, Money(900, "USD")])
def test_the_type_ahead_says_what_the_link_asks_for_where_that_is_another_amount(asked: Money | None) -> None:
    option = InvoiceOption(1, "INV-1", "Acme", LARGEST, LinkStatus.PENDING_PAYMENT, asked)
    [found] = search.found([option])
    said = " · link: USD 9.00" if asked == Money(900, "USD") else ""
    assert found["description"]["text"] == f"{LARGEST} · Pending Payment{said}"


def test_the_type_ahead_shows_what_stands_beside_the_status_as_far_as_there_is_room() -> None:
    money = Money(999_999_999_999, "USD")
    option = InvoiceOption(
        1, "INV-1", "Acme", money, LinkStatus.PAID, badges=(Badge.REFUNDED, Badge.DISPUTED)
    )
    [found] = search.found([option])
    assert found["description"]["text"] == f"{money} · {STATUSES[LinkStatus.PAID]} · Refunded · Disputed"
    options = search.found([replace(option, badges=tuple(Badge), link_amount=Money(1, "USD"))])
    assert check_options({"options": options}) == []


def test_what_was_paid_and_reversed_stands_beside_the_status() -> None:
    view = details(standings(invoice(1))["reversed"], organisation(), STRIPE, today=TODAY)
    assert "🔴 Paid · Refunded · Dispute lost · Exception" in flat(view).splitlines()


def test_nobody_is_invited_to_copy_a_link_that_was_switched_off() -> None:
    off = replace(with_link(invoice(1)), badges=(Badge.LINK_DEACTIVATED,))
    assert off.link is not None
    views = (
        details(off, organisation(), STRIPE, today=TODAY),
        listing(page([off])),
        confirmation(Confirmation(1, (), (off,), (), False, "")),
    )
    for view in views:
        assert check_view(view) == []
        assert off.link.url not in flat(view)
        assert not re.search("Copy|Open Link", flat(view) + " ".join(buttons(view)))
    for view in views[:2]:
        assert "Pending Payment · Link deactivated" in flat(view)
    # It may be on again by now.
    assert "Recheck Now" in buttons(views[0])


def test_copy_holds_the_url_in_a_focused_input() -> None:
    linked = with_link(invoice(1))
    assert linked.link is not None
    view = copying(linked, linked.link)
    [block] = [each for each in view["blocks"] if each["type"] == "input"]
    assert block["label"]["text"] == "Payment link URL"
    assert block["element"]["initial_value"] == linked.link.url
    assert block["element"]["focus_on_load"] is True
    assert view["submit"]["text"] == "Done"


def test_a_number_that_turns_text_around_keeps_to_itself_wherever_it_stands_in_a_line() -> None:
    linked = with_link(invoice(1, "\u202e1-VNI"))
    assert linked.link is not None
    shown = HomeSummary(organisation(), STRIPE, 1, 0, (linked,), (), 0, 0)
    for view in (home(shown), listing(page([linked])), copying(linked, linked.link)):
        lines = [line for line in flat(view).splitlines() if "\u202e" in line and line != linked.number]
        assert lines
        assert all("\u2068\u202e1-VNI\u2069" in line for line in lines)


def test_small_views_pass() -> None:
    typed_into = search.search()["blocks"][0]["element"]
    assert typed_into["focus_on_load"]
    for view in (search.search(), search.note("x" * 5000), search.skeleton(), unavailable("Away.")):
        assert check_view(view) == []


def test_an_import_that_waits_for_another_one_says_so() -> None:
    goes_on = ImportStanding(1, "a.csv", ImportState.CONFIRMED, ImportCounts(), ImportCounts(new=1))
    said = "Another import is under way: this one begins when it has ended. You can close this"
    assert said not in flat(progress(goes_on))
    assert said in flat(progress(replace(goes_on, waits=True)))
