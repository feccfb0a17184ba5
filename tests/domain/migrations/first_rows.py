"""Rows of the first version of the schema: in every table, in every state that there is.

In plain values, not as models: those are of the latest version, and this stays as it was.
"""

import json
from datetime import date
from typing import Any

from sandbox.stripe.worlds import DEFAULT_ACCOUNT
from tests.domain.factories import TEAM

Row = dict[str, Any]
Rows = dict[str, list[Row]]

AT = 1_704_067_200_000
BUYERS = {1: "Acme Corporation", 2: "Bolt & Nut", 3: "Zebra Ltd"}
REQUEST = {
    "line_items": [
        {
            "quantity": 1,
            "price_data": {
                "currency": "usd",
                "unit_amount": 120_050,
                "product_data": {"name": "Invoice INV-1001"},
            },
        }
    ],
    "payment_method_types": ["card"],
    "restrictions": {"completed_sessions": {"limit": 1}},
    "metadata": {"invoice_number": "INV-1001", "organization": TEAM, "paylink_reference": "reference-1"},
    "submit_type": "pay",
}
OUTBOX_STATES = ("waiting", "sending", "posted", "dead", "unknown")


def first_rows() -> Rows:
    """By table."""
    return {
        "organisations": [_organisation(1, TEAM), _organisation(2, "T0OTHER")],
        "ledgers": [_ledger(1, DEFAULT_ACCOUNT, current=True), _ledger(2, "acct_before", current=False)],
        "paces": [{"name": "stripe", "next_at": AT}],
        "duties": [
            {"name": "poll", "started_at": AT, "owner": None, "lease_until": None},
            {"name": "sweep", "started_at": AT, "owner": "host-1-a", "lease_until": AT + 60_000},
        ],
        "audit": [_audit(1, 1), _audit(2, None)],
        "invoices": _invoices(),
        "search_terms": _terms(),
        "links": [
            _link(1, 1, "reserved", first_sent_at=None, last_sent_at=None, attempts=0),
            _link(2, 2, "refused", refusal="No such thing"),
            _link(3, 3, "created", status="Pending Payment"),
            _link(4, 4, "created", status="Paid", paid_at=AT, amount_received=120_050, stripe_payment="pi_4"),
            _link(5, 5, "created", status="Paid", paid_at=AT, refunded=True, disputed=True),
            _link(6, 6, "created", status="Pending Payment", exception=True),
            _link(7, 3, "created", ledger_id=2, status="Pending Payment"),
        ],
        "payments": [_payment(1, 4, "paid"), _payment(2, 5, "paid"), _payment(3, 6, "amount_differs")],
        "payment_exceptions": [_exception(1, 6, "amount_differs"), _exception(2, 5, "refunded")],
        "stripe_events": [_event("evt_1", settled_at=AT), _event("evt_2", owner="host-1-a", lease_until=AT)],
        "bulk_runs": [_run(1, AT), _run(2, None)],
        "bulk_run_items": [
            {**_item(1, 1, 3, "created"), "link_id": 3},
            {**_item(1, 2, 2, "failed"), "link_id": 2, "refusal": "No such thing"},
            {**_item(1, 3, 4, "skipped"), "reason": "paid"},
            {**_item(2, 1, 1, "being_created"), "link_id": 1},
        ],
        "outbox": [_message(number, state) for number, state in enumerate(OUTBOX_STATES, 1)],
        "selections": [_selection(1)],
        "selection_items": [
            {"selection_id": 1, "invoice_id": 7, "amount": 120_050, "currency": "USD"},
            {"selection_id": 1, "invoice_id": 8, "amount": None, "currency": None},
        ],
    }


def _organisation(key: int, team_id: str) -> Row:
    return {
        "id": key,
        "team_id": team_id,
        "name": "Paylink Test",
        "add_on": key == 1,
        "channel": "C0PAYMENTS" if key == 1 else None,
        "channel_problem": None if key == 1 else "not_in_channel",
        "last_imported_at": AT,
    }


def _ledger(key: int, account: str, *, current: bool) -> Row:
    times = dict.fromkeys(("used_at", "events_watermark", "swept_until", "last_checked_at"), AT)
    return {
        "id": key,
        "account": account,
        "livemode": False,
        "current": current,
        "paused_because": None,
        **times,
    }


def _audit(key: int, organisation_id: int | None) -> Row:
    return {
        "id": key,
        "organisation_id": organisation_id,
        "actor": "U0ADA",
        "action": "link.reserve",
        "subject": "invoice 1",
        "at": AT,
    }


def _invoices() -> list[Row]:
    """Six with links, four without, and one of the other organisation, which has the same number as another."""
    statuses = {3: "Pending Payment", 4: "Paid", 5: "Paid", 6: "Pending Payment"}
    return [
        {
            "id": key,
            "organisation_id": 2 if key == 11 else 1,
            "number": f"INV-{1000 + key % 10}",
            "number_key": f"inv-{1000 + key % 10}",
            "buyer_name": BUYERS[1 + key % 3],
            "buyer_email": "billing@acme.example",
            "amount": 120_050,
            "currency": "USD",
            "issue_date": None if key == 1 else date(2026, 10, 31),
            "due_date": date(2026, 11, 30),
            "description": "line\nand line",
            "status": statuses.get(key, "Not Created"),
            "position": f"{int(key in {1, *statuses})}|2026-11-30|inv-{1000 + key % 10}",
        }
        for key in range(1, 12)
    ]


