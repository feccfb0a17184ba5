"""Home's view passes Block Kit's rules and tells all that there is, whatever customers' text."""

import pytest

from domain.import_results import ImportCounts, ImportStanding
from domain.links.run_results import RunSummary
from domain.money import Money
from domain.overview.summaries import HomeSummary, Owed, Tally
from domain.states import ExceptionKind, ImportState, PauseReason
from domain.summaries import ExceptionSummary, Pause, StripeState
from handlers.views.home import home
from sandbox.slack.blocks.surfaces import check_view
from tests.handlers.hostile import HOSTILE
from tests.handlers.samples import NOW, invoice, organisation, paid, with_link
from tests.handlers.shapes import STRIPE, buttons, flat


@pytest.mark.parametrize("kind", ["fine", "troubled", "hostile"])
def test_home_passes_and_counts(kind: str) -> None:
    text = HOSTILE["long"] if kind == "hostile" else "Acme"
    waiting = tuple(with_link(invoice(n, buyer_name=text)) for n in range(10))
    done = tuple(paid(one) for one in waiting)
    shown = HomeSummary(organisation(), STRIPE, 12_345, 7, waiting, done, 0, 0)
    if kind == "troubled":
        lost = organisation(add_on=False, channel_problem="is_archived", last_imported_at=None)
        away = StripeState(True, None, Pause(PauseReason.PERMISSION_LACKING, "rak_" * 50))
        shown = HomeSummary(lost, away, 0, 0, (), (), 3, 1)
    view = home(shown)
    assert check_view(view) == []
    lines = flat(view).splitlines()
    assert f"Pending Payment: {shown.pending}" in lines
    assert f"Paid: {shown.paid}" in lines
    assert buttons(view)[:2] == ["Find Invoice", "Billing Invoices"]


def test_home_tells_all_that_there_is_within_what_slack_takes() -> None:
    long = HOSTILE["long"]
    waiting = tuple(with_link(invoice(n, buyer_name=long)) for n in range(5))
    sums = tuple(Money(10**15, code) for code in ("EUR", "JPY", "USD"))
    run = RunSummary(7, NOW, 100, 90, 10, final=False)
    counts = ImportCounts(1, 2, 3, 4, 5)
    imports = (
        ImportStanding(1, long, ImportState.CONFIRMED, counts, counts),
        ImportStanding(2, "b.csv", ImportState.FAILED, counts, counts),
    )
    dispute = ExceptionSummary(
        3, ExceptionKind.DISPUTED, NOW, sums[0], invoice_id=1, number=long[:60], buyer_name=long, due_by=NOW
    )
    shown = HomeSummary(
        organisation(channel_problem="is_archived"),
        STRIPE,
        3,
        7,
        waiting,
        tuple(paid(one) for one in waiting),
        2,
        1,
        15,
        ("internal_error",),
        ("access_denied",),
        kinds=tuple((kind, 2) for kind in ExceptionKind),
        deadlines=(dispute,) * 5,
        failed_runs=(run,) * 5,
        owed=Owed(Tally(12, sums), Tally(3, sums[:1]), Tally(4, sums), 7),
        paid_lately=Tally(2, sums),
        runs=(run,) * 5,
        imports=imports,
    )
    view = home(shown)
    assert check_view(view) == []
    said = flat(view)
    lines = said.splitlines()
    each = " · ".join(map(str, sums))
    assert lines[lines.index("Not Created: 12") + 2] == each
    assert lines[lines.index("Pending Payment: 3") + 2] == str(sums[0])
    assert lines[lines.index("Overdue: 4") + 2] == each
    assert {"Paid: 7", "In the last seven days: 2 invoices", "Exceptions: 15"} <= set(lines)
    assert "access_denied" in said
    assert "Stripe refused 10 of 100 links" in said
    assert "broke off" in said


def test_home_says_that_there_is_no_channel() -> None:
    shown = HomeSummary(organisation(channel=None), STRIPE, 0, 0, (), (), 2, 0)
    assert "no notification channel" in flat(home(shown))
    assert "2 announcements" in flat(home(shown))
