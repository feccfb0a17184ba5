"""Reading what programs ask: JSON as it is written, and parameters of which none is passed over."""

import asyncio
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from bot.api.problems import Problem, differs, malformed, not_found
from domain.files.import_fields import NUMBER_LENGTH
from domain.money import AmountUnreadable, Money, parse_major_units
from domain.programs.offered import JsonNumber, JsonObject
from domain.programs.pages import Question
from domain.states import LinkStatus

MOST_BYTES = 4 * 1024 * 1024
MOST_INVOICES = 1_000
MOST_SEARCH = 200
CURSOR = re.compile(r"[A-Za-z0-9_-]{1,1000}", re.ASCII)
READ_SECONDS = 10.0
_MOST_POSITION = 2**63 - 1
AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


async def read_json(request: web.Request, *, optional: bool = False) -> JsonObject | None:
    """The body, which is one JSON object; None for no body where that will do. Raises Problem."""
    body = await _read_body(request)
    if not body and optional:
        return None
    if request.content_type != "application/json" or (request.charset or "utf-8").lower() != "utf-8":
        raise Problem(415, "not-json", "Send JSON in UTF-8, with the header Content-Type: application/json.")
    try:
        read = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=JsonNumber,
            parse_float=JsonNumber,
            parse_constant=_no_constant,
        )
    except (ValueError, RecursionError):
        raise malformed("The body isn't JSON in UTF-8.") from None
    if not isinstance(read, JsonObject):
        raise malformed("The body is to be an object.")
    if read.repeated is not None:
        raise malformed(f"{read.repeated[:60]!r} is there twice.")
    return read


def read_invoices(body: JsonObject) -> list[object]:
    """Raises Problem for what isn't up to 1,000 of something."""
    _check_names(body, ("invoices",))
    invoices = body.get("invoices")
    if not isinstance(invoices, list):
        raise malformed('Send {"invoices": [...]}.')
    if len(invoices) > MOST_INVOICES:
        raise malformed(f"Send at most {MOST_INVOICES:,} invoices at once; these are {len(invoices):,}.")
    return invoices


def read_expected(body: JsonObject | None) -> Money | None:
    """The amount that a link is expected to ask for. Raises Problem."""
    if not body:
        return None
    _check_names(body, ("billing_amount", "currency"))
    amount, currency = body.get("billing_amount"), body.get("currency")
    if not _is_text(amount) or not _is_text(currency):
        raise malformed("Send billing_amount and currency, both as strings, or neither.")
    written, currency = str(amount), _read_currency(str(currency))
    if not AMOUNT.fullmatch(written):
        raise malformed("billing_amount: send digits, with a point before decimals, such as 1200.50.")
    try:
        return parse_major_units(written, currency)
    except AmountUnreadable:
        # No invoice has such an amount.
        raise differs("another amount", f"{currency} {written[:40]}") from None


def read_number(request: web.Request) -> str:
    """The invoice's number from the path. Raises Problem for what can't be one."""
    number = request.match_info["number"]
    if len(number) > NUMBER_LENGTH * 4 or any(
        char == "\0" or "\ud800" <= char <= "\udfff" for char in number
    ):
        raise not_found("There is no invoice with this number.")
    return number


def read_question(request: web.Request) -> Question:
    """Raises Problem for a parameter that isn't known, is there twice or can't be read."""
    given = _parameters(request, ("status", "search", "changed_since", "cursor"))
    cursor = given.get("cursor")
    if cursor is not None and not CURSOR.fullmatch(cursor):
        raise malformed("cursor: send `next` of the last page.")
    return Question(
        status=_read_status(given.get("status")),
        search=_read_search(given.get("search", "")),
        changed_since=_read_moment(given.get("changed_since")),
        cursor=cursor,
    )


def read_after(request: web.Request) -> int | None:
    """Raises Problem."""
    after = _parameters(request, ("after",)).get("after")
    if after is None:
        return None
    if not (after.isascii() and after.isdigit() and len(after) < 20 and int(after) <= _MOST_POSITION):
        raise malformed("after: send `next` of the last answer.")
    return int(after)


def read_nothing(request: web.Request) -> None:
    """Raises Problem if there is a parameter."""
    _parameters(request, ())


async def _read_body(request: web.Request) -> bytes:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem(415, "not-json", "Send the body as it is: nothing that is compressed is unpacked.")
    too_large = Problem(413, "too-large", f"Send at most {MOST_BYTES:,} bytes at once.")
    if (request.content_length or 0) > MOST_BYTES:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise too_large
    except TimeoutError:
        raise Problem(408, "timeout", f"The body wasn't there within {READ_SECONDS:g} seconds.") from None
    except Problem:
        raise
    except Exception:  # whatever the transport can break with
        raise malformed("The body didn't come to its end.") from None
    return bytes(body)


def _parameters(request: web.Request, known: Iterable[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in request.query.items():
        if name not in known:
            raise malformed(f"There is no parameter {name[:60]!r} here.")
        if name in given:
            raise malformed(f"{name} is there twice.")
        given[name] = value
    return given


def _check_names(body: JsonObject, known: tuple[str, ...]) -> None:
    for name in body:
        if name not in known:
            raise malformed(f"There is no field {name[:60]!r} here.")


def _read_status(text: str | None) -> LinkStatus | None:
    if text is None:
        return None
    try:
        return LinkStatus(text)
    except ValueError:
        raise malformed(f"status: send {', '.join(LinkStatus)}.") from None


def _read_moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text) if text.isascii() and "T" in text.upper() else None
        if moment is not None and moment.tzinfo is not None:
            return max(moment.astimezone(UTC), datetime(1970, 1, 1, tzinfo=UTC))
    except (ValueError, OverflowError):
        pass
    raise malformed("changed_since: send a moment such as 2026-11-30T09:00:00Z.")


def _read_search(text: str) -> str:
    if len(text) > MOST_SEARCH:
        raise malformed(f"search: send at most {MOST_SEARCH:,} characters.")
    return text


def _read_currency(text: str) -> str:
    if not (len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()):
        raise malformed("currency: send three capitals of ISO 4217, such as USD.")
    return text


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, JsonNumber)


def _object(pairs: list[tuple[str, Any]]) -> JsonObject:
    read = JsonObject()
    for name, value in pairs:
        if name in read and read.repeated is None:
            read.repeated = name
        read[name] = value
    return read


def _no_constant(name: str) -> Any:
    raise ValueError(name)
