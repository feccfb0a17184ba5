"""People who create links through Slack whatever happens to the bot, and buyers who pay them in every way."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.models import Link
from tests.faults.processes import Ground, RemoteRefusal
from tests.faults.slowness import Slowness

LOOK_SECONDS = 0.03
VIEW_SECONDS = 2.0
View = dict[str, Any]


DEEDS = {"once": 60, "twice": 8, "another amount": 4, "another currency": 4, "settled later": 4}
"""What buyers do, and how often."""
TAKEN_BACK: dict[str, tuple[int, list[tuple[str, dict[str, Any]]]]] = {
    "refunded": (3, [("refund", {})]),
    "refunded in part": (3, [("refund", {"amount": 1_000})]),
    "refunded bit by bit": (
        2,
        [("refund", {"amount": 1_000}), ("refund", {"amount": 1_000}), ("refund", {})],
    ),
    "refund failed": (2, [("refund", {}), ("change_refund", {"status": "failed"})]),
    "refunded again": (2, [("refund", {}), ("change_refund", {"status": "failed"}), ("refund", {})]),
    "refund never began": (1, [("refund", {"status": "failed"})]),
    "disputed": (2, [("dispute", {})]),
    "dispute won": (2, [("dispute", {}), ("change_dispute", {"status": "won"})]),
    "dispute lost": (2, [("dispute", {}), ("change_dispute", {"status": "lost"})]),
    "lost at once": (1, [("dispute", {"status": "lost"})]),
    "asked about": (
        2,
        [("dispute", {"status": "warning_needs_response"}), ("change_dispute", {"status": "warning_closed"})],
    ),
    "asked, then disputed": (
        1,
        [("dispute", {"status": "warning_needs_response"}), ("change_dispute", {"status": "needs_response"})],
    ),
}
"""What becomes of a payment afterwards, how often, and by which acts at Stripe."""


class Interrupted(Exception):
    """The bot didn't answer, or not with what was expected: begin again."""


@dataclass
class Person:
    """Does in Slack what people do, one thing at a time, and remembers what was promised."""

    ground: Ground
    user: str
    slowness: Slowness
    promised: set[str] = field(default_factory=set)
    """Numbers of invoices whose creation Slack has seen acknowledged."""

    async def create_all(self, prefix: str, numbers: list[str]) -> None:
        """Create the links of all invoices whose numbers begin with ``prefix``; 100 at most. Raises Interrupted."""
        await self._close_all()
        await self._command(f"/invoices {prefix}")
        shown = await self._view("list", lambda view: bool(_boxes(view)))
        await self._act("press", surface=shown["id"], label="Select All on This Page")
        shown = await self._view("list", lambda view: view["hash"] != shown["hash"] and bool(_ticked(view)))
        ticked = _ticked(shown)
        await self._act("submit", view_id=shown["id"])
        confirmation = await self._view("confirmation", lambda view: True)
        await self._act("submit", view_id=confirmation["id"])
        if (await self._top()).get("callback_id") != "result":
            raise Interrupted("Create was answered with something else")
        self.promised |= ticked & set(numbers)

    async def create_one(self, number: str) -> None:
        """Create one link from its details. Raises Interrupted."""
        await self._close_all()
        await self._command(f"/invoice {number}")
        shown = await self._view("details", lambda view: "Billing Invoice Details" in str(view["blocks"]))
        await self._act("press", surface=shown["id"], label="Create Payment Link")

    async def _command(self, text: str) -> None:
        await self._act("command", channel=self.ground.channels[0], text=text)

    async def _act(self, verb: str, **args: Any) -> None:
        try:
            asked = {"verb": verb, "args": {"user": self.user, **args}}
            outcome = await self.ground.slack.post("do", asked)
        except RemoteRefusal as refusal:
            raise Interrupted(str(refusal)) from None
        if outcome["error"] or outcome["errors"]:
            raise Interrupted(f"{verb}: {outcome['error'] or outcome['errors']}")

    async def _view(self, callback_id: str, fits: Callable[[View], bool]) -> View:
        for _ in range(int(VIEW_SECONDS * self.slowness.factor / LOOK_SECONDS)):
            view = await self._top()
            if view.get("callback_id") == callback_id and fits(view):
                return view
            await asyncio.sleep(LOOK_SECONDS)
        raise Interrupted(f"no {callback_id}")

    async def _top(self) -> View:
        modals = (await self.ground.slack.get("views", user=self.user))["modals"]
        top: View = modals[-1] if modals else {}
        return top

    async def _close_all(self) -> None:
        while (top := await self._top()).get("id"):
            try:
                asked = {"verb": "close", "args": {"user": self.user, "view_id": top["id"], "clear": True}}
                await self.ground.slack.post("do", asked)
            except RemoteRefusal as refusal:
                raise Interrupted(str(refusal)) from None