def _terms() -> list[Row]:
    tails = {
        "Acme Corporation": ["acme corporation", "corporation"],
        "Bolt & Nut": ["bolt nut", "nut", "& nut"],
        "Zebra Ltd": ["zebra ltd", "ltd"],
    }
    return [
        {"organisation_id": one["organisation_id"], "term": term, "invoice_id": one["id"]}
        for one in _invoices()
        for term in (one["number_key"].replace("-", " "), *tails[one["buyer_name"]])
    ]


def _link(key: int, invoice_id: int, state: str, **values: Any) -> Row:
    made = state == "created"
    return {
        "id": key,
        "organisation_id": 1,
        "invoice_id": invoice_id,
        "ledger_id": 1,
        "state": state,
        "status": "Not Created",
        "amount": 120_050,
        "currency": "USD",
        "reference": f"reference-{key}",
        "idempotency_key": f"key-{key}",
        "request": json.dumps(REQUEST),
        "api_version": "2026-10-28.endive",
        "requested_by": "U0ADA",
        "reserved_at": AT,
        "first_sent_at": AT,
        "last_sent_at": AT,
        "attempts": 1,
        "next_attempt_at": AT,
        "owner": "host-1-a" if state == "reserved" else None,
        "lease_until": AT if state == "reserved" else None,
        "look_first": False,
        "refusal": None,
        "stripe_id": f"plink_{key}" if made else None,
        "url": f"https://buy.stripe.com/test_{key}" if made else None,
        "created_at": AT if made else None,
        "changed_at": AT,
        "paid_at": None,
        "amount_received": None,
        "stripe_payment": None,
        "refunded": False,
        "disputed": False,
        "exception": False,
        **values,
    }


def _payment(key: int, link_id: int, verdict: str) -> Row:
    return {
        "id": key,
        "link_id": link_id,
        "ledger_id": 1,
        "session_id": f"cs_{key}",
        "payment_intent": f"pi_{link_id}",
        "amount": 120_050 if verdict == "paid" else 1,
        "currency": "USD",
        "verdict": verdict,
        "paid_at": AT,
        "seen_at": AT,
    }


def _exception(key: int, link_id: int, kind: str) -> Row:
    return {
        "id": key,
        "link_id": link_id,
        "ledger_id": 1,
        "key": f"{kind}:{key}",
        "kind": kind,
        "stripe_object": f"pi_{link_id}",
        "amount": 1,
        "currency": "USD",
        "seen_at": AT,
    }


def _event(key: str, **values: Any) -> Row:
    return {
        "ledger_id": 1,
        "id": key,
        "type": "checkout.session.completed",
        "object_id": "cs_1",
        "payment_intent": "pi_4",
        "created_at": AT,
        "attempts": 0,
        "next_attempt_at": AT,
        "owner": None,
        "lease_until": None,
        "settled_at": None,
        **values,
    }


def _run(key: int, finished_at: int | None) -> Row:
    return {
        "id": key,
        "organisation_id": 1,
        "ledger_id": 1,
        "submission": f"submission-{key}",
        "requested_by": "U0ADA",
        "requested_at": AT,
        "view_id": None,
        "finished_at": finished_at,
    }


def _item(run_id: int, ordinal: int, invoice_id: int, outcome: str) -> Row:
    return {
        "run_id": run_id,
        "ordinal": ordinal,
        "invoice_id": invoice_id,
        "link_id": None,
        "outcome": outcome,
        "reason": None,
        "refusal": None,
    }


def _message(key: int, state: str) -> Row:
    posted = state == "posted"
    return {
        "id": key,
        "organisation_id": 1,
        "kind": ("paid", "paid", "exception", "exception", "bulk_result")[key - 1],
        "subject": f"subject-{key}",
        "key": f"key-{key}",
        "destination": "U0ADA" if key == 5 else "",
        "payment_id": key if key < 3 else None,
        "exception_id": key - 2 if key in {3, 4} else None,
        "run_id": 1 if key == 5 else None,
        "enqueued_at": AT,
        "state": state,
        "may_be_posted": state in {"sending", "unknown"},
        "attempts": key,
        "attempted_at": AT,
        "last_attempted_at": AT,
        "attempted_channel": "C0PAYMENTS",
        "next_attempt_at": AT,
        "owner": "host-1-a" if state == "sending" else None,
        "lease_until": AT if state == "sending" else None,
        "problem": "channel_not_found" if state == "dead" else None,
        "posted_channel": "C0PAYMENTS" if posted else None,
        "posted_ts": "1.0" if posted else None,
    }


def _selection(key: int) -> Row:
    return {
        "id": key,
        "organisation_id": 1,
        "user_id": "U0ADA",
        "filter": "Not Created",
        "search": "acme",
        "trail": "",
        "revision": 3,
        "touched_at": AT,
        "last_action": "1.2",
    }
