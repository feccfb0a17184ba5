"""What an answer that isn't a success says, read as what it is: text from outside, perhaps not even Stripe's.

Stripe's SDK takes the shape of an error for granted, and leaves with an AttributeError where a gateway sends another.
So answers are judged here before the SDK sees them.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from domain.stripe.errors import (
    KeyReused,
    NotFromStripe,
    StripeFailed,
    StripeKeyRefused,
    StripeLimited,
    StripeRefused,
    StripeTrouble,
)

MOST_SAID = 500
LONGEST_WAIT = 60.0
# Codes of "not now": a rate limit came as a 400 once, and a lock as a 429 (docs.stripe.com/error-codes).
_NOT_NOW = frozenset({"rate_limit", "lock_timeout"})
# Whoever waited gave up, or what Stripe relies on failed: what became of the request isn't known.
_UNDECIDED = frozenset({408, 424, 425})
_KINDS = frozenset({"api_error", "card_error", "idempotency_error", "invalid_request_error"})
_CODE = re.compile(r"[a-z0-9_]{1,100}", re.ASCII)
_PERMISSION = re.compile(r"\brak_[a-z0-9_]{1,100}", re.ASCII)


def trouble_of(status: int, headers: Mapping[str, str], body: bytes) -> StripeTrouble:
    """What an answer with this status, which is no success, means for the request.

    Only an error object of Stripe's own refuses anything: whatever else stands in a body is neither kept nor shown.
    """
    told = {name.lower(): value for name, value in headers.items()}
    error = _error_in(body)
    code = _code_in(error)
    if status == 429 or (error and status < 500 and (status == 409 or code in _NOT_NOW)):
        return StripeLimited(code or str(status), _seconds(told.get("retry-after")))
    if status >= 500:
        return StripeFailed(f"status {status}", saved=told.get("idempotent-replayed") == "true")
    if status < 400 or error is None:
        return NotFromStripe(f"status {status}")
    said = _said_in(error)
    if status == 401:
        return StripeKeyRefused()
    if status == 403:
        found = _PERMISSION.search(said)
        return StripeKeyRefused(lacking=True, permission=found[0] if found else None)
    if error["type"] == "idempotency_error":
        return KeyReused(said)
    asks_again = told.get("stripe-should-retry") == "true"
    if asks_again or status in _UNDECIDED or error["type"] == "api_error":
        return StripeFailed(f"status {status}")
    return StripeRefused(said, code or _blamed(error))


def _error_in(body: bytes) -> dict[str, Any] | None:
    """Stripe's error object; None if this isn't one (docs.stripe.com/api/errors)."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    error = answer.get("error") if isinstance(answer, dict) else None
    kind = error.get("type") if isinstance(error, dict) else None
    return error if isinstance(kind, str) and kind in _KINDS else None


def _code_in(error: dict[str, Any] | None) -> str | None:
    code = error.get("code") if error else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def _blamed(error: dict[str, Any]) -> str | None:
    """For an unknown currency, for one, Stripe gives no code, only ``line_items[0][price_data][currency]``."""
    names = re.findall(r"[a-z_]{1,60}", str(error.get("param") or "")[:200])
    return f"invalid_{names[-1]}" if names else None


def _said_in(error: dict[str, Any]) -> str:
    """Stripe's reason as one line that any database keeps and any page shows; empty if it gives none."""
    message = error.get("message")
    if not isinstance(message, str):
        return ""
    # Neither control characters nor what turns the direction of writing, nor halves of surrogate pairs.
    shown = "".join(char if char.isprintable() else " " for char in message[: 2 * MOST_SAID])
    return " ".join(shown.split())[:MOST_SAID]


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return min(seconds, LONGEST_WAIT) if math.isfinite(seconds) and seconds >= 0 else None
