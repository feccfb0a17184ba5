"""Real payloads, caught on their way from the local Slack to the bot."""

import copy
from typing import Any
from urllib.parse import urlencode

from sandbox.slack import Workspace
from tests.acceptance.conftest import World
from tests.faults.mutations import dumps

BUYER, EMAIL = "Quixotic Zebra Holdings", "zebra@quixotic.example"
Sent = tuple[str, dict[str, Any]]


class Recorder:
    """Stands before a local Slack's delivery and keeps what goes through."""

    def __init__(self, delivery: Any) -> None:
        self.delivery = delivery
        self.sent: list[Sent] = []

    @classmethod
    def before(cls, workspace: Workspace) -> "Recorder":
        recorder = cls(workspace._delivery)
        workspace._delivery = recorder
        return recorder

    async def send(self, envelope: str, payload: dict[str, Any], **how: Any) -> Any:
        self.sent.append((envelope, copy.deepcopy(payload)))
        return await self.delivery.send(envelope, payload, **how)


async def record_everything(world: World) -> list[Sent]:
    """One real payload of each kind that people can send."""
    workspace, alice = world.workspace, world.alice
    for n in range(30):
        world.add_invoice(f"INV-{n}", buyer_name=BUYER, buyer_email=EMAIL)
    recorder = Recorder.before(workspace)
    await workspace.open_home(alice)
    for callback in ("find_invoice", "billing_invoices"):
        await workspace.global_shortcut(alice, callback)
        await world.until(lambda: world.top())
        await workspace.close(alice, workspace.top(alice).id, clear=True)
    await workspace.command(alice, world.channel, "/invoice")
    await world.until(lambda: "Search" in world.top())
    search = workspace.top(alice)
    [place] = [(b["block_id"], b["element"]["action_id"]) for b in search.blocks if b["type"] == "input"]
    await workspace.options(alice, search.id, *place, query="INV")
    await workspace.close(alice, search.id, clear=True)
    await workspace.command(alice, world.channel, "/invoice INV-0")
    await world.until(lambda: "Billing Invoice Details" in world.top())
    await world.press("Create Payment Link")
    await world.until(lambda: "Pending Payment" in world.top())
    await world.press("Copy Link URL")
    await world.until(lambda: "Payment link URL" in world.top())
    await world.submit()
    await workspace.close(alice, workspace.top(alice).id, clear=True)
    await _work_on_the_list(world)
    [link] = [one for one in world.stripe.links() if one["metadata"]["invoice_number"] == "INV-0"]
    await world.stripe.pay(link["url"])
    await world.until(lambda: world.announced())
    paid = next(message for message in workspace.messages(world.channel) if message.bot_id)
    await workspace.press(alice, paid.place, "View Invoice")
    result = await world.until(
        lambda: next((m for m in workspace.dms(alice) if m.bot_id and "Created:" in m.text), None)
    )
    assert result is not None
    await workspace.press(alice, result.place, "Show Result")
    workspace._delivery = recorder.delivery
    return recorder.sent


async def _work_on_the_list(world: World) -> None:
    workspace, alice = world.workspace, world.alice
    await workspace.command(alice, world.channel, "/invoices INV")
    await world.until(lambda: "Billing Invoices" in world.top())
    for label in ("Select All on This Page", "Remove All Selections", "Select All on This Page"):
        shown = workspace.top(alice).hash
        await world.press(label)
        await world.until(lambda shown=shown: workspace.top(alice).hash != shown)  # type: ignore[misc]
    view = workspace.top(alice)
    boxes = next(block for block in view.blocks if "ticks" in block["block_id"])
    ticks = boxes["elements"][0] if "elements" in boxes else boxes["element"]
    values = [option["value"] for option in ticks["options"][:3]]
    await workspace.click(alice, view.id, boxes["block_id"], ticks["action_id"], values)
    await world.submit()
    await world.until(lambda: "Target Billing Invoices" in world.top())
    await world.submit()
    await world.until(lambda: "Created: " in world.top())
    await workspace.close(alice, workspace.top(alice).id, clear=True)


def one_of_each(sent: list[Sent]) -> list[Sent]:
    """The last payload of each kind, so that no kind is tried more often than another."""
    kinds: dict[tuple[Any, ...], Sent] = {}
    for envelope, payload in sent:
        actions = [(action.get("action_id"), action.get("type")) for action in payload.get("actions", [])]
        view = (payload.get("view") or {}).get("callback_id")
        kinds[
            envelope, payload.get("type"), payload.get("command"), view, tuple(actions),
        ] = (envelope, payload)  # fmt: skip
    return list(kinds.values())


def encoded(envelope: str, payload: Any) -> tuple[bytes, str]:
    """As Slack writes it over HTTP."""
    if envelope == "slash_commands" and isinstance(payload, dict):
        fields = {key: one if isinstance(one, str) else dumps(one) for key, one in payload.items()}
        return urlencode(fields, errors="surrogatepass").encode(), "application/x-www-form-urlencoded"
    if envelope == "interactive":
        return urlencode({"payload": dumps(payload)}).encode(), "application/x-www-form-urlencoded"
    return dumps(payload).encode(), "application/json"
