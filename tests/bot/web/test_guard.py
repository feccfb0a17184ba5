"""The guard before Bolt."""

import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest

from bot.web.guard import (
    FORM_TYPE,
    JSON_TYPE,
    Refused,
    check_payload,
    check_signature,
    is_slack_address,
    read_body,
)

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
API = "http://127.0.0.1:9/api"
NOW = 1_531_420_618.0


def signed(body: bytes, timestamp: str = "1531420618", secret: str = SECRET) -> dict[str, str]:
    mac = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={mac}"}


def test_slacks_own_example_is_let_in() -> None:
    # docs.slack.dev/authentication/verifying-requests-from-slack
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "X-Slack-Request-Timestamp": "1531420618",
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }

    check_signature(body, headers, SECRET, NOW)
    assert read_body(body, FORM_TYPE, API)["command"] == "/webhook-collect"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed(b"other"),
        signed(b"body", secret="another"),
        signed(b"body", timestamp="1531420317"),
        signed(b"body", timestamp="1531420919"),
        signed(b"body") | {"X-Slack-Request-Timestamp": "abc"},
        signed(b"body") | {"X-Slack-Request-Timestamp": ""},
        signed(b"body") | {"X-Slack-Request-Timestamp": "9" * 5000},
        signed(b"body") | {"X-Slack-Request-Timestamp": "\u0661\u0665"},
        signed(b"body") | {"X-Slack-Signature": "v0=\xe9"},
        signed(b"body") | {"X-Slack-Signature": "v0=\udcff"},
        signed(b"body") | {"X-Slack-Signature": ""},
    ],
)
def test_what_slack_did_not_sign_just_now_is_refused_with_401(headers: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        check_signature(b"body", headers, SECRET, NOW)

    assert refused.value.status == 401


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\xff\xfe", JSON_TYPE),
        (b"", JSON_TYPE),
        (b"[]", JSON_TYPE),
        (b'"text"', JSON_TYPE),
        (b"{", JSON_TYPE),
        (b"[" * 200_000, JSON_TYPE),
        (b'{"a": ' + b"9" * 6000 + b"}", JSON_TYPE),
        (b'{"text": "\\ud800"}', JSON_TYPE),
        (b'{"text": "nul\\u0000"}', JSON_TYPE),
        (b"payload=", FORM_TYPE),
        (b"payload=%5B%5D", FORM_TYPE),
        (b"payload=null", FORM_TYPE),
        (b"text=%00", FORM_TYPE),
        (b"a&" * 2000, FORM_TYPE),
        (b"{}", "text/plain"),
        (b"{}", "application/octet-stream"),
    ],
)
def test_what_has_no_shape_that_slack_sends_is_refused_with_400(body: bytes, content_type: str) -> None:
    with pytest.raises(Refused) as refused:
        read_body(body, content_type, API)

    assert refused.value.status == 400


def test_a_command_whose_text_says_payload_stays_a_command() -> None:
    body = urlencode({"command": "/invoices", "text": "payload"}).encode()

    assert read_body(body, FORM_TYPE, API) == {"command": "/invoices", "text": "payload"}


@pytest.mark.parametrize("typed", ["a\x00b", "a\ud800b"])
def test_a_command_with_what_nobody_can_store_is_told_of_and_not_refused(typed: str) -> None:
    told = [check_payload({"command": "/invoice", "text": typed}, API)]
    if typed.isascii():
        told.append(read_body(urlencode({"command": "/invoice", "text": typed}).encode(), FORM_TYPE, API))
    assert told == [{"command": "/invoice", "text": "a\x01b"}] * len(told)
    with pytest.raises(Refused):
        check_payload({"command": "/invoice", "user_id": typed}, API)


def test_an_interaction_is_read_out_of_its_form() -> None:
    body = urlencode({"payload": json.dumps({"type": "block_actions"})}).encode()

    assert read_body(body, FORM_TYPE, API) == {"type": "block_actions"}


@pytest.mark.parametrize("payload", [None, [], "text", 7])
def test_a_payload_that_is_no_object_is_refused(payload: object) -> None:
    with pytest.raises(Refused):
        check_payload(payload, API)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/commands/T1/2/3",
        "https://hooks.slack-gov.com/actions/T1/2/3",
        "http://127.0.0.1:9/commands/T1/2",
    ],
)
def test_answers_go_to_slack_or_the_configured_host(url: str) -> None:
    assert is_slack_address(url, API)
    assert check_payload({"response_url": url, "response_urls": [{"response_url": url}]}, API)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.slack.com/commands",
        "https://hooks.slack.com.evil.example/",
        "https://evilslack.com/",
        "https://hooks.slack.com:8443/",
        "https://slack.com@evil.example/",
        "https://user@hooks.slack.com/",
        "http://127.0.0.1:10/commands",
        "http://127.0.0.1/commands",
        "https://127.0.0.1:9/commands",
        "https://hooks.slack.com:port/",
        "//hooks.slack.com/",
        "file:///etc/passwd",
        7,
        ["https://hooks.slack.com/"],
    ],
)
def test_answers_go_nowhere_else(url: object) -> None:
    assert not is_slack_address(url, API)
    with pytest.raises(Refused):
        check_payload({"response_url": url}, API)
    with pytest.raises(Refused):
        check_payload({"response_urls": [{"response_url": url}]}, API)
