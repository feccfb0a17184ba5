"""The audit sees what differs: payments that a message doesn't name, and tasks that ended otherwise than at Stripe."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from domain.messages.summaries import Announcement
from domain.states import AnnouncementKind
from handlers.views.messages import announcement_message
from tests.faults import auditing, reversals
from tests.faults.reversals import ReversalBooks, Shown, Told
from tests.handlers.samples import NOW, invoice, paid

PAID = {f"key-{n}": (f"INV-{1000 + n}", n) for n in range(3)}


def message(count: int) -> dict[str, Any]:
    """What stands in the channel of a message that tells so many payments."""
    told = [
        Announcement(
            n, 1, AnnouncementKind.PAID, f"key-{n}", "C0PAYMENTS", 0, False, NOW, invoice=paid(invoice(n))
        )
        for n in range(count)
    ]
    said = announcement_message(replace(told[0], together=tuple(told[1:])))
    return {**said, "metadata": {"event_payload": {"key": "key-0"}}}


def told(*messages: dict[str, Any]) -> Counter[str]:
    return Counter(auditing._told(list(messages), PAID))


@pytest.mark.parametrize("count", [1, 3])
def test_each_payment_that_a_message_names_is_counted(count: int) -> None:
    assert told(message(count)) == Counter(list(PAID)[:count])
    assert told(message(3), message(1))["key-0"] == 2


def test_a_payment_without_its_line_or_its_button_is_seen() -> None:
    without_line, without_button = message(3), message(3)
    lines = without_line["text"].splitlines()
    without_line["text"] = "\n".join(line for line in lines if "INV-1002" not in line)
    del without_button["blocks"][2]["accessory"]
    assert told(without_line)["key-2"] == 0
    for one in (without_line, without_button):
        assert any("other invoices" in key for key in told(one))


def compare(status: str, *exceptions: Told, refund: bool = False) -> list[str]:
    about: dict[str, Any] = {
        "id": "re_1" if refund else "dp_1",
        "status": status,
        "payment_intent": "pi_1",
        "amount": 500,
    }
    session = {"id": "cs_1", "payment_link": "plink_1", "payment_intent": "pi_1", "amount_total": 1_000}
    badges = frozenset({"dispute_lost"} if status == "lost" else ())
    books = ReversalBooks({about["id"]: status}, {"plink_1": Shown(badges, False)}, list(exceptions))
    refunds, disputes = ([about], []) if refund else ([], [about])
    return [
        one
        for one in reversals.compare(books, {"cs_1": "paid"}, [session], refunds, disputes)
        if "Exception" not in one
    ]


def test_a_dispute_whose_task_ended_otherwise_is_seen() -> None:
    ended = Told("disputed", "plink_1", "cs_1", "dp_1", open=False, ended="dispute_won")
    lost = Told("dispute_lost", "plink_1", "cs_1", "dp_1", open=True)
    assert compare("won", ended) == []
    assert "ended as dispute_won" in compare("warning_closed", ended)[0]
    assert compare("lost", replace(ended, ended="dispute_lost"), lost) == []
    assert "ended as dispute_won" in compare("lost", ended, lost)[0]


def test_a_failed_refund_whose_message_ended_otherwise_is_seen() -> None:
    failed = Told("refund_failed", "plink_1", "cs_1", "re_1", open=True)
    first = Told("refunded", "plink_1", "cs_1", "re_1", open=False, ended="refund_failed")
    assert compare("failed", first, failed, refund=True) == []
    assert "ended as" in compare("failed", replace(first, ended="refunded"), failed, refund=True)[0]


def test_a_surplus_payment_that_a_dispute_took_is_nobodys_task_and_else_somebodys() -> None:
    of_all = {"payment_intent": "pi_1", "amount": 500, "currency": "usd", "status": "lost"}
    session = {"id": "cs_1", "payment_intent": "pi_1", "amount_total": 500, "currency": "usd"}
    for dispute, is_open, said in (
        (of_all, False, ""),
        (of_all, True, "lost by a dispute"),
        (of_all | {"amount": 400}, False, "nobody's task"),
    ):
        told = [Told("second_payment", "plink_1", "cs_1", None, open=is_open)]
        books = ReversalBooks({}, {}, told)
        found = list(reversals._audit_surplus(books, session, [], [dispute], "second_payment"))
        assert [said in one for one in found] == [True] * bool(said)