def _boxes(view: View) -> list[dict[str, Any]]:
    elements = [element for block in view["blocks"] for element in block.get("elements", [])]
    elements += [block["element"] for block in view["blocks"] if "element" in block]
    return [element for element in elements if element.get("type") == "checkboxes"]


def _ticked(view: View) -> set[str]:
    return {option["text"]["text"] for box in _boxes(view) for option in box.get("initial_options", [])}


class Buyers:
    """Pay what there is to pay: mostly once and rightly, sometimes twice, wrongly, late, or back again."""

    def __init__(self, ground: Ground, db: Database, rng: random.Random) -> None:
        self._ground = ground
        self._db = db
        self._random = rng
        self._met: set[int] = set()
        self.deeds: dict[str, int] = {}
        self.payments = 0
        """Sessions that were completed."""

    async def pay_new(self, share: float) -> int:
        """Pay a share of the links that were recorded since the last call; return how many links there are."""
        rows = await self._db.read(_created_links)
        for link_id, stripe_id, amount in rows:
            if link_id in self._met:
                continue
            self._met.add(link_id)
            if self._random.random() < share:
                await self._pay(stripe_id, amount)
        return len(rows)

    async def _pay(self, stripe_id: str, amount: int) -> None:
        deed = self._random.choices(
            [*DEEDS, *TAKEN_BACK],
            [*DEEDS.values(), *(weight for weight, _ in TAKEN_BACK.values())],
        )[0]
        self.deeds[deed] = self.deeds.get(deed, 0) + 1
        open_one: dict[str, Any] = await self._do("open", stripe_id)
        if deed == "twice":
            second = await self._do("open", stripe_id)
            await self._do("pay", open_one["id"])
            await self._do("pay", second["id"])
        elif deed == "another amount":
            await self._do("pay", open_one["id"], amount=amount + 100)
        elif deed == "another currency":
            await self._do("pay", open_one["id"], currency="eur")
        elif deed == "settled later":
            await self._do("pay", open_one["id"], unpaid=True)
            await asyncio.sleep(self._random.uniform(0, 0.3))
            await self._do("settle", open_one["id"])
        else:
            known = await self._do("pay", open_one["id"])
            for action, how in TAKEN_BACK.get(deed, (0, ()))[1]:
                # What begins is a thing of its own, and what follows is about that.
                begins = action in ("refund", "dispute")
                known = await self._do(action, open_one["id"] if begins else known["id"], **how)
                await asyncio.sleep(self._random.uniform(0, 0.5))

    async def _do(self, action: str, target: str, **more: Any) -> dict[str, Any]:
        self.payments += action == "pay"
        done: dict[str, Any] = await self._ground.stripe.post(action, {"target": target, **more})
        return done


def _created_links(session: Session) -> list[tuple[int, str, int]]:
    rows = session.execute(
        sa.select(Link.id, Link.stripe_id, Link.amount).where(Link.state == "created").order_by(Link.id)
    )
    return [(link_id, str(stripe_id), amount) for link_id, stripe_id, amount in rows]
