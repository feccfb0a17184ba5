"""The Home tab: published when it is opened, and saying so when there is nothing to show."""

from datetime import timedelta

from domain.errors import DatabaseUnavailable
from domain.invoices.invoices import totals
from handlers.features.following import Follower
from tests.handlers.conftest import Bench
from tests.handlers.samples import NOW, TEAM, invoice, organisation, paid, with_link
from tests.handlers.shapes import flat


async def opened(bench: Bench) -> str:
    await bench.workspace.open_home(bench.anna)
    await bench.idle()
    home = bench.workspace.home(bench.anna)
    assert home is not None
    return flat(home.payload)


async def test_home_counts_and_leads_to_what_was_paid_lately(bench: Bench) -> None:
    bench.invoices(with_link(invoice(1)), with_link(invoice(2)), paid(invoice(3)))
    lines = (await opened(bench)).splitlines()
    assert {"Pending Payment: 2", "Paid: 1"} <= set(lines)
    home = bench.workspace.home(bench.anna)
    assert home is not None
    row = next(each for each in home.blocks if "INV-1003" in str(each))
    await bench.workspace.click(bench.anna, home.id, row["block_id"], "view_invoice")
    await bench.idle()
    assert "Stripe payment" in bench.shown.splitlines()
    assert bench.refused_calls() == []


async def test_what_is_owed_leads_to_the_list_with_its_filter(bench: Bench) -> None:
    bench.invoices(invoice(1), invoice(2), with_link(invoice(3)))
    lines = (await opened(bench)).splitlines()
    assert {"Not Created: 2", "Pending Payment: 1", "Overdue: 0"} <= set(lines)
    assert lines[lines.index("Not Created: 2") + 2] == str(totals([invoice(1), invoice(2)])[0])
    home = bench.workspace.home(bench.anna)
    assert home is not None
    await bench.workspace.click(bench.anna, home.id, "pending_payment", "show_owed")
    await bench.idle()
    assert "INV-1003" in bench.shown
    assert "INV-1001" not in bench.shown
    await bench.workspace.click(bench.anna, home.id, "not_created", "show_owed")
    await bench.idle()
    assert "INV-1001" in bench.shown
    assert bench.refused_calls() == []


async def test_what_is_overdue_leads_to_the_list_of_it(bench: Bench) -> None:
    yesterday = NOW.date() - timedelta(days=1)
    late = with_link(invoice(2, due_date=yesterday))
    bench.invoices(invoice(1), late, paid(invoice(3, due_date=yesterday)))
    lines = (await opened(bench)).splitlines()
    assert lines[lines.index("Overdue: 1") + 2] == str(late.amount)
    assert "⚠ 1 day overdue" in next(line for line in lines if "INV-1002" in line)
    home = bench.workspace.home(bench.anna)
    assert home is not None
    await bench.workspace.click(bench.anna, home.id, "overdue", "show_owed")
    await bench.idle()
    assert "INV-1002" in bench.shown
    assert "INV-1001" not in bench.shown
    assert "INV-1003" not in bench.shown
    element = bench.block("filter")["element"]
    assert element["initial_option"]["text"]["text"] == "Overdue"
    assert bench.refused_calls() == []


async def test_what_needs_somebody_comes_first_and_says_so_where_nothing_does(bench: Bench) -> None:
    lines = (await opened(bench)).splitlines()
    assert lines.index("Needs somebody") < lines.index("Owed") < lines.index("Lately paid")
    assert "✅ Nothing right now." in lines
    bench.desk.organisation = organisation(channel=None)
    shown = await opened(bench)
    assert "no notification channel" in shown
    assert "Nothing right now" not in shown


async def test_home_is_fresh_whenever_it_is_opened(bench: Bench) -> None:
    assert "Paid: 0" in await opened(bench)
    bench.invoices(paid(invoice(3)))
    assert "Paid: 1" in await opened(bench)


async def test_home_says_why_there_is_nothing_to_show(bench: Bench) -> None:
    bench.desk.failure = DatabaseUnavailable()
    assert "database doesn't answer" in await opened(bench)
    bench.desk.failure = None
    bench.desk.organisation = organisation(team_id="T0OTHER")
    assert "isn't set up" in await opened(bench)


async def test_an_error_behind_a_button_of_home_opens_a_note(bench: Bench) -> None:
    bench.invoices(paid(invoice(3)))
    await opened(bench)
    bench.desk.failure = DatabaseUnavailable()
    home = bench.workspace.home(bench.anna)
    assert home is not None
    await bench.press("Find Invoice", home.id)
    assert "database doesn't answer" in bench.shown


async def test_slack_not_taking_home_is_logged_and_nothing_else(bench: Bench) -> None:
    bench.slack.faults.add(method="views.publish", do="error", error="internal_error")
    await bench.workspace.open_home(bench.anna)
    await bench.idle()
    assert bench.log.named("home.not_published") == [{"code": "internal_error"}]


def publications(bench: Bench) -> int:
    return sum(call.method == "views.publish" for call in bench.workspace.calls)


def let_pass(bench: Bench, seconds: float) -> None:
    bench.desk.minutes += seconds / 60


async def test_home_that_is_open_follows_what_it_shows_at_most_every_ten_seconds(bench: Bench) -> None:
    follower = Follower(bench.app.office, bench.app.client, TEAM)
    bench.invoices(with_link(invoice(1)))
    await opened(bench)
    let_pass(bench, 10)
    await follower.look()
    assert publications(bench) == 1, "nothing has changed"
    bench.invoices(paid(invoice(1)))
    await follower.look()
    assert publications(bench) == 2
    home = bench.workspace.home(bench.anna)
    assert home is not None
    assert "Paid: 1" in flat(home.payload).splitlines()
    bench.invoices(with_link(invoice(2)))
    await follower.look()
    assert publications(bench) == 2, "ten seconds haven't passed"
    let_pass(bench, 10)
    await follower.look()
    assert publications(bench) == 3
    let_pass(bench, 1_800)
    bench.invoices(paid(invoice(2)))
    await follower.look()
    assert publications(bench) == 3, "half an hour ago"


async def test_home_that_slack_did_not_take_is_published_again(bench: Bench) -> None:
    follower = Follower(bench.app.office, bench.app.client, TEAM)
    await opened(bench)
    let_pass(bench, 10)
    bench.invoices(paid(invoice(1)))
    bench.slack.faults.add(method="views.publish", do="error", error="internal_error")
    await follower.look()
    let_pass(bench, 10)
    await follower.look()
    home = bench.workspace.home(bench.anna)
    assert home is not None
    assert "Paid: 1" in flat(home.payload).splitlines()


async def test_the_home_of_another_workspace_is_left_to_its_own_process(bench: Bench) -> None:
    await opened(bench)
    let_pass(bench, 10)
    bench.invoices(paid(invoice(1)))
    await Follower(bench.app.office, bench.app.client, "T0OTHER").look()
    assert publications(bench) == 1
