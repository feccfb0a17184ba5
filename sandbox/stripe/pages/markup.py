"""What buyers see: plain server-rendered pages without scripts. Everything that someone typed is escaped here."""

from __future__ import annotations

from html import escape
from typing import Any

from sandbox.stripe.objects.money import amount_text

Json = dict[str, Any]

EXAMPLE_EMAIL = "buyer@example.com"
"""What stands in the form beside the card that is accepted, so that one click pays."""
STYLE = """
*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:#1a1f36;
background:#f6f8fb}.note{background:#fff4d6;color:#6b4e00;text-align:center;font-size:13px;padding:7px 12px}
main{max-width:880px;margin:6vh auto;display:grid;grid-template-columns:1fr 1fr;background:#fff;border-radius:14px;
overflow:hidden;box-shadow:0 12px 40px #1a1f3618}section{padding:40px}.order{background:#1a2b4b;color:#fff}
.order p{color:#c3cde3;margin:0;overflow-wrap:anywhere}.merchant{font-weight:600;margin-bottom:28px}
.amount{font-size:34px;font-weight:650;margin:6px 0 18px;overflow-wrap:anywhere}h1{font-size:22px;margin:0 0 18px}
label{display:block;font-size:14px;font-weight:550;margin:14px 0 5px}input{width:100%;font:inherit;padding:10px 12px;
border:1px solid #c9d1e0;border-radius:8px;background:#fff;color:inherit}.pair{display:grid;grid-template-columns:1fr 1fr;
gap:12px}button{font:inherit;font-weight:600;border-radius:8px;padding:11px 14px;cursor:pointer;width:100%;
margin-top:10px;border:1px solid #c9d1e0;background:#fff;color:#1a1f36}button.pay{background:#0b5fff;border-color:#0b5fff;
color:#fff;margin-top:24px;padding:14px}input:focus-visible,button:focus-visible{outline:3px solid #8db4ff;
outline-offset:1px}[role=alert]{background:#ffe9e9;color:#8c1020;border-radius:8px;padding:10px 12px}
.alone{display:block;max-width:520px;text-align:center}.alone section{padding:56px 40px}.mark{font-size:44px;line-height:1;margin-bottom:18px}
small{color:#5b6580}.message{white-space:pre-line;overflow-wrap:anywhere}
@media(max-width:720px){main{grid-template-columns:1fr;margin:0;border-radius:0}section{padding:26px}}
"""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def _page(title: str, body: str, *, livemode: bool) -> str:
    mode = "live mode of the local Stripe" if livemode else "test mode"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f'<div class="note" role="note">This is a local test page ({mode}): no card is charged and nothing leaves this '
        f"machine.</div>{body}</body></html>"
    )


def _alone(title: str, mark: str, text: str, *, livemode: bool) -> str:
    body = (
        f'<main class="alone"><section><div class="mark" aria-hidden="true">{mark}</div><h1>{escape(title)}</h1>'
        f'<p class="message">{escape(text)}</p></section></main>'
    )
    return _page(title, body, livemode=livemode)


def payment(
    session: Json, lines: list[Json], merchant: str, *, email: str = "", problem: str | None = None
) -> str:
    """The form; `problem` stands above it, as after a declined card."""
    amount = amount_text(session["amount_total"], session["currency"])
    items = "".join(
        f"<p><strong>{escape(line['description'])}</strong>{_details(line)}</p>" for line in lines
    )
    alert = "" if problem is None else f'<p role="alert">{escape(problem)}</p>'
    shown = email or session["customer_email"] or EXAMPLE_EMAIL
    body = f"""<main><section class="order"><p class="merchant">{escape(merchant)}</p><p>Amount due</p>
<div class="amount">{escape(amount)}</div>{items}</section><section><h1>Pay with card</h1>{alert}
<form method="post" action="/checkout/{escape(session["id"])}">
<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="email" required value="{escape(shown)}">
<label for="card">Card number</label>
<input id="card" name="card" inputmode="numeric" autocomplete="off" required value="4242 4242 4242 4242"
 aria-describedby="cards">
<div class="pair"><div><label for="expiry">Expiry</label><input id="expiry" name="expiry" value="12 / 34"></div>
<div><label for="cvc">CVC</label><input id="cvc" name="cvc" inputmode="numeric" value="123"></div></div>
<button class="pay" name="action" value="pay">Pay {escape(amount)}</button>
<button name="action" value="decline" formnovalidate>Card declined</button>
<button name="action" value="leave" formnovalidate>Leave</button>
<p><small id="cards">4242 4242 4242 4242 is accepted, 4000 0000 0000 0002 is declined.</small></p>
</form></section></main>"""
    return _page(f"Pay {merchant}", body, livemode=session["livemode"])


def _details(line: Json) -> str:
    return "" if line["quantity"] == 1 else f" × {line['quantity']}"


def thanks(session: Json, merchant: str, message: str | None) -> str:
    amount = amount_text(session["amount_total"], session["currency"])
    if session["payment_status"] == "paid":
        text = message or f"{merchant} received your payment of {amount}."
        return _alone("Thanks for your payment", "✓", text, livemode=session["livemode"])
    return _alone(
        "Your order is placed",
        "…",
        f"The payment of {amount} is being settled.",
        livemode=session["livemode"],
    )


def left(session: Json, link_url: str) -> str:
    body = (
        '<main class="alone"><section><h1>You left without paying</h1><p>Nothing was paid. The link still works:</p>'
        f'<p><a href="{escape(link_url)}">Back to the payment page</a></p></section></main>'
    )
    return _page("You left without paying", body, livemode=session["livemode"])


def inactive(message: str, *, livemode: bool) -> str:
    return _alone("This link is not active", "○", message, livemode=livemode)


def closed(message: str, *, livemode: bool) -> str:
    return _alone("This page is closed", "○", message, livemode=livemode)


def unknown() -> str:
    return _alone("Page not found", "?", "There is no payment page at this address.", livemode=False)
