"""How the local services fail during a campaign: about one request in seven, before the effect and after it."""

from typing import Any

_CREATE = {"method": "POST", "path": "/v1/payment_links", "times": None}
_READ = {"method": "GET", "path": "/v1/*", "times": None}

STRIPE_TROUBLES: list[dict[str, Any]] = [
    {"kind": "lost", "probability": 0.03, **_CREATE},
    {"kind": "done_error", "probability": 0.02, **_CREATE},
    {"kind": "kept_error", "probability": 0.02, **_CREATE},
    {"kind": "truncated", "probability": 0.01, **_CREATE},
    {"kind": "late", "probability": 0.01, "seconds": 1.3, **_CREATE},
    {"kind": "slow", "probability": 0.01, "seconds": 1.3, **_CREATE},
    {"kind": "error", "probability": 0.02, "status": 503, **_CREATE},
    {"kind": "drop", "probability": 0.01, **_CREATE},
    {"kind": "rate_limit", "probability": 0.01, **_CREATE},
    {"kind": "lock_timeout", "probability": 0.01, **_CREATE},
    {"kind": "drop", "probability": 0.04, **_READ},
    {"kind": "error", "probability": 0.04, "status": 502, **_READ},
    {"kind": "garbled", "probability": 0.02, "status": 502, **_READ},
]

_POST = {"method": "chat.postMessage", "times": None}
SLACK_TROUBLES: list[dict[str, Any]] = [
    # Posted, and nobody is told.
    {"when": "after", "do": "drop", "probability": 0.05, **_POST},
    {"when": "after", "do": "status", "status": 500, "probability": 0.03, **_POST},
    {"when": "after", "do": "slow", "seconds": 1.3, "probability": 0.02, **_POST},
    # Not posted, or not at once.
    {"when": "before", "do": "drop", "probability": 0.02, **_POST},
    {"when": "before", "do": "status", "status": 503, "probability": 0.02, **_POST},
    {"when": "before", "do": "status", "status": 429, "seconds": 1, "probability": 0.01, **_POST},
    {"when": "before", "do": "error", "error": "fatal_error", "probability": 0.01, **_POST},
    {"method": "conversations.history", "do": "status", "status": 503, "probability": 0.1, "times": None},
    {"method": "views.*", "do": "drop", "probability": 0.03, "times": None},
    {"method": "deliver.*", "do": "twice", "probability": 0.1, "times": None},
    {"method": "deliver.interactive", "do": "drop", "probability": 0.03, "times": None},
]
