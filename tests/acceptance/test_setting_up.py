"""From the install page to the first paid message, as whoever installed Paylink goes it: in Slack alone."""

from __future__ import annotations

from domain.connecting.checking import Permission
from sandbox.slack.state.model import View
from sandbox.slack.workspace import Workspace
from sandbox.stripe.api.endpoints import PERMISSIONS
from tests.acceptance.companies import PUBLIC, make, until
from tests.acceptance.conftest import Worlds
from tests.handlers.shapes import flat

KEY = "rk_test_0123456789abcdef"
FILE = b"number,buyer_name,billing_amount,currency\nINV-1,Acme,120.50,USD\n"


async def shown(workspace: Workspace, user: str, words: str) -> View:
    """The modal on top, once it says so."""
    found = await workspace.wait_for(
        lambda: next((view for view in reversed(workspace.views(user)) if words in flat(view.payload)), None)
    )
    assert found is not None
    return found


async def test_an_administrator_sets_it_up_in_slack_alone(sqlite_worlds: Worlds) -> None:
    company = await make(sqlite_worlds, PAYLINK_POLL_SECONDS="1")
    stripe, workspace = company.stripe, company.slack.workspaces["T0ONE"]
    stripe.add_key(KEY, permissions=PERMISSIONS - {Permission.METHODS})
    ann = workspace.add_person("ann")
    billing = workspace.add_channel("billing", bot=False)
    await company.install("T0ONE", ann)
    (told,) = await workspace.wait_for(lambda: workspace.dms(ann))
    assert "Paylink is installed" in told.text
    dm = workspace.dm_channel(ann)
    assert dm is not None

    await workspace.press(ann, (dm, told.ts), "Set Up Paylink")
    steps = await shown(workspace, ann, "⬜ 1 Connect Stripe")
    await workspace.press(ann, steps.id, "Connect Stripe")
    form = await shown(workspace, ann, "Restricted key")
    await workspace.type(ann, form.id, "restricted_key", "restricted_key", KEY)
    await workspace.submit(ann, form.id)
    assert "rk_test_…cdef" in flat((await shown(workspace, ann, "Stripe is connected")).payload)
    (endpoint,) = stripe.objects("webhook_endpoint")
    assert endpoint["url"] == f"{PUBLIC}/stripe/webhook/T0ONE"
    await workspace.wait_for(lambda: "✅ 1 Connect Stripe" in flat(workspace.view(steps.id).payload))
    await workspace.close(ann, workspace.top(ann).id)

    await workspace.press(ann, steps.id, "Choose a channel")
    settings = await shown(workspace, ann, "Notification channel")
    await workspace.click(ann, settings.id, "setting_channel", "setting_channel", billing)
    await workspace.submit(ann, settings.id)
    await workspace.wait_for(lambda: "✅ 2 Choose a channel" in flat(workspace.view(steps.id).payload))

    await workspace.press(ann, steps.id, "Import invoices")
    form = await shown(workspace, ann, "File")
    file = workspace.upload(ann, "invoices.csv", FILE)
    await workspace.click(ann, form.id, "import_file", "import_file", [file])
    await workspace.submit(ann, form.id)
    preview = await shown(workspace, ann, "Import Preview")
    await workspace.submit(ann, preview.id)
    await workspace.wait_for(lambda: len(workspace.dms(ann)) > 1 or None)

    await workspace.close(ann, workspace.top(ann).id, clear=True)
    await workspace.command(ann, billing, "/invoice 1")
    details = await shown(workspace, ann, "Billing Invoice Details")
    await workspace.press(ann, details.id, "Create Payment Link")
    await until(lambda: len(stripe.links()) == 1)
    await stripe.pay(stripe.links()[0]["id"])
    await workspace.wait_for(
        lambda: next((one for one in workspace.messages(billing) if "Paid: invoice INV-1" in one.text), None)
    )
    await workspace.open_home(ann)
    await workspace.wait_for(
        lambda: (home := workspace.home(ann)) and "Set Up Paylink" not in flat(home.payload)
    )

    company.slack.uninstall("T0ONE")
    bot = company.service.bot
    await until(lambda: bot.serving.workspaces.find("T0ONE") is None and not list(bot.accounts))
    assert stripe.objects("webhook_endpoint") == []
