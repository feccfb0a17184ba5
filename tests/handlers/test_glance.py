"""What one sees of an invoice before reading: its sign, what is due, and what comes first in its details."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.states import Badge, ExceptionKind, PauseReason
from domain.summaries import Pause
from handlers.views.details import details
from handlers.words.glance import due_in, sign
from sandbox.slack.blocks.surfaces import check_view
from tests.handlers.samples import exception, invoice, organisation, paid, with_link
from tests.handlers.shapes import STRIPE, TODAY, Json, flat

DAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("due", "said"),
    [
        (0, "due today"),
        (1, "due in 1 day"),
        (3, "due in 3 days"),
        (-1, "1 day overdue"),
        (-12, "12 days overdue"),
    ],
)
def test_what_is_owed_says_how_far_its_due_date_is_away(due: int, said: str) -> None:
    one = invoice(1, due_date=DAY + timedelta(days=due))
    assert due_in(one, DAY) == due_in(with_link(one), DAY) == said


@pytest.mark.parametrize(
    "done",
    [
        paid(invoice(1)),
        invoice(1, badges=(Badge.SETTLED_ELSEWHERE,)),
        invoice(1, badges=(Badge.VOID,)),
        invoice(1, due_date=None),
    ],
)
def test_what_is_not_owed_is_never_overdue(done: object) -> None:
    assert due_in(done, date(2030, 1, 1)) == ""  # type: ignore[arg-type]


def test_each_status_has_its_sign_and_what_needs_somebody_another() -> None:
    one = invoice(1)
    assert [sign(each) for each in (one, with_link(one), paid(one))] == ["⚪", "🟡", "🟢"]
    assert sign(paid(one), doubtful=True) == "🔴"
    assert sign(replace(with_link(one), badges=(Badge.LINK_DEACTIVATED,))) == "🔴"
    assert sign(replace(paid(one), badges=(Badge.DISPUTED,))) == "🔴"
    assert sign(replace(paid(one), badges=(Badge.REFUNDED,))) == "🟢"


def test_number_amount_and_buyer_come_first_and_largest_then_the_status() -> None:
    view = details(with_link(invoice(1, due_date=DAY)), organisation(), STRIPE, today=DAY)
    title, first, then = view["blocks"][:3]
    assert title["text"]["text"] == "Billing Invoice Details"
    assert first["type"] == "header"
    assert first["text"]["text"] == "INV-1001 · USD 1,200.50 · Acme Corporation"
    assert [each["text"] for each in then["fields"]] == [
        "Online Payment Link\n🟡 Pending Payment",
        "Due date\n2026-11-30 · due today",
    ]


def test_an_open_exception_shows_at_a_glance() -> None:
    opened = exception(ExceptionKind.SECOND_PAYMENT)
    view = details(paid(invoice(1)), organisation(), STRIPE, today=DAY, exceptions=[opened])
    assert "🔴 Paid" in flat(view).splitlines()


def primary(view: Json) -> list[str]:
    return [
        each["text"]["text"]
        for block in view["blocks"]
        for each in block.get("elements", [])
        if each.get("style") == "primary"
    ]


def test_the_primary_button_is_what_one_does_next() -> None:
    one = invoice(1)
    shown = [details(each, organisation(), STRIPE, today=TODAY) for each in (one, with_link(one), paid(one))]
    assert [primary(view) for view in shown] == [["Create Payment Link"], ["Copy Link URL"], []]


@pytest.mark.parametrize(("livemode", "path"), [(False, "test/payments"), (True, "payments")])
def test_the_stripe_payment_leads_to_its_page_in_stripes_dashboard(livemode: bool, path: str) -> None:
    one = paid(invoice(1))
    assert one.link is not None
    one = replace(one, link=replace(one.link, stripe_payment="pi_1"))
    view = details(one, organisation(), replace(STRIPE, livemode=livemode), today=TODAY)
    assert f"Stripe payment\n<https://dashboard.stripe.com/{path}/pi_1|pi_1>" in flat(view)


def test_who_asked_for_the_link_and_when_is_told_in_the_readers_zone() -> None:
    view = details(with_link(invoice(1)), organisation(), STRIPE, today=TODAY)
    assert "Link created\n<!date^" in flat(view)
    assert " by <@U0" in flat(view)


def test_the_description_stands_in_the_details_as_inert_text() -> None:
    view = details(invoice(1, description="<!channel> *loud*"), organisation(), STRIPE, today=TODAY)
    [said] = [block for block in view["blocks"] if "<!channel>" in str(block)]
    assert said["type"] == "rich_text"


def test_what_stands_still_is_an_alert_and_also_said_where_older_clients_see_it() -> None:
    paused = replace(STRIPE, paused=Pause(PauseReason.STRIPE_AWAY))
    lost = organisation(channel_problem="is_archived")
    view = details(invoice(1), lost, paused, today=TODAY, creating=True)
    assert check_view(view) == []
    alerts = [block["text"]["text"] for block in view["blocks"] if block["type"] == "alert"]
    assert [text.split(":")[0] for text in alerts] == [
        "Stripe can't be reached",
        "Paylink can't post to the notification channel",
    ]
    others = flat({"blocks": [block for block in view["blocks"] if block["type"] != "alert"]})
    assert "Stripe can't be reached" in others
    assert "Paylink can't post to the notification channel" in others
