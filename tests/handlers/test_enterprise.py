"""Enterprise Grid: a button in a channel that several workspaces share is for those who are of the one where Paylink is."""

import pytest

from domain.states import AnnouncementKind
from handlers.rejections import Outsider
from handlers.views.messages import announcement_message
from handlers.words.sentences import sentence
from tests.handlers.conftest import Bench
from tests.handlers.samples import invoice, paid
from tests.handlers.shapes import flat
from tests.handlers.test_messages import announcement

REFUSED = str(sentence(Outsider()))


async def press(bench: Bench, user: str) -> tuple[str, str]:
    """What they see after View Invoice below a paid message: in a modal, and said to them alone."""
    bench.invoices(paid(invoice(1)))
    client = bench.app.client
    client.token = bench.workspace.bot_token
    told = announcement_message(announcement(AnnouncementKind.PAID))
    posted = await client.chat_postMessage(channel=bench.channel, **told)
    await bench.workspace.press(user, (bench.channel, posted["ts"]), "View Invoice")
    await bench.idle()
    shown = "\n".join(flat(view.payload) for view in bench.workspace.views(user))
    said = bench.workspace.messages(bench.channel, seen_by=user)
    return shown, "\n".join(one.text for one in said if one.ephemeral_to == user)


async def test_who_is_of_two_workspaces_may_press_a_button_in_a_channel(bench: Bench) -> None:
    bench.workspace.join_enterprise("E0GRID")
    shown, said = await press(bench, bench.workspace.add_person("sam", team_id="T0SISTER"))
    assert "Billing Invoice Details" in shown
    assert said == ""


@pytest.mark.parametrize("scopes", [True, False])
async def test_who_is_of_a_sister_workspace_alone_sees_nothing(bench: Bench, scopes: bool) -> None:
    bench.workspace.join_enterprise("E0GRID")
    visits = bench.workspace.add_person("vi", team_id="T0SISTER", visitor=scopes)
    if not scopes:
        # Then Slack says of nobody whether they belong here.
        bench.workspace.team.scopes.remove("users:read")
    shown, said = await press(bench, visits)
    assert "INV-1001" not in shown + said
    assert REFUSED in shown + said


async def test_while_slack_does_not_say_who_somebody_is_they_see_nothing(bench: Bench) -> None:
    bench.workspace.join_enterprise("E0GRID")
    bench.slack.faults.add(method="users.info", do="error", error="internal_error", times=None)
    shown, said = await press(bench, bench.workspace.add_person("sam", team_id="T0SISTER"))
    assert "Billing Invoice Details" not in shown
    assert shown + said


async def test_who_comes_by_slack_connect_is_refused_there_as_well(bench: Bench) -> None:
    bench.workspace.join_enterprise("E0GRID")
    shown, said = await press(bench, bench.workspace.add_person("eve", team_id="T9EXT", stranger=True))
    assert "INV-1001" not in shown + said
    assert REFUSED in shown + said
