"""What an answer means that is no success: only Stripe's own error object refuses anything."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.stripe.answers import LONGEST_WAIT, MOST_SAID, trouble_of
from domain.stripe.errors import (
    KeyReused,
    NotFromStripe,
    StripeAway,
    StripeFailed,
    StripeKeyRefused,
    StripeLimited,
    StripeRefused,
    StripeTrouble,
)

OWN = {"type": "invalid_request_error", "message": "No."}


def answer(status: int, error: object, **headers: str) -> StripeTrouble:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return trouble_of(status, told, json.dumps({"error": error}).encode())


NOT_STRIPES: list[bytes] = [
    b"",
    b"<html><h1>Not Found</h1></html>",
    b"[]",
    b"null",
    b'"bad request"',
    b"{}",
    b'{"error": "bad gateway"}',
    b'{"error": "invalid_request"}',
    b'{"error": null}',
    b'{"error": []}',
    b'{"error": ["x"]}',
    b'{"error": {}}',
    b'{"error": {"message": "Blocked"}}',
    b'{"error": {"type": null, "message": "Blocked"}}',
    b'{"error": {"type": ["invalid_request_error"]}}',
    b'{"error": {"type": "forbidden_by_firewall", "message": "Blocked"}}',
    b"\xff\xfe\x00",
    b'{"error":' * 20_000,
]


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 405, 407, 408, 409, 410, 413, 451, 499])
@pytest.mark.parametrize("body", NOT_STRIPES)
def test_what_isnt_stripes_own_refuses_nothing(status: int, body: bytes) -> None:
    trouble = trouble_of(status, {}, body)
    assert type(trouble) is NotFromStripe
    assert str(trouble) == f"status {status}"
    assert not trouble.unsent


@pytest.mark.parametrize("body", NOT_STRIPES)
def test_a_failure_is_a_failure_whatever_stands_in_it(body: bytes) -> None:
    for status in (500, 502, 503, 504, 520):
        assert type(trouble_of(status, {}, body)) is StripeFailed
    assert type(trouble_of(429, {}, body)) is StripeLimited


@pytest.mark.parametrize(
    ("status", "error", "headers", "kind"),
    [
        (400, OWN, {}, StripeRefused),
        (402, OWN | {"type": "card_error"}, {}, StripeRefused),
        (404, OWN, {}, StripeRefused),
        (413, OWN, {}, StripeRefused),
        (400, OWN | {"type": "idempotency_error"}, {}, KeyReused),
        (401, OWN, {}, StripeKeyRefused),
        (403, OWN, {}, StripeKeyRefused),
        (409, OWN, {}, StripeLimited),
        (409, OWN | {"type": "idempotency_error"}, {}, StripeLimited),
        (429, OWN, {}, StripeLimited),
        (400, OWN | {"code": "rate_limit"}, {}, StripeLimited),
        (400, OWN | {"code": "lock_timeout"}, {}, StripeLimited),
        (408, OWN, {}, StripeFailed),
        (424, OWN, {}, StripeFailed),
        (400, OWN | {"type": "api_error"}, {}, StripeFailed),
        (400, OWN, {"Stripe_Should_Retry": "true"}, StripeFailed),
        (400, OWN, {"Stripe_Should_Retry": "false"}, StripeRefused),
        (500, OWN | {"type": "api_error"}, {"Stripe_Should_Retry": "false"}, StripeFailed),
    ],
)
def test_stripes_own_answers_are_told_apart(
    status: int, error: dict[str, Any], headers: dict[str, str], kind: type[StripeTrouble]
) -> None:
    assert type(answer(status, error, **headers)) is kind


@pytest.mark.parametrize(
    ("param", "code"),
    [
        ("line_items[0][price_data][currency]", "invalid_currency"),
        (None, None),
        (["x"], "invalid_x"),
        ("[]", None),
    ],
)
def test_without_a_code_a_refusal_is_known_by_the_parameter(param: object, code: str | None) -> None:
    refused = answer(400, OWN | {"param": param})
    assert isinstance(refused, StripeRefused)
    assert refused.code == code


@pytest.mark.parametrize("message", [None, 7, ["No"], {"a": "b"}, "", "\0\x1b\u202e", "\ud800"])
def test_a_reason_that_is_none_is_empty(message: object) -> None:
    refused = answer(400, OWN | {"message": message, "code": {"x": 1}})
    assert isinstance(refused, StripeRefused)
    assert (refused.said, refused.code) == ("", None)


def test_a_reason_is_one_line_that_can_be_kept_and_shown() -> None:
    refused = answer(
        400, OWN | {"message": "No\0 such\r\n\u202eprice \ud800" + "x" * 1_000_000, "code": "A B"}
    )
    assert isinstance(refused, StripeRefused)
    assert refused.said.startswith("No such price xxx")
    assert len(refused.said) == MOST_SAID
    assert refused.code is None


def test_the_permission_that_a_key_lacks_is_read_and_nothing_else_of_the_answer() -> None:
    lacking = answer(403, OWN | {"message": "The key rk_test_x lacks 'rak_payment_link_write'. <b>Hm</b>"})
    assert isinstance(lacking, StripeKeyRefused)
    assert (lacking.permission, lacking.lacking) == ("rak_payment_link_write", True)


@pytest.mark.parametrize(
    ("told", "waits"),
    [
        ("3", 3.0),
        ("0", 0.0),
        ("1e9", LONGEST_WAIT),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
    ],
)
def test_a_wait_is_believed_only_if_it_is_one(told: str, waits: float | None) -> None:
    limited = answer(429, OWN, Retry_After=told)
    assert isinstance(limited, StripeLimited)
    assert limited.retry_after == waits


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "code", "message", "error", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.integers(300, 599), _json, st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=2))
def test_every_answer_has_a_meaning(status: int, body: object, headers: dict[str, str]) -> None:
    trouble = trouble_of(status, headers, json.dumps({"error": body}).encode())
    assert isinstance(trouble, StripeAway | StripeLimited | StripeRefused | StripeKeyRefused | KeyReused)
