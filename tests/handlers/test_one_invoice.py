"""Looking at one invoice, creating its link, copying the URL: in the local Slack, on a fake desk."""

from dataclasses import replace

import pytest

from domain.money import Money
from handlers.features import details
from tests.handlers.conftest import Bench
from tests.handlers.samples import invoice, paid, with_link
from tests.handlers.shapes import buttons


async def test_the_command_shows_the_invoice_of_that_number(bench: Bench) -> None:
    bench.invoices(invoice(1, "INV 7 B"))
    outcome = await bench.command("/invoice   inv 7 b ")
    assert outcome.ok
    assert "Billing Invoice Details" in bench.shown
    assert "INV 7 B" in bench.shown
    assert bench.refused_calls() == []


async def test_numbers_that_look_the_same_are_all_offered_with_buyer_and_amount(bench: Bench) -> None:
    bench.invoices(
        invoice(1, "INV-1"), invoice(2, "INV\u20111", buyer_name="Zeta GmbH", amount=Money(1, "USD"))
    )
    await bench.command("/invoice inv-1")
    assert "Which Invoice?" in bench.shown
    offered = [each for each in buttons(bench.top.payload) if each.startswith("INV")]
    assert offered == ["INV-1 · Acme Corporation · USD 1,200.50", "INV\u20111 · Zeta GmbH · USD 0.01"]
    await bench.press("INV\u20111 · Zeta GmbH · USD 0.01")
    assert "Zeta GmbH" in bench.shown.splitlines()
    assert bench.refused_calls() == []


async def test_a_buyers_invoices_are_offered_and_all_of_them_shown_in_the_list(bench: Bench) -> None:
    bench.invoices(*(invoice(n, buyer_name="Kestrel Ltd") for n in range(1, 13)), invoice(20))
    await bench.command("/invoice kestrel")
    offered = [each for each in buttons(bench.top.payload) if each.startswith("INV")]
    assert len(offered) == 10
    assert offered[0] == "INV-1001 · Kestrel Ltd · USD 1,200.50"
    await bench.press("Show All")
    assert "Billing Invoices" in bench.shown
    assert "INV-1012" in bench.shown
    assert "INV-1020" not in bench.shown
    assert bench.refused_calls() == []


async def test_a_url_and_words_behind_a_number_may_be_longer_than_a_number(bench: Bench) -> None:
    bench.invoices(invoice(1))
    await bench.command("/invoice https://buy.stripe.com/" + "x" * 80)
    await bench.command("/invoice INV-9999 " + "please " * 12)
    assert bench.told() == []


async def test_help_explains_to_the_person_alone(bench: Bench) -> None:
    await bench.command("/invoice HELP")
    await bench.command("/invoices help")
    await bench.command("/invoice Hilfe")
    told = [text.splitlines()[0].split()[0] for text in bench.told()]
    assert told == ["*/invoice*", "*/invoices*", "*/invoice*"]


async def test_a_mention_beside_a_number_is_passed_over(bench: Bench) -> None:
    bench.invoices(invoice(1, "INV-1"))
    outcome = await bench.command("/invoice <@U0ANNA|anna> INV-1 <#C0PAYMENTS|payments>")
    assert outcome.ok
    assert "Billing Invoice Details" in bench.shown


async def test_what_cannot_be_a_number_is_answered_in_a_sentence(bench: Bench) -> None:
    await bench.command("/invoice " + "9" * 200)
    await bench.command("/invoice INV\x07")
    await bench.command("/invoices " + "x" * 201)
    await bench.command("/invoices acme\x07")
    assert len(bench.told()) == 4
    assert "60 characters" in bench.told()[0]
    assert bench.workspace.views(bench.anna) == []


@pytest.mark.parametrize("typed", ["cs_live_a1" + "b" * 56, "buy.stripe.com/" + "c" * 60])
async def test_what_stripe_calls_it_is_looked_for_though_it_is_longer_than_a_number(
    bench: Bench, typed: str
) -> None:
    await bench.command(f"/invoice {typed}")
    assert bench.told() == []
    assert len(bench.workspace.views(bench.anna)) == 1


async def test_an_unknown_number_offers_the_nearest_and_a_search(bench: Bench) -> None:
    bench.invoices(*(invoice(n) for n in range(1, 9)))
    await bench.command("/invoice INV-10099")
    assert len([each for each in buttons(bench.top.payload) if each.startswith("INV-")]) == 5
    await bench.press("INV-1008 · Acme Corporation")
    assert "Billing Invoice Details" in bench.shown
    assert len(bench.workspace.views(bench.anna)) == 1


async def test_alone_it_searches_as_one_types_and_shows_what_is_chosen(bench: Bench) -> None:
    bench.invoices(invoice(1), invoice(2, "X-2", buyer_name="Zeta GmbH"))
    await bench.command("/invoice")
    block = bench.block("choose_invoice")
    assert block["label"]["text"] == "Search"
    at = (bench.top.id, block["block_id"], block["element"]["action_id"])
    offered = await bench.workspace.options(bench.anna, *at, "zet")
    assert [each["text"]["text"] for each in offered.options] == ["X-2 · Zeta GmbH"]
    await bench.click("choose_invoice", "choose_invoice", "2")
    assert "Zeta GmbH" in bench.shown.splitlines()


async def test_the_shortcut_and_home_search_too(bench: Bench) -> None:
    await bench.workspace.global_shortcut(bench.anna, "find_invoice")
    await bench.idle()
    assert bench.block("choose_invoice")
    await bench.workspace.close(bench.anna, bench.top.id)
    await bench.workspace.open_home(bench.anna)
    await bench.idle()
    home = bench.workspace.home(bench.anna)
    assert home is not None
    await bench.press("Find Invoice", home.id)
    assert bench.block("choose_invoice")


