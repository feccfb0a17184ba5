"""Disputes and inquiries, from the bank's first word to its last (/disputes/how-disputes-work).

An inquiry (warning_*) takes no money yet; one that goes on becomes a dispute, which does.
"""

from __future__ import annotations

from typing import Any

import stripe

from sandbox.stripe.act import Act
from sandbox.stripe.objects.shapes import blank, new_id

Json = dict[str, Any]
ANSWER_DUE = 9 * 24 * 3600
"""Seconds. /disputes/responding: between 7 and 21 days, as the network rules."""

REASONS = (
    "bank_cannot_process",
    "check_returned",
    "credit_not_processed",
    "customer_initiated",
    "debit_not_authorized",
    "duplicate",
    "fraudulent",
    "general",
    "incorrect_account_details",
    "insufficient_funds",
    "noncompliant",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
)
"""stripe.Dispute.reason"""

FOLLOWS = {
    "warning_needs_response": ("warning_under_review", "warning_closed", "needs_response", "prevented"),
    "warning_under_review": ("warning_closed", "needs_response"),
    "warning_closed": (),
    "needs_response": ("under_review", "won", "lost", "prevented"),
    "under_review": ("won", "lost"),
    "won": ("lost",),
    "lost": ("won", "appeal_needs_response"),
    "appeal_needs_response": ("appeal_under_review", "lost"),
    "appeal_under_review": ("won", "lost"),
    "prevented": (),
}
"""stripe.Dispute.status. Which may follow which is our reading of /disputes/how-disputes-work; that a network overturns
an end that was already told (won, lost) is rare and undocumented."""
CLOSED = ("warning_closed", "won", "lost")
"""/api/events/types: charge.dispute.closed tells of these three. What tells of `prevented` (/changelog, 2025-08-27) is
undocumented: charge.dispute.updated here, so whoever waits for `closed` alone is found out."""
NOT_TAKEN = ("warning_needs_response", "warning_under_review", "warning_closed", "prevented")
"""The statuses in which no money has left the account."""
ANSWERED = {
    "needs_response": "under_review",
    "warning_needs_response": "warning_under_review",
    "appeal_needs_response": "appeal_under_review",
}


def create(
    act: Act,
    charge: Json,
    *,
    amount: int | None = None,
    reason: str = "fraudulent",
    status: str = "needs_response",
    due_in: int | None = None,
) -> Json:
    """The buyer's bank disputes the charge, or asks about it. It may be at its end when it is first heard of: `due_by`
    is 0 then, for no answer is allowed (stripe.Dispute.EvidenceDetails.due_by)."""
    if status not in FOLLOWS:
        raise ValueError(f"not a status of a dispute: {status}")
    if reason not in REASONS:
        raise ValueError(f"not a reason of a dispute: {reason}")
    over = status in CLOSED or status == "prevented"
    due_by = 0 if over else act.created + (ANSWER_DUE if due_in is None else due_in)
    item = _shape(charge, amount or charge["amount"], reason, status, due_by, created=act.created)
    # Whether an inquiry sets `disputed` is undocumented; here it does, so that the dispute has to be looked at.
    charge["disputed"] = True
    act.world.add(item)
    if status not in NOT_TAKEN:
        _move(item, -item["amount"], act.created)
    act.record("charge.dispute.created", item)
    if status not in NOT_TAKEN:
        act.record("charge.dispute.funds_withdrawn", item)
    if status in CLOSED:
        act.record("charge.dispute.closed", item)
    if status == "won":
        _reinstate(act, item)
    return item


def change(act: Act, item: Json, *, status: str, due_in: int | None = None) -> Json:
    """The bank's or the network's next word. An inquiry that becomes a dispute has a new deadline."""
    before = item["status"]
    if status not in FOLLOWS.get(before, ()):
        raise ValueError(f"a dispute that is {before} doesn't become {status}")
    previous: Json = {"status": before}
    item["status"] = status
    item["is_charge_refundable"] = status in NOT_TAKEN or status == "won"
    item["payment_method_details"]["card"]["case_type"] = _case_type(status)
    if status in ANSWERED:
        previous["evidence_details"] = {"due_by": item["evidence_details"]["due_by"]}
        item["evidence_details"]["due_by"] = act.created + (ANSWER_DUE if due_in is None else due_in)
    taken = bool(item["balance_transactions"]) and item["balance_transactions"][-1]["amount"] < 0
    if not taken and status not in NOT_TAKEN and status != "won":
        _move(item, -item["amount"], act.created)
        act.record("charge.dispute.funds_withdrawn", item)
    kind = "charge.dispute.closed" if status in CLOSED else "charge.dispute.updated"
    act.record(kind, item, previous=previous)
    if status == "won" or (status == "prevented" and taken):
        _reinstate(act, item)
    return item


def submit_evidence(act: Act, item: Json, *, submit: bool = True) -> Json:
    """/api/disputes/update, as the Dashboard's form does it: evidence is kept, or sent to the bank, which can be done
    once and is an answer (stripe.Dispute.EvidenceDetails)."""
    details = item["evidence_details"]
    previous: Json = {"evidence_details": dict(details)}
    if submit and item["status"] not in ANSWERED:
        raise ValueError(f"a dispute that is {item['status']} takes no evidence")
    details["has_evidence"] = True
    if submit:
        details["submission_count"] += 1
        details["submission_method"] = "manual"
        details["past_due"] = act.created > details["due_by"]
        previous["status"], item["status"] = item["status"], ANSWERED[item["status"]]
    act.record("charge.dispute.updated", item, previous=previous)
    return item


def _reinstate(act: Act, item: Json) -> None:
    _move(item, item["amount"], act.created)
    act.record("charge.dispute.funds_reinstated", item)


def _move(item: Json, amount: int, created: int) -> None:
    """stripe.Dispute.balance_transactions: what was withdrawn and reinstated."""
    item["balance_transactions"].append(
        {
            "id": new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "created": created,
            "currency": item["currency"],
            "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
            "source": item["id"],
            "type": "adjustment",
        }
    )


def _shape(charge: Json, amount: int, reason: str, status: str, due_by: int, *, created: int) -> Json:
    item: Json = blank(stripe.Dispute) | {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(stripe.Dispute.Evidence.__annotations__),
        "evidence_details": {
            "due_by": due_by,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": status in NOT_TAKEN or status == "won",
        "livemode": charge["livemode"],
        "metadata": {},
        "network_reason_code": "10.4",
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": "visa",
                "case_type": _case_type(status),
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": status,
    }
    return item


def _case_type(status: str) -> str:
    """stripe.Dispute.PaymentMethodDetails.Card.case_type"""
    if status == "prevented":
        return "block"
    return "inquiry" if status.startswith("warning_") else "chargeback"
