"""The local Dashboard's page: links with their payments, refunds and disputes, and a button for what may come of each."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import Any

from sandbox.stripe.objects import disputes, refunds
from sandbox.stripe.objects.money import amount_text
from sandbox.stripe.pages import markup

Json = dict[str, Any]

HEADERS = markup.HEADERS | {"Referrer-Policy": "same-origin"}
"""With none at all a browser keeps back the Origin of the page's own forms."""

STYLE = """
:root{color-scheme:light dark;--text:#1a1f36;--muted:#566079;--paper:#fff;--back:#f6f8fb;--line:#c9d1e0;--strong:#0b5fff;
--alert:#8c1020;--alert-back:#ffe9e9;--note:#6b4e00;--note-back:#fff4d6}
@media(prefers-color-scheme:dark){:root{--text:#e3e6ef;--muted:#a3abc0;--paper:#1d2230;--back:#141824;--line:#454d63;
--strong:#8db4ff;--alert:#ffb3bb;--alert-back:#4a1620;--note:#ffe1a0;--note-back:#3d3110}}
*{box-sizing:border-box}body{margin:0;font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--text);
background:var(--back)}.note{background:var(--note-back);color:var(--note);text-align:center;font-size:13px;padding:7px 12px}
main{max-width:880px;margin:24px auto;padding:0 16px}h1{font-size:22px}h2{font-size:17px;margin:0}h3{font-size:15px;margin:0}
article{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:16px;margin:0 0 16px}
article section{border-top:1px solid var(--line);margin-top:12px;padding-top:12px}p{margin:4px 0;overflow-wrap:anywhere}
ul{margin:8px 0;padding-left:20px}.muted{color:var(--muted)}a{color:var(--strong)}form{display:inline-flex;flex-wrap:wrap;
gap:8px;align-items:end;vertical-align:bottom;margin:6px 8px 0 0}form[role=search]{margin-bottom:16px}label{font-size:13px}input{display:block;font:inherit;color:inherit;
background:var(--paper);border:1px solid var(--line);border-radius:6px;padding:5px 8px;width:9em}button{font:inherit;
font-weight:550;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:6px;padding:5px 10px;
cursor:pointer}button:hover{border-color:var(--strong)}:focus-visible{outline:3px solid var(--strong);outline-offset:1px}
[role=alert]{background:var(--alert-back);color:var(--alert);border-radius:8px;padding:10px 12px}
[role=status]{border:1px solid var(--line);border-radius:8px;padding:10px 12px}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
"""
WORDS = {
    "requires_action": "Require Action",
    "pending": "Leave Pending",
    "succeeded": "Succeed",
    "failed": "Fail",
    "canceled": "Cancel",
    "won": "Win",
    "lost": "Lose",
    "prevented": "Prevent",
    "warning_closed": "Close Inquiry",
    "needs_response": "Make It a Dispute",
    "appeal_needs_response": "Allow Appeal",
}
"""Of the buttons that move a refund or dispute on. What evidence moves has a button of its own."""

ACTS = "/dashboard/"


def page(shown: list[Json], *, find: str, more: int, done: str, problem: str, below: str = "") -> str:
    """`shown`: links, each with its name, amount and payments (see Dashboard pages); `more`: how many are left out; `below`: where
    /dashboard is."""
    said = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    said += f'<p role="status">{escape(done)}</p>' if done else ""
    rest = (
        f'<p class="muted">{more} older links aren\'t shown; find them by their name.</p>' if more > 0 else ""
    )
    body = "".join(_link(link) for link in shown) or "<p>There is no payment link here yet.</p>"
    # What is in quotation marks here is this file's own: what others wrote is escaped.
    body = body.replace(f'action="{ACTS}', f'action="{below}{ACTS}')
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Stripe Dashboard</title><style>{STYLE}</style></head><body>"
        '<div class="note" role="note">This is a local stand-in for Stripe\'s Dashboard: no money moves and nothing leaves '
        f"this machine.</div><main><h1>Stripe Dashboard</h1>{said}"
        '<form method="get" action="'
        f"{below}/dashboard"
        '" role="search"><label for="find">Invoice or product'
        f'<input id="find" name="find" type="search" value="{escape(find)}"></label>'
        f"<button>Find</button></form>{body}{rest}</main></body></html>"
    )


