"""What is answered instead of what was asked for: problem details (RFC 9457), each of a kind that programs can go by."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from domain.reasons import Reason

PROBLEM_TYPE = "application/problem+json"
_URN = "urn:paylink:"


class ProblemDetails(BaseModel):
    """Why a request wasn't done."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(
        description="What kind of problem it is: programs go by this.", examples=["urn:paylink:not-found"]
    )
    title: str = Field(description="The kind in words; the same for all of a kind.")
    status: int = Field(description="The answer's status.")
    detail: str = Field(description="What it is about here, for people.")
    reason: Reason | None = Field(
        default=None, description="Why no link can be created, if that is the problem."
    )
    reference: str | None = Field(default=None, description="What to tell whoever runs Paylink.")


class Problem(Exception):
    """Ends a request with ``status``; ``kind`` is one of KINDS."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(kind)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)
        self.more = more

    def answer(self) -> web.Response:
        details = ProblemDetails(
            type=_URN + self.kind,
            title=KINDS[self.kind],
            status=self.status,
            detail=self.detail,
            **self.more,
        )
        return web.Response(
            text=details.model_dump_json(exclude_none=True),
            status=self.status,
            content_type=PROBLEM_TYPE,
            headers=self.headers,
        )


KINDS = {
    "malformed": "The request can't be read",
    "unauthorized": "No valid token",
    "too-many-attempts": "Too many attempts without a valid token",
    "forbidden": "The token may not do this",
    "not-found": "There is nothing here",
    "method-not-allowed": "Not with this method",
    "timeout": "The request took too long to arrive",
    "not-eligible": "No link can be created",
    "amount-differs": "The amount isn't the expected one",
    "refused-by-stripe": "Stripe doesn't create the link",
    "events-forgotten": "These events aren't kept any more",
    "events-unknown": "There are no such events yet",
    "too-large": "The request is too large",
    "not-json": "The request isn't JSON",
    "too-many-requests": "Too many requests",
    "unforeseen": "Something went wrong",
    "unavailable": "Not right now",
}
"""By kind, its title."""


def malformed(detail: str) -> Problem:
    return Problem(400, "malformed", detail)


def not_found(detail: str) -> Problem:
    return Problem(404, "not-found", detail)


def differs(real: str, expected: str) -> Problem:
    return Problem(409, "amount-differs", f"It is {real}, and {expected} was expected.")


def unavailable(detail: str) -> Problem:
    return Problem(503, "unavailable", detail, retry_after=2)


def of_http(error: web.HTTPException) -> Problem:
    """What aiohttp itself refuses: a path or a method that there isn't."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return Problem(
            405, "method-not-allowed", f"Here one can {allowed or 'do nothing'}.", headers={"Allow": allowed}
        )
    if isinstance(error, web.HTTPNotFound):
        return not_found("There is no such path: /api/openapi.json describes those that there are.")
    return malformed("The request can't be read.")
