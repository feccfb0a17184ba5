"""Logs hold event names and ids, and nothing of what people, services or libraries put into messages."""

import io
import json
import logging
import os

import pytest
import sqlalchemy as sa
import structlog
from slack_sdk.errors import SlackApiError

from bot.watch.logs import configure_logs, describe, redact

SECRETS = [
    "xoxb-123-456-abcDEF",
    "xoxe.xoxb-1-abc",
    "xapp-1-A1-2-abcdef",
    "paylink_0123456789abcdef_abc-DEF_1",
    "sk_live_abc123",
    "rk_test_abc123",
    "whsec_abc+123/=",
    "buyer.name+tag@acme.example",
    "https://hooks.slack.com/commands/T1/2/abc",
    "v0=" + "ab" * 32,
]


@pytest.fixture
def lines() -> io.StringIO:
    stream = io.StringIO()
    configure_logs(stream, verbose=True, as_json=True)
    return stream


@pytest.mark.parametrize("secret", SECRETS)
def test_what_is_secret_is_redacted_wherever_it_stands(secret: str, lines: io.StringIO) -> None:
    structlog.get_logger("bot").warning("event", text=f"<{secret}>", deep={"list": [f"({secret})"]})

    assert secret not in lines.getvalue()
    assert lines.getvalue().count("[redacted]") == 2


def test_the_password_of_a_database_address_is_redacted() -> None:
    assert redact("postgresql+psycopg://paylink:hunter2@db/x") == "postgresql+psycopg://[redacted]@db/x"


def test_an_event_is_one_line_of_json_with_its_ids(lines: io.StringIO) -> None:
    structlog.get_logger("bot").info("link.created", link=7)

    event = json.loads(lines.getvalue())
    assert event["event"] == "link.created"
    assert event["link"] == 7
    assert event["level"] == "info"


@pytest.mark.parametrize(
    ("logger", "message", "kept"),
    [
        (
            "slack_bolt.AsyncRequestVerification",
            "Invalid request signature detected (signature: v0=1, body: Acme)",
            "Invalid request signature detected",
        ),
        ("slack_bolt.paylink", "Unhandled request ({'type': 'Acme'})", "Unhandled request"),
        ("stripe", "message='Stripe response' body='Acme'", "message"),
        ("asyncio", "Task exception was never retrieved\nfuture: Acme", "Task exception was never retrieved"),
        ("aiohttp.server", "Error handling request from %s", "Error handling request from"),
        ("some.library", '"Acme"', "library_message"),
    ],
)
def test_of_a_librarys_message_only_the_words_before_the_first_value_are_kept(
    logger: str, message: str, kept: str, lines: io.StringIO
) -> None:
    logging.getLogger(logger).error(message)

    event = json.loads(lines.getvalue())
    assert event["event"] == kept
    assert "Acme" not in lines.getvalue()


@pytest.mark.parametrize("library", ["slack_bolt.AsyncApp", "slack_sdk.web", "stripe", "aiohttp.client"])
def test_libraries_say_nothing_below_a_warning_even_at_debug(library: str, lines: io.StringIO) -> None:
    logging.getLogger(library).debug("Sending a request - body: Acme")
    logging.getLogger(library).info("Unsuccessful Bolt execution result")

    assert lines.getvalue() == ""


def test_an_exception_is_told_by_type_code_and_place_never_by_its_message(lines: io.StringIO) -> None:
    def insert() -> None:
        try:
            raise sa.exc.IntegrityError("INSERT", {"buyer": "Acme"}, ValueError("Acme"))
        except sa.exc.IntegrityError as error:
            raise RuntimeError("Acme can't be stored") from error

    try:
        insert()
    except RuntimeError:
        structlog.get_logger("bot").exception("failed")

    event = json.loads(lines.getvalue())
    assert event["exception"]["error"] == "RuntimeError"
    assert event["exception"]["because"][0].startswith("sqlalchemy.exc.IntegrityError")
    assert event["exception"]["at"][-1].startswith("tests/bot/watch/test_logs.py:")
    assert "Acme" not in lines.getvalue()


def test_an_exception_in_a_librarys_logger_is_told_the_same_way(lines: io.StringIO) -> None:
    try:
        raise ValueError("Acme")
    except ValueError:
        logging.getLogger("slack_bolt.paylink").exception("Failed to run listener function (error: Acme)")

    event = json.loads(lines.getvalue())
    assert event["event"] == "Failed to run listener function"
    assert event["exception"]["error"] == "ValueError"
    assert "Acme" not in lines.getvalue()


def slack_error(code: str) -> SlackApiError:
    return SlackApiError("Acme", {"ok": False, "error": code})  # type: ignore[no-untyped-call]


def test_slacks_error_code_is_kept() -> None:
    assert describe(slack_error("channel_not_found"))["code"] == "channel_not_found"


def test_what_a_service_sends_instead_of_a_code_is_not_kept() -> None:
    assert "code" not in describe(slack_error("Acme Corporation owes 5"))


def test_stripes_sdk_cannot_be_told_to_print_bodies(
    monkeypatch: pytest.MonkeyPatch, lines: io.StringIO
) -> None:
    monkeypatch.setenv("STRIPE_LOG", "debug")
    configure_logs(lines, as_json=True)

    assert "STRIPE_LOG" not in os.environ


def test_a_terminal_gets_lines_for_people() -> None:
    stream = io.StringIO()

    configure_logs(stream, as_json=False)
    structlog.get_logger("bot").info("service.begun", team="T1")

    assert "service.begun" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