def _link(link: Json) -> str:
    name, item = link["name"], link["link"]
    limit = (item["restrictions"] or {}).get("completed_sessions")
    count = f" · completed {limit['count']} of {limit['limit']}" if limit else ""
    state = "Active" if item["active"] else "Not active"
    toggle = ("deactivate", "Deactivate") if item["active"] else ("reactivate", "Reactivate")
    buttons = _act(*toggle, item["id"], name)
    if item["active"]:
        buttons += _act("pay", "Pay", item["id"], name) + _act("pay_twice", "Pay Twice", item["id"], name)
    buttons += _act("copy_link", "Copy with This Price", item["id"], name, field="Price")
    return (
        f'<article id="{item["id"]}"><h2>{escape(name)}</h2><p>{escape(link["amount"])} · {state}{count}</p>'
        f'<p class="muted">{item["id"]} · <a href="{escape(item["url"])}">Payment page</a></p>{buttons}'
        f"{''.join(_payment(payment, name, n) for n, payment in enumerate(link['payments'], 1))}</article>"
    )


def _payment(payment: Json, name: str, number: int) -> str:
    session, charge = payment["session"], payment["charge"]
    amount = amount_text(session["amount_total"], session["currency"])
    about = f"payment {number} of {name}"
    if charge is None:
        return f"<section><h3>Payment {number}: {escape(amount)}, not settled yet</h3></section>"
    back = charge["amount_refunded"]
    refunded = f" · {amount_text(back, charge['currency'])} refunded" if back else ""
    forms = ""
    if back < charge["amount"]:
        forms = _act("refund", "Refund", charge["id"], about, field="Amount", also="Refund That Fails")
    if not payment["disputes"]:
        forms += _act("dispute", "Dispute", charge["id"], about)
        forms += _act("inquire", "Inquire", charge["id"], about)
    items = "".join(_refund(refund, about) for refund in payment["refunds"])
    items += "".join(_dispute(dispute, about) for dispute in payment["disputes"])
    listed = f"<ul>{items}</ul>" if items else ""
    return (
        f'<section id="{charge["id"]}"><h3>Payment {number}: {escape(amount)}{escape(refunded)}</h3>'
        f'<p class="muted">{charge["id"]} · {_time(charge["created"])}</p>{forms}{listed}</section>'
    )


def _refund(item: Json, about: str) -> str:
    amount = amount_text(item["amount"], item["currency"])
    buttons = "".join(
        _act("change_refund", WORDS[status], item["id"], f"refund of {amount}, {about}", status=status)
        for status in refunds.FOLLOWS[item["status"]]
    )
    return f'<li id="{item["id"]}">Refund of {escape(amount)}: {item["status"]} {buttons}</li>'


def _dispute(item: Json, about: str) -> str:
    amount, due = amount_text(item["amount"], item["currency"]), item["evidence_details"]["due_by"]
    kind = "Inquiry" if item["status"].startswith("warning_") else "Dispute"
    answer = f", answer due {_time(due)}" if item["status"] in disputes.ANSWERED and due else ""
    about = f"{kind.lower()} of {amount}, {about}"
    buttons = (
        _act("submit_evidence", "Submit Evidence", item["id"], about)
        if item["status"] in disputes.ANSWERED
        else ""
    )
    buttons += "".join(
        _act("change_dispute", WORDS[status], item["id"], about, status=status)
        for status in disputes.FOLLOWS[item["status"]]
        if status in WORDS
    )
    return f'<li id="{item["id"]}">{kind} of {escape(amount)}, {item["reason"]}: {item["status"]}{answer} {buttons}</li>'


def _act(
    act: str, words: str, target: str, about: str, *, status: str = "", field: str = "", also: str = ""
) -> str:
    """A form of one button, or of two that differ in the status they ask for. What it is about is read, not shown."""
    unseen = f'<span class="unseen"> {escape(about)}</span>'
    asked = f'<input type="hidden" name="status" value="{status}">' if status else ""
    if field:
        asked += (
            f'<label>{field}<span class="unseen"> for {escape(about)}</span>'
            '<input name="amount" inputmode="decimal" autocomplete="off" placeholder="all"></label>'
            if field == "Amount"
            else f'<label>{field}<span class="unseen"> for {escape(about)}</span>'
            '<input name="amount" inputmode="decimal" autocomplete="off" required></label>'
        )
    second = f'<button name="status" value="failed">{also}{unseen}</button>' if also else ""
    return (
        f'<form method="post" action="{ACTS}{act}"><input type="hidden" name="target" value="{target}">'
        f"{asked}<button>{words}{unseen}</button>{second}</form>"
    )


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
