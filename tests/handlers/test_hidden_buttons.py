"""What somebody may not do isn't offered where only they look."""

from dataclasses import replace

import pytest

from domain.overview.summaries import HomeSummary
from domain.states import ExceptionKind, Outcome, Right
from domain.summaries import ExceptionPage
from handlers.views.details import details
from handlers.views.exceptions import exceptions
from handlers.views.home import home
from handlers.views.listing import listing
from handlers.views.result import result
from sandbox.slack.blocks.surfaces import check_view
from tests.handlers.samples import exception, invoice, organisation
from tests.handlers.shapes import STRIPE, TODAY, Json, buttons, flat, full_pages, page, run, tick_groups

EVERYTHING = frozenset(Right)


def shown(rights: frozenset[Right]) -> dict[str, Json]:
    opens = (exception(ExceptionKind.REFUNDED),)
    return {
        "details": details(invoice(1), organisation(), STRIPE, exceptions=opens, today=TODAY, rights=rights),
        "exceptions": exceptions(ExceptionPage(opens, 0, False, 1, rights)),
        "result": result(replace(run({Outcome.FAILED: 2}), rights=rights)),
        "home": home(HomeSummary(organisation(), STRIPE, 0, 0, (), (), 0, 0, rights=rights)),
        "list": listing(page([invoice(1)], rights=rights)),
    }


@pytest.mark.parametrize(
    ("view", "label", "right"),
    [
        ("details", "Create Payment Link", Right.CREATE),
        ("details", "Resolve", Right.RESOLVE),
        ("exceptions", "Resolve", Right.RESOLVE),
        ("result", "Retry Failed", Right.CREATE),
        ("home", "Import Invoices", Right.IMPORT),
        ("list", "Select All on This Page", Right.CREATE),
        ("list", "Remove All Selections", Right.CREATE),
    ],
)
def test_a_button_is_there_for_those_who_may(view: str, label: str, right: Right) -> None:
    assert label in buttons(shown(EVERYTHING)[view])
    without = shown(EVERYTHING - {right})[view]
    assert check_view(without) == []
    assert label not in buttons(without)


@pytest.mark.parametrize("name", full_pages())
def test_a_list_without_ticks_fits_and_shows_every_invoice(name: str) -> None:
    invoices = full_pages()[name]
    shown = listing(page(invoices, rights=EVERYTHING - {Right.CREATE}), said="x")
    assert check_view(shown) == []
    assert len(shown["blocks"]) < 100, "one is kept for a notice"
    assert not tick_groups(shown)
    assert shown["submit"]["text"] == "Search"
    assert all(one.number in flat(shown) for one in invoices)
