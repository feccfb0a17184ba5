"""Announcements pass Block Kit's rules, ping nobody, and hold the whole message in their top-level text."""

import re
from dataclasses import replace
from typing import Any

import pytest

from domain.messages.summaries import Announcement
from domain.money import Money
from domain.states import AnnouncementKind, ExceptionKind, FollowUp, Outcome
from domain.summaries import ExceptionFacts, Resolution
from handlers.views.blocks import slack_time
from handlers.views.messages import announcement_message
from sandbox.slack.blocks.surfaces import check_message
from tests.handlers.hostile import HOSTILE
from tests.handlers.samples import NOW, exception, invoice, paid, with_link
from tests.handlers.shapes import buttons, run


def announcement(kind: AnnouncementKind, **facts: Any) -> Announcement:
    made = Announcement(1, 1, kind, "key-1", "C0PAYMENTS", 0, False, NOW, invoice=paid(invoice(1)))
    return replace(made, **facts)


def every() -> dict[str, Announcement]:
    """One of each that can be posted."""
    made = {
        "paid": announcement(AnnouncementKind.PAID, received=Money(120_050, "USD")),
        "lost": announcement(AnnouncementKind.CHANNEL_LOST, channel="C0PAYMENTS", problem="is_archived"),
        "mended": announcement(AnnouncementKind.CHANNEL_LOST, channel="C0PAYMENTS"),
        "result": announcement(AnnouncementKind.BULK_RESULT, bulk=run(dict.fromkeys(Outcome, 25))),
        "failed": announcement(
            AnnouncementKind.BULK_RESULT, bulk=run({Outcome.FAILED: 100}, refusal="No. " * 500)
        ),
    }
    for kind in ExceptionKind:
        made[kind.value] = announcement(AnnouncementKind.EXCEPTION, exception=exception(kind))
    disputed = exception(ExceptionKind.DISPUTED, due_by=NOW)
    ended = replace(disputed, resolution=Resolution(NOW, "U0ANNA", "<!channel> answered"))
    made["due"] = announcement(AnnouncementKind.EXCEPTION, exception=disputed)
    made["deadline"] = announcement(
        AnnouncementKind.FOLLOW_UP, exception=disputed, follow_up=FollowUp.DEADLINE
    )
    made["resolved"] = announcement(AnnouncementKind.FOLLOW_UP, exception=ended, follow_up=FollowUp.RESOLVED)
    unknown = exception(ExceptionKind.PAYMENT_UNKNOWN, invoice_id=None, number=None, buyer_name=None)
    made["unknown"] = announcement(AnnouncementKind.EXCEPTION, exception=unknown, invoice=None)
    made["import"] = announcement(
        AnnouncementKind.AMOUNTS_CHANGED,
        invoice=None,
        batch=tuple(exception(ExceptionKind.AMOUNT_CHANGED, n, number=f"INV-{n}") for n in range(10)),
        batch_size=12,
    )
    return made


@pytest.mark.parametrize("kind", every())
def test_every_announcement_passes(kind: str) -> None:
    message = announcement_message(every()[kind])
    assert check_message(message) == []
    assert 0 < len(message["text"]) <= 4000


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_break_nothing_and_ping_nobody(text: str) -> None:
    one = paid(invoice(1, HOSTILE[text][:60].strip() or "x", buyer_name=HOSTILE[text]))
    for kind in AnnouncementKind:
        facts = announcement(
            kind,
            invoice=one,
            exception=exception(
                ExceptionKind.REFUNDED,
                number=one.number,
                buyer_name=HOSTILE[text],
                facts=ExceptionFacts(reason=HOSTILE[text], message=HOSTILE[text], problem=HOSTILE[text]),
                resolution=Resolution(NOW, "Stripe", HOSTILE[text]),
            ),
            follow_up=FollowUp.RESOLVED,
            batch=(exception(ExceptionKind.AMOUNT_CHANGED, number=one.number),),
            batch_size=1,
            bulk=run({Outcome.FAILED: 100}, number=one.number, refusal=HOSTILE[text]),
            channel="C0PAYMENTS",
        )
        message = announcement_message(facts, mentions=False)
        assert check_message(message) == []
        assert not re.search(r"<[!@]", message["text"])


def test_a_payment_is_told_with_number_buyer_amount_and_paid() -> None:
    message = announcement_message(every()["paid"])
    for part in ("Paid", "INV-1001", "Acme Corporation", "USD 1,200.50"):
        assert part in message["text"]
    assert buttons(message) == ["View Invoice"]


@pytest.mark.parametrize("kind", ["paid", "refunded"])
def test_an_amount_that_changed_after_the_link_is_told(kind: str) -> None:
    changed = paid(invoice(1, amount=Money(5, "USD")), amount=Money(120_050, "USD"))
    message = announcement_message(replace(every()[kind], invoice=changed))
    words = "the link asked for USD 1,200.50, the invoice now says USD 0.05."
    assert words in message["text"]
    assert words in str(message["blocks"])
    assert check_message(message) == []
    assert "has changed" not in announcement_message(every()[kind])["text"]


@pytest.mark.parametrize("kind", ExceptionKind)
def test_an_exception_says_so_and_never_announces_paid(kind: ExceptionKind) -> None:
    text = announcement_message(every()[kind.value])["text"]
    for part in ("Exception", "INV-1001", "USD 1,200.50", "pi_1"):
        assert part in text
    assert "Paid" not in text