async def test_creating_shows_the_link_in_the_same_modal(bench: Bench) -> None:
    bench.invoices(invoice(1))
    await bench.command("/invoice INV-1001")
    view = bench.top.id
    await bench.press("Create Payment Link")
    assert bench.top.id == view
    assert "🟡 Pending Payment" in bench.shown.splitlines()
    assert "https://buy.stripe.com/test_1" in bench.shown
    assert buttons(bench.top.payload) == ["Copy Link URL", "Open Link", "Recheck Now", "History"]
    assert bench.refused_calls() == []


async def test_the_same_click_delivered_twice_creates_one_link(bench: Bench) -> None:
    bench.invoices(invoice(1))
    await bench.command("/invoice INV-1001")
    bench.slack.faults.add(method="deliver.interactive", do="twice")
    await bench.press("Create Payment Link")
    assert bench.desk.created == [1]
    assert "🟡 Pending Payment" in bench.shown.splitlines()


async def test_somebody_elses_link_is_shown_if_they_were_faster(bench: Bench) -> None:
    bench.invoices(invoice(1))
    await bench.command("/invoice INV-1001")
    bench.invoices(with_link(invoice(1), url="https://buy.stripe.com/theirs"))
    await bench.press("Create Payment Link")
    assert "https://buy.stripe.com/theirs" in bench.shown
    assert bench.desk.created == []


async def test_a_new_amount_is_shown_before_anything_is_created(bench: Bench) -> None:
    bench.invoices(invoice(1))
    await bench.command("/invoice INV-1001")
    bench.invoices(invoice(1, amount=Money(99_900, "USD")))
    await bench.press("Create Payment Link")
    assert "changed from USD 1,200.50 to USD 999.00" in bench.shown
    assert bench.desk.created == []
    await bench.press("Create Payment Link")
    assert bench.desk.created == [1]


async def test_while_stripe_takes_long_the_button_is_gone_and_the_modal_follows(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(details, "LOOK_AGAIN", (0.01,) * 500)
    bench.invoices(invoice(1))
    await bench.command("/invoice INV-1001")
    bench.desk.answers.clear()
    await bench.workspace.press(bench.anna, bench.top.id, "Create Payment Link")
    await bench.workspace.wait_for(lambda: "⚪ Not Created · Being created" in bench.shown.splitlines())
    assert buttons(bench.top.payload) == ["History"]
    bench.desk.settle(1)
    await bench.idle()
    assert "🟡 Pending Payment" in bench.shown.splitlines()


async def test_the_url_can_be_copied_and_done_changes_nothing(bench: Bench) -> None:
    bench.invoices(paid(invoice(1)))
    await bench.command("/invoice INV-1001")
    await bench.press("Open Link")
    await bench.press("Copy Link URL")
    assert bench.block("payment_link_url")["element"]["initial_value"] == "https://buy.stripe.com/test_1"
    assert (await bench.submit()).ok
    assert "Billing Invoice Details" in bench.shown


async def test_a_closed_modal_stops_nothing(bench: Bench) -> None:
    bench.invoices(invoice(1))
    await bench.command("/invoice INV-1001")
    bench.desk.delay = 0.05
    await bench.workspace.press(bench.anna, bench.top.id, "Create Payment Link")
    await bench.workspace.close(bench.anna, bench.top.id)
    await bench.idle()
    assert bench.desk.created == [1]
    assert bench.log.named("handler.failed") == []


async def test_a_view_that_changed_meanwhile_is_rendered_from_what_is_so_now(bench: Bench) -> None:
    bench.invoices(invoice(1))
    await bench.command("/invoice INV-1001")
    bench.slack.faults.add(method="views.update", do="error", error="hash_conflict")
    await bench.press("Create Payment Link")
    assert "🟡 Pending Payment" in bench.shown.splitlines()


async def test_forged_values_end_in_a_sentence(bench: Bench) -> None:
    bench.invoices(with_link(invoice(1)))
    for forged in ("x", "-1", "9" * 30, "1|2", "1|USD|5", "१"):
        await bench.command("/invoice INV-1001")
        bench.block("invoice")["elements"][0]["value"] = forged
        outcome = await bench.press("Copy Link URL")
        assert outcome.acked
        assert "doesn't recognise" in bench.shown, forged
        await bench.workspace.close(bench.anna, bench.top.id)


async def test_another_organisations_invoice_is_not_found(bench: Bench) -> None:
    bench.invoices(with_link(invoice(1)))
    await bench.command("/invoice INV-1001")
    bench.block("invoice")["elements"][0]["value"] = "77"
    await bench.press("Copy Link URL")
    assert "doesn't exist" in bench.shown


async def test_hostile_names_show_as_they_stand(bench: Bench) -> None:
    bench.invoices(replace(invoice(1), buyer_name="<!channel> & *Co*"))
    await bench.command("/invoice INV-1001")
    assert "<!channel> & *Co*" in bench.shown.splitlines()


async def test_every_delivery_is_acknowledged_even_what_nobody_knows(bench: Bench) -> None:
    bench.invoices(with_link(invoice(1)))
    await bench.command("/invoice INV-1001")
    bench.block("invoice")["elements"][0]["action_id"] = "nobody_knows"
    outcome = await bench.press("Copy Link URL")
    assert outcome.acked
    assert bench.log.named("delivery.unknown")
