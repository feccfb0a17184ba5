"""The pages of installing: values in, HTML out. They run no script, and nothing of theirs leads anywhere but to Slack."""

import base64
import hashlib
from html import escape

from aiohttp import web

STYLE = (
    "body{font:1.05rem/1.6 system-ui,sans-serif;max-width:36rem;margin:12vh auto;padding:0 1.25rem;color:#1d1c1d;background:#fff}"
    "h1{font-size:1.6rem;color:#1f4b3f}"
    "a.button{display:inline-block;background:#4a154b;color:#fff;text-decoration:none;font-weight:600;padding:.7rem 1.4rem;"
    "border-radius:.3rem}a.button:focus-visible{outline:3px solid #1264a3;outline-offset:2px}"
    "@media(prefers-color-scheme:dark){body{color:#e8e8e8;background:#1a1d21}h1{color:#8fd3b6}a{color:#8ab8e8}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    # The address holds a code or a state.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def page(title: str, body: str, status: int = 200) -> web.Response:
    """A page of ours. ``body`` is HTML, ``title`` a text."""
    text = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    return web.Response(text=text, content_type="text/html", status=status, headers=HEADERS)


def invitation(authorize_url: str) -> web.Response:
    return page(
        "Add Paylink to Slack",
        "<p>Paylink creates Stripe payment links for billing invoices, and tells a channel when they are paid.</p>"
        f'<p><a class="button" href="{escape(authorize_url)}">Add to Slack</a></p>'
        "<p>Slack asks you to allow it in your workspace. You have ten minutes for that, in this browser. "
        "Afterwards Home of the app leads you through the rest: <strong>Set Up Paylink</strong>.</p>",
    )


def done(name: str, address: str, *, teams: int) -> web.Response:
    where = f"in {teams} workspaces" if teams > 1 else f"in {name}" if name else "in your workspace"
    return page(
        "Paylink is installed",
        f"<p>It is installed {escape(where)}. Next, open its Home in Slack and go through <strong>Set Up Paylink</strong>.</p>"
        f'<p><a class="button" href="{escape(address)}">Open Slack</a></p>',
    )


def problem(sentence: str, status: int, *, again: bool = True) -> web.Response:
    """What went wrong, and the way back."""
    more = '<p><a href="install">Begin again</a></p>' if again else ""
    return page("Paylink wasn't installed", f"<p>{escape(sentence)}</p>{more}", status)
