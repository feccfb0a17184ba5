"""Stripe's refusals, as they go over the wire (/api/errors, /error-codes, /error-handling).

Wording: where a message is public (documentation, issues of Stripe's SDKs) it is Stripe's, so that what people and
programs read from it here is what they will read from it there; where none is public, ours in the same manner.
"""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """An error answer. `kept` says whether endpoint execution had begun, so that the idempotency layer keeps it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
        kept: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param
        self.headers = headers or {}
        self.kept = kept

    def body(self, request_id: str, *, livemode: bool, account: str) -> dict[str, Any]:
        """stripe.ErrorObject: absent fields are left out, as Stripe does."""
        mode = "" if livemode else "test/"
        error: dict[str, Any] = {}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        error["message"] = self.message
        if self.param is not None:
            error["param"] = self.param
        error["request_log_url"] = f"https://dashboard.stripe.com/{account}/{mode}logs/{request_id}"
        error["type"] = self.kind
        return {"error": error}


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """A parameter that fails validation: 400, not kept under the idempotency key (/api/idempotent_requests)."""
    return ApiError(400, message, param=param, code=code)


def refused(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """The endpoint began and the state of things forbids it: 400, kept under the idempotency key."""
    return ApiError(400, message, param=param, code=code, kept=True)


def missing(
    kind: str, object_id: str, param: str, *, other_mode: str | None = None, status: int = 404
) -> ApiError:
    """No object of that id in this mode. 404 where the id is in the path, 400 where it is a parameter."""
    message = f"No such {kind}: '{object_id}'"
    if other_mode is not None:
        mine = "test" if other_mode == "live" else "live"
        message += f"; a similar object exists in {other_mode} mode, but a {mine} mode key was used to make this request."
    return ApiError(status, message, param=param, code="resource_missing")


def unknown_url(method: str, path: str) -> ApiError:
    return ApiError(
        404,
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/.",
    )


def no_key() -> ApiError:
    return ApiError(
        401,
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer "
        "auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for "
        "details, or we can help at https://support.stripe.com/.",
        headers={"WWW-Authenticate": 'Bearer realm="Stripe"'},
    )


def bad_key(redacted: str) -> ApiError:
    return ApiError(
        401,
        f"Invalid API Key provided: {redacted}",
        headers={"WWW-Authenticate": 'Bearer realm="Stripe"'},
    )


def expired_key(redacted: str) -> ApiError:
    """/error-codes#api-key-expired; what a key that was rolled or revoked answers, too."""
    return ApiError(401, f"Expired API Key provided: {redacted}", code="api_key_expired")


def publishable_key() -> ApiError:
    """/error-codes#secret-key-required"""
    return ApiError(
        401,
        "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of "
        "your API keys at https://dashboard.stripe.com/account/apikeys.",
        code="secret_key_required",
    )


def forbidden(redacted: str, account: str, permission: str) -> ApiError:
    """What a restricted key without the permission gets (seen in stripe/stripe-cli issue 570)."""
    return ApiError(
        403,
        f"The provided key '{redacted}' does not have the required permissions for this endpoint on account "
        f"'{account}'. Having the '{permission}' permission would allow this request to continue.",
    )


def foreign_account(redacted: str, account: str) -> ApiError:
    """/error-codes#account-invalid: a Stripe-Account header that the key has no access to."""
    return ApiError(
        403,
        f"The provided key '{redacted}' does not have access to account '{account}' (or that account does not exist). "
        "Application access may have been revoked.",
        code="account_invalid",
    )


def rate_limited(reason: str) -> ApiError:
    """/rate-limits: reasons are global-rate, endpoint-rate, global-concurrency, endpoint-concurrency,
    resource-specific. It comes before the idempotency layer."""
    return ApiError(
        429,
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        headers={"Stripe-Rate-Limited-Reason": reason, "Stripe-Should-Retry": "false"},
    )


def lock_timeout() -> ApiError:
    """/rate-limits#object-lock-timeouts: a 429 too, without a reason header."""
    return ApiError(
        429,
        "This object cannot be accessed right now because another API request or Stripe process is currently accessing "
        "it. If you see this error intermittently, retry the request. If you see this error frequently and are making "
        "multiple concurrent requests to a single object, make your requests serially or at a lower rate.",
        code="lock_timeout",
        headers={"Stripe-Should-Retry": "true"},
    )


def coded(status: int, code: str | None) -> ApiError:
    """An error with a code of one's choice, before the idempotency layer."""
    return ApiError(status, f"The request was refused: {code}.", code=code)


def server_error(status: int, *, kept: bool = False) -> ApiError:
    """/error-handling: a problem at Stripe's end, type api_error."""
    return ApiError(
        status,
        "An unknown error occurred" if status == 500 else "Stripe is temporarily unavailable.",
        kind="api_error",
        kept=kept,
    )
