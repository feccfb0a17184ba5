"""The list, the confirmation and the result pass Block Kit's rules and say what they must, full to the brim."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from domain.lists.summaries import Confirmation
from domain.money import Money
from domain.reasons import Reason
from domain.states import LinkStatus, Outcome
from domain.summaries import BulkResult
from handlers.bolt.failures import with_notice
from handlers.bolt.payload import read_delivery
from handlers.references import FailedReference
from handlers.views.confirmation import confirmation
from handlers.views.listing import listing, read_filter
from handlers.views.result import FOR_GOOD, result
from sandbox.slack.blocks.surfaces import check_view
from tests.handlers.hostile import HOSTILE
from tests.handlers.samples import invoice, organisation, paid, with_link
from tests.handlers.shapes import (
    LARGEST,
    buttons,
    flat,
    full_pages,
    page,
    run,
    selection,
    tick_groups,
)


@pytest.mark.parametrize("kind", full_pages())
@pytest.mark.parametrize("ticked", [0, 100])
def test_full_pages_pass_with_everything_that_can_stand_beside_them(kind: str, ticked: int) -> None:
    shown = page(
        full_pages()[kind],
        organisation=organisation(add_on=False),
        selection=selection(ticked=frozenset(range(1, ticked + 1)), search="x" * 200),
    )
    view = listing(shown, said="Something." * 20)
    assert check_view(view) == []
    assert len(view["blocks"]) < 100, "one is kept for a notice"


@pytest.mark.parametrize("kind", HOSTILE)
def test_lists_and_confirmations_pass_for_hostile_text(kind: str) -> None:
    text = HOSTILE[kind]
    number = text[:60].strip() or "x"
    eligible = [invoice(n, number, buyer_name=text, amount=Money(99_999_999, "USD")) for n in range(1, 51)]
    others = [replace(paid(one), id=one.id + 50) for one in eligible]
    assert check_view(listing(page(eligible + others))) == []
    shown = Confirmation(1, tuple(eligible), tuple(others), (LARGEST,), True, "", (number,) * 100)
    assert check_view(confirmation(shown)) == []


def test_a_tick_is_the_number_alone_and_the_rest_its_description() -> None:
    one = invoice(1, buyer_name="Very Long Name " * 100)
    view = listing(page([one]))
    [group] = tick_groups(view)
    [option] = group["elements"][0]["options"]
    assert option["text"]["text"] == one.number
    assert option["description"]["text"].endswith("… · USD 1,200.50 · due 2026-11-30")


def test_a_number_too_long_for_slack_is_cut_in_its_tick() -> None:
    """Slack's clients count UTF-16: 60 of these are 120."""
    one = invoice(1, "\U0001f355" * 60)
    view = listing(page([one], selection=selection(ticked=frozenset({1}), search="\U0001f355" * 200)))
    assert check_view(view) == []
    [group] = tick_groups(view)
    [option] = group["elements"][0]["options"]
    assert option["text"]["text"] == "\U0001f355" * 37 + "…"


def test_eligible_invoices_stand_in_groups_of_ten() -> None:
    groups = tick_groups(listing(page([invoice(n) for n in range(1, 26)])))
    assert [len(group["elements"][0]["options"]) for group in groups] == [10, 10, 5]


def test_a_new_revision_changes_every_id_whose_state_slack_keeps() -> None:
    invoices = [invoice(1), with_link(invoice(2))]
    before = listing(page(invoices))
    after = listing(page(invoices, selection=selection(revision=4)))
    shared = {each["block_id"] for each in before["blocks"] if "block_id" in each} & {
        each["block_id"] for each in after["blocks"] if "block_id" in each
    }
    assert shared == set()


def test_a_group_in_which_others_stand_has_another_id_and_the_rest_keep_theirs() -> None:
    """Slack keeps a known block's ticks at their places: they would land on other invoices."""
    invoices = [invoice(n) for n in range(1, 31)]
    moved = [*invoices[:15], with_link(invoices[15]), *invoices[16:]]
    before, after = (
        [group["block_id"] for group in tick_groups(listing(page(shown)))] for shown in (invoices, moved)
    )
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, False]


def test_every_input_of_the_list_is_optional() -> None:
    view = listing(page([invoice(1)]))
    inputs = {block["label"]["text"]: block for block in view["blocks"] if block["type"] == "input"}
    assert list(inputs) == ["Search", "Online Payment Link", "Details"]
    assert all(block["optional"] for block in inputs.values())


def test_pages_are_offered_only_where_there_are_any() -> None:
    only = page([invoice(1)], page_number=1, has_next=False)
    assert {"Next Page", "Previous Page"}.isdisjoint(buttons(listing(only)))
    assert {"Next Page", "Previous Page"} <= set(buttons(listing(page([invoice(1)]))))


def test_the_count_says_how_many_are_ticked_elsewhere() -> None:
    shown = page([invoice(1)], selection=selection(ticked=frozenset({1, 50, 51})))
    assert "3 of at most 100 ticked · 2 of them not shown here" in flat(listing(shown))


