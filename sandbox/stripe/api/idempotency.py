"""Idempotency keys as Stripe keeps them (/api/idempotent_requests).

The first answer of a key is kept with status and body, 500s included, for 24 hours, once endpoint execution has begun:
refusals of parameters, conflicts and rate limits are not. A retry must have the same endpoint and parameters. Keys
belong to an account and a mode.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.stripe.errors import ApiError, invalid

Json = dict[str, Any]
KEPT_SECONDS = 24 * 3600
MOST_CHARACTERS = 255


@dataclass(slots=True)
class Kept:
    """What a key is bound to, and its answer. `status` None: the first request is still running."""

    path: str
    params: str
    created: int
    request_id: str
    status: int | None = None
    body: str = ""


@dataclass
class IdempotencyKeys:
    kept: dict[str, Kept] = field(default_factory=dict)

    def begin(self, key: str, *, path: str, params: str, now: int, request_id: str) -> Kept | None:
        """The kept answer if the key has one, else None, and the key is in use until `finish` or `forget`."""
        if len(key) > MOST_CHARACTERS:
            raise invalid(
                f"Idempotency keys can be up to {MOST_CHARACTERS} characters long; yours has {len(key)}."
            )
        entry = self.kept.get(key)
        if entry is not None and entry.status is not None and now - entry.created >= KEPT_SECONDS:
            entry = None
        if entry is None:
            self.kept[key] = Kept(path, params, now, request_id)
            return None
        if entry.path != path:
            raise mismatch(
                f"for the same endpoint they were first used for ('{path}' vs '{entry.path}')", key
            )
        if entry.params != params:
            raise mismatch("with the same parameters they were first used with", key)
        if entry.status is None:
            raise in_use(key)
        return entry

    def finish(self, key: str, status: int, body: str) -> None:
        entry = self.kept[key]
        entry.status, entry.body = status, body

    def forget(self, key: str) -> None:
        """The request failed before its endpoint began: the key is free again."""
        del self.kept[key]

    def as_json(self) -> Json:
        return {key: asdict(entry) for key, entry in self.kept.items() if entry.status is not None}

    def load(self, saved: Json) -> None:
        self.kept = {key: Kept(**entry) for key, entry in saved.items()}


def mismatch(rule: str, key: str) -> ApiError:
    """Seen in stripe/stripe-ruby issues 503 and 598."""
    return ApiError(
        400,
        f"Keys for idempotent requests can only be used {rule}. Try using a key other than '{key}' if you meant to "
        "execute a different request.",
        kind="idempotency_error",
    )


def in_use(key: str) -> ApiError:
    """/error-codes#idempotency-key-in-use"""
    return ApiError(
        409,
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
        f"twice, and the other request is still going through): {key}. Please try again later.",
        kind="idempotency_error",
        code="idempotency_key_in_use",
        headers={"Stripe-Should-Retry": "true"},
    )