def test_a_deadline_is_told_in_the_readers_own_time() -> None:
    for name in ("due", "deadline"):
        message = announcement_message(every()[name])
        assert slack_time(NOW) in message["text"]
        assert slack_time(NOW) in str(message["blocks"])


def test_the_end_of_an_exception_says_who_and_why_and_pings_nobody_else() -> None:
    message = announcement_message(every()["resolved"])
    assert "Resolved by <@U0ANNA>" in message["text"]
    assert "&lt;!channel&gt; answered" in message["text"]
    assert re.findall(r"<[!@]", message["text"]) == ["<@"]


def test_an_exception_of_nothing_that_is_known_leads_to_the_exceptions() -> None:
    message = announcement_message(every()["unknown"])
    assert "an invoice that isn't known" in message["text"]
    assert buttons(message) == ["Exceptions"]


def test_an_import_is_one_message_with_the_first_ten() -> None:
    message = announcement_message(every()["import"])
    for part in (
        "Exception",
        "12 invoices",
        "INV-0: ",
        "the link still asks for USD 1,200.50",
        "INV-9",
        "and 2 more",
    ):
        assert part in message["text"]
    assert buttons(message) == ["Exceptions"]


def test_a_result_tells_the_counts_the_failures_and_the_way_back() -> None:
    bulk = run({Outcome.CREATED: 7, Outcome.FAILED: 2}, refusal="Not allowed.")
    message = announcement_message(announcement(AnnouncementKind.BULK_RESULT, bulk=bulk))
    for part in (
        "Created: 7",
        "Skipped: 0",
        "Failed: 2",
        "Being created: 0",
        "INV-8: Stripe refused it: Not allowed.",
    ):
        assert part in message["text"]
    assert buttons(message) == ["Show Result"]


def test_a_lost_channel_is_named_with_what_is_wrong_and_how_to_mend_it() -> None:
    text = announcement_message(every()["lost"])["text"]
    for part in ("<#C0PAYMENTS>", "archived", "Restore it", "Nothing is lost"):
        assert part in text


@pytest.mark.parametrize(
    "kind", [AnnouncementKind.PAID, AnnouncementKind.EXCEPTION, AnnouncementKind.BULK_RESULT]
)
def test_an_announcement_without_its_facts_is_refused(kind: AnnouncementKind) -> None:
    with pytest.raises(ValueError, match=kind.value):
        announcement_message(announcement(kind, invoice=None))


def test_an_exception_of_a_link_that_still_waits_names_what_it_asks_for() -> None:
    facts = announcement(
        AnnouncementKind.EXCEPTION,
        invoice=with_link(invoice(1)),
        exception=exception(ExceptionKind.AMOUNT_DIFFERS),
    )
    text = announcement_message(facts)["text"]
    assert "USD 9.00" in text
    assert "USD 1,200.50" in text


@pytest.mark.parametrize("kind", [AnnouncementKind.PAID, AnnouncementKind.EXCEPTION])
def test_what_a_test_key_did_is_told_as_test_mode(kind: AnnouncementKind) -> None:
    facts = {"received": Money(120_050, "USD"), "exception": exception(ExceptionKind.REFUNDED)}
    assert "Test mode" in announcement_message(announcement(kind, livemode=False, **facts))["text"]
    assert "Test mode" not in announcement_message(announcement(kind, **facts))["text"]


def burst(count: int) -> Announcement:
    """So many payments in one message; every other in yen."""
    amounts = [Money(98_000, "JPY") if n % 2 else Money(120_050, "USD") for n in range(count)]
    told = [
        announcement(
            AnnouncementKind.PAID, invoice=paid(invoice(n, amount=amount), amount=amount), received=amount
        )
        for n, amount in enumerate(amounts)
    ]
    return replace(told[0], together=tuple(told[1:]))


def test_a_burst_is_one_message_that_names_every_invoice_and_sums_each_currency() -> None:
    message = announcement_message(burst(25))
    assert check_message(message) == []
    first, *lines = message["text"].splitlines()
    assert first == "🟢 Paid: 25 invoices, JPY 1,176,000 · USD 15,606.50"
    assert [line.split()[2] for line in lines[:25]] == [f"INV-{1000 + n}" for n in range(25)]
    assert buttons(message) == ["View Invoice"] * 25


def test_a_burst_of_the_longest_names_fits() -> None:
    name = HOSTILE["long"]
    told = [
        announcement(AnnouncementKind.PAID, invoice=paid(invoice(n, buyer_name=name)), livemode=False)
        for n in range(25)
    ]
    assert check_message(announcement_message(replace(told[0], together=tuple(told[1:])))) == []


def test_whoever_asked_for_the_link_is_named_once_unless_that_is_switched_off() -> None:
    message = announcement_message(burst(7))
    assert message["text"].endswith("\nLinks by <@U0ANNA>")
    assert "<@" not in announcement_message(burst(7), mentions=False)["text"]
    assert "<@" not in str(announcement_message(burst(1), mentions=False))


def test_a_program_that_asked_for_a_link_is_not_mentioned() -> None:
    one = paid(invoice(1))
    assert one.link is not None
    one = replace(one, link=replace(one.link, created_by="token:books"))
    assert "<@" not in announcement_message(announcement(AnnouncementKind.PAID, invoice=one))["text"]


def test_paid_and_exception_differ_at_a_glance() -> None:
    assert announcement_message(every()["paid"])["text"].startswith("🟢 Paid")
    assert announcement_message(every()[ExceptionKind.REFUNDED.value])["text"].startswith("🔴 Exception")