def test_a_row_that_cannot_be_ticked_says_why_and_offers_its_url() -> None:
    view = listing(page([with_link(invoice(2))]))
    shown = flat(view)
    for part in ("INV-1002", "Acme Corporation", "USD 1,200.50", "Pending Payment", "waits for payment"):
        assert part in shown
    assert "Copy Payment Link URL" in buttons(view)


def test_a_hundred_targets_and_their_totals_fit() -> None:
    targets = tuple(
        invoice(n, "N" * 57 + f"{n:03}", buyer_name="B" * 10_000, amount=LARGEST) for n in range(100)
    )
    totals = tuple(Money(10**17, currency) for currency in ("EUR", "JPY", "KWD", "USD"))
    view = confirmation(Confirmation(1, targets, (), totals, False, ""))
    assert check_view(view) == []
    shown = flat(view)
    assert "Target Billing Invoices" in shown
    assert "100 invoices" in shown
    assert "Test mode" in shown
    assert "can't be withdrawn" in shown
    assert view["submit"]["text"] == "Create"


def test_with_no_target_there_is_nothing_to_create() -> None:
    view = confirmation(Confirmation(1, (), (paid(invoice(1)),), (), True, ""))
    assert check_view(view) == []
    assert "submit" not in view
    assert "Live mode" in flat(view)


RUNS: dict[str, Callable[[], BulkResult]] = {
    "queued": lambda: run({Outcome.BEING_CREATED: 100}),
    "created": lambda: run({Outcome.CREATED: 100}),
    "long_urls": lambda: run({Outcome.CREATED: 100}, url="https://buy.stripe.com/" + "x" * 400),
    "failed": lambda: run({Outcome.FAILED: 100}, refusal="No. " * 1000),
    "skipped": lambda: run({Outcome.SKIPPED: 100}, reason=Reason.ADD_ON_MISSING),
    "everything": lambda: run(dict.fromkeys(Outcome, 25)),
    "long_numbers": lambda: run(dict.fromkeys(Outcome, 25), number="\u202e" + "N" * 59),
}


@pytest.mark.parametrize("kind", RUNS)
def test_results_pass_at_every_stage(kind: str) -> None:
    assert check_view(result(RUNS[kind](), said="Something.")) == []


def test_counts_stand_letter_for_letter_with_what_is_queued() -> None:
    shown = result(run({Outcome.CREATED: 7, Outcome.SKIPPED: 1, Outcome.FAILED: 0, Outcome.BEING_CREATED: 3}))
    lines = flat(shown).splitlines()
    assert {"Created: 7", "Skipped: 1", "Failed: 0", "Being created: 3"} <= set(lines)
    assert "Retry Failed" not in buttons(shown)


def test_urls_stand_as_lines_of_number_tab_url() -> None:
    assert "INV-1\thttps://buy.stripe.com/test_1" in flat(result(run({Outcome.CREATED: 2}))).splitlines()


def test_failures_can_be_retried_and_say_why() -> None:
    shown = result(run({Outcome.FAILED: 1}))
    assert "Retry Failed" in buttons(shown)
    assert "Refused." in flat(shown)
    assert FOR_GOOD not in flat(shown)


def test_what_is_refused_for_good_isnt_retried_and_says_what_to_change() -> None:
    mixed = run({Outcome.FAILED: 2})
    once, twice = mixed.items
    mixed = replace(mixed, items=(replace(once, refused_for_good=True), twice))
    assert f'"value": "{FailedReference(mixed.id, 1)}"' in json.dumps(result(mixed))
    assert flat(result(mixed)).count(FOR_GOOD) == 1
    mixed = replace(mixed, items=tuple(replace(one, refused_for_good=True) for one in mixed.items))
    assert "Retry Failed" not in buttons(result(mixed))


@pytest.mark.parametrize("kind", full_pages())
def test_a_notice_fits_into_every_view_as_slack_gives_it_back(kind: str) -> None:
    view = json.loads(json.dumps(listing(page(full_pages()[kind]))))
    given = view | {"id": "V1", "hash": "1.2", "state": {"values": {}}, "root_view_id": "V1"}
    delivery = read_delivery({"view": given}, "T1", "U1", None)  # type: ignore[arg-type]
    assert check_view(with_notice(delivery.shown, "Something went wrong." * 10)) == []


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("All", None),
        ("pending_payment", LinkStatus.PENDING_PAYMENT),
        # As versions before 0007 drew it.
        ("Pending Payment", LinkStatus.PENDING_PAYMENT),
        ("Not Created", LinkStatus.NOT_CREATED),
    ],
)
def test_a_choice_of_the_filter_is_a_code_or_what_older_lists_carry(
    value: str, status: LinkStatus | None
) -> None:
    assert read_filter(value) is status


def test_what_the_filter_does_not_offer_is_refused() -> None:
    with pytest.raises(ValueError):
        read_filter("Refunded")
