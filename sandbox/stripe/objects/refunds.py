"""Refunds: made once or several times up to the charge, and what becomes of each afterwards (/refunds).

A refund counts in its charge's `amount_refunded` from the moment it is made, pending or not, and until it fails or is
cancelled (/refunds#failed-refunds: the money comes back to the account's balance).
"""

from __future__ import annotations

from typing import Any

import stripe

from sandbox.stripe.act import Act
from sandbox.stripe.errors import refused
from sandbox.stripe.objects import money
from sandbox.stripe.objects.shapes import blank, new_id

Json = dict[str, Any]

FAILURE_REASONS = (
    "lost_or_stolen_card",
    "expired_or_canceled_card",
    "charge_for_pending_refund_disputed",
    "insufficient_funds",
    "declined",
    "merchant_request",
    "unknown",
)
"""stripe.Refund.failure_reason"""

FOLLOWS = {
    "pending": ("requires_action", "succeeded", "failed", "canceled"),
    "requires_action": ("pending", "succeeded", "failed", "canceled"),
    "succeeded": ("failed", "canceled"),
    "failed": (),
    "canceled": (),
}
"""What may come of a refund (stripe.Refund.status). That a bank sends one back weeks after it succeeded is what
/refunds#failed-refunds is about; that the Dashboard cancels one that reads succeeded is undocumented."""
UNDONE = ("failed", "canceled")


def create(
    act: Act,
    charge: Json,
    *,
    amount: int | None,
    reason: str | None = None,
    metadata: Json | None = None,
    status: str = "succeeded",
) -> Json:
    """/api/refunds/create: `amount` None is all that is left. A `status` of failed or canceled is what comes of it
    right away, by way of pending. Raises ApiError."""
    if status not in FOLLOWS:
        raise ValueError(f"not a status of a refund: {status}")
    amount = _refundable(act, charge, amount)
    first = "pending" if status in UNDONE else status
    item = _shape(charge, amount, reason, metadata or {}, created=act.created, status=first)
    previous = _count(act, charge, amount)
    act.record("refund.created", act.world.add(item))
    act.record("charge.refunded", charge, previous=previous)
    return change(act, item, status=status) if status in UNDONE else item


def _refundable(act: Act, charge: Json, amount: int | None) -> int:
    left = charge["amount"] - charge["amount_refunded"]
    if not charge["paid"]:
        raise refused(f"Charge {charge['id']} was not paid and can't be refunded.", "charge")
    if left <= 0:
        raise refused(f"Charge {charge['id']} has already been refunded.", None, "charge_already_refunded")
    if charge["disputed"] and any(
        dispute["charge"] == charge["id"] and not dispute["is_charge_refundable"]
        for dispute in act.world.shelves["dispute"]
    ):
        raise refused(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", None, "charge_disputed"
        )
    amount = left if amount is None else amount
    if amount < 1:
        raise refused("Invalid positive integer", "amount", "parameter_invalid_integer")
    if amount > left:
        asked, rest = (money.amount_text(value, charge["currency"]) for value in (amount, left))
        raise refused(
            f"Refund amount ({asked}) is greater than unrefunded amount on charge ({rest})", "amount"
        )
    return amount


def change(
    act: Act,
    item: Json,
    *,
    status: str | None = None,
    failure_reason: str | None = None,
    reference: str | None = None,
) -> Json:
    """The refund goes on to `status`, or the network names it by a `reference` (/refunds#tracing-refunds), which tells
    of no change that matters but is an event all the same. A failed or cancelled one gives its sum back to the charge;
    no event of the charge tells of that."""
    previous: Json = {}
    if status is not None:
        if status not in FOLLOWS.get(item["status"], ()):
            raise ValueError(f"a refund that is {item['status']} doesn't become {status}")
        previous["status"], item["status"] = item["status"], status
        pending = "processing" if status == "pending" else None
        previous["pending_reason"], item["pending_reason"] = item["pending_reason"], pending
    if status == "failed":
        if failure_reason is not None and failure_reason not in FAILURE_REASONS:
            raise ValueError(f"not a reason for a refund's failure: {failure_reason}")
        item["failure_reason"] = failure_reason or "unknown"
        item["failure_balance_transaction"] = new_id("txn")
        previous |= {"failure_reason": None, "failure_balance_transaction": None}
    if status in UNDONE:
        _count(act, act.get("charge", item["charge"], param="charge"), -item["amount"])
    if reference is not None:
        card = item["destination_details"]["card"]
        previous["destination_details"] = {"card": {name: card.get(name) for name in ("reference",)}}
        card |= {"reference": reference, "reference_status": "available"}
        card["reference_type"] = "acquirer_reference_number"
    # Of "selected payment methods", cards among them (stripe/zulip's recorded webhook of a failed card refund).
    act.record("charge.refund.updated", item, previous=previous)
    act.record("refund.updated", item, previous=previous)
    if status == "failed":
        act.record("refund.failed", item)
    return item


def cancel(act: Act, refund_id: str, _: Json) -> Json:
    """stripe.RefundService.cancel: only while it requires action."""
    item = act.get("refund", refund_id, param="refund")
    if item["status"] != "requires_action":
        raise refused(
            f"Refund {refund_id} has a status of {item['status']}: only one of requires_action can be canceled."
        )
    return change(act, item, status="canceled")


def _count(act: Act, charge: Json, amount: int) -> Json:
    """Adds to what is refunded of the charge; returns what it was before."""
    before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    return before


def _shape(
    charge: Json, amount: int, reason: str | None, metadata: Json, *, created: int, status: str
) -> Json:
    item: Json = blank(stripe.Refund, "description", "instructions_email", "next_action") | {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "pending_reason": "processing" if status == "pending" else None,
        "reason": reason,
        "status": status,
    }
    return item
