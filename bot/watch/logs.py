"""Logs: one line an event, with its name and ids; never a body, a token or a buyer's data, whatever the level.

What Paylink itself logs is trusted to name ids only, and is redacted besides. What libraries log isn't: Bolt puts
rejected bodies, token included, into INFO lines, and Stripe's SDK response bodies into DEBUG lines
(docs/facts/reliability.md). Of their lines only the words before the first value are kept.
"""

import logging
import os
import re
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog

OWN = ("bot", "domain", "handlers", "paylink")
_LIBRARIES = (
    "slack_bolt",
    "slack_sdk",
    "stripe",
    "aiohttp",
    "apscheduler",
    "sqlalchemy",
    "asyncio",
    "alembic",
)
_ROOT = Path(__file__).resolve().parents[2]
_FRAMES = 8

_SECRET = re.compile(
    r"xox[a-z](\.xox[a-z])?-[\w-]+"  # Slack's tokens
    r"|xapp-[\w-]+"
    r"|\bpaylink_[0-9A-Za-z]{16}_[\w-]+"  # our own, for programs
    r"|\b[srp]k_(test|live)_\w+"  # Stripe's keys
    r"|\bwhsec_[\w+/=]+"
    r"|(?<=://)[^/\s:@]*:[^/\s@]*(?=@)"  # user and password in an address
    r"|https?://hooks\.slack(-gov)?\.com/\S+"
    r"|\bv0=[0-9a-f]{64}\b"
    r"|[\w.+-]{1,64}@[\w-]{1,63}(\.[\w-]{1,63})+"  # e-mail
)
_WORDS = re.compile(r"[A-Za-z ,.'#_-]*")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")

Event = MutableMapping[str, Any]


def configure_logs(
    stream: TextIO | None = None, *, verbose: bool = False, as_json: bool | None = None
) -> None:
    """Send this process's logs to ``stream`` (standard error): JSON, or coloured lines on a terminal."""
    stream = stream if stream is not None else sys.stderr
    # The SDK would print bodies to standard error by itself.
    os.environ.pop("STRIPE_LOG", None)
    level = logging.DEBUG if verbose else logging.INFO
    if as_json is None:
        as_json = not stream.isatty()
    render: Any = (
        structlog.processors.JSONRenderer(default=str, ensure_ascii=True)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _tame_foreign],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _explain_exception,
                redact_event,
                render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def redact(text: str) -> str:
    """The text without tokens, keys, passwords and e-mail addresses."""
    return _SECRET.sub("[redacted]", text)


def describe(error: BaseException) -> dict[str, Any]:
    """An exception as logs may hold it: its type, its code, where it came from and what caused it.

    Never its message, in which libraries put statements' parameters, answers and tokens.
    """
    described: dict[str, Any] = {"error": _type_name(error)}
    code = _code(error)
    if code:
        described["code"] = code
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    if frames:
        described["at"] = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    causes: list[str] = []
    while cause is not None and len(causes) < _FRAMES:
        causes.append(" ".join(filter(None, (_type_name(cause), _code(cause)))))
        cause = cause.__cause__ or cause.__context__
    if causes:
        described["because"] = causes
    return described


def redact_event(_logger: object, _method: str, event: Event) -> Event:
    """Redact every text in the event, however deep."""
    return {key: _redacted(value) for key, value in event.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(one) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))


def _tame_foreign(_logger: object, _method: str, event: Event) -> Event:
    """Of a library's message keep the words before its first value, and where it was logged."""
    record: logging.LogRecord = event["_record"]
    if record.name.split(".")[0] not in OWN:
        message = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
        words = _WORDS.match(message.split("\n", 1)[0].split("%", 1)[0])
        event["event"] = (words[0] if words else "")[:120].strip(" ,.'#_-") or "library_message"
        event["logged_at"] = f"{record.module}:{record.lineno}"
    event["logger"] = record.name
    return event


def _explain_exception(_logger: object, _method: str, event: Event) -> Event:
    exc_info = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if exc_info:
        error = exc_info if isinstance(exc_info, BaseException) else None
        if error is None:
            error = (exc_info if isinstance(exc_info, tuple) else sys.exc_info())[1]
        if error is not None:
            event["exception"] = describe(error)
    return event


def _type_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _code(error: BaseException) -> str | None:
    """A short word that tells what went wrong: Slack's error, PostgreSQL's SQLSTATE, an errno."""
    response = getattr(error, "response", None)
    try:
        said = response.get("error") if response is not None else None
    except Exception:  # a response of any library: whatever it does, logging goes on
        said = None
    for candidate in (said, *(getattr(error, name, None) for name in ("code", "sqlstate", "errno"))):
        if isinstance(candidate, str | int) and _CODE.fullmatch(str(candidate)):
            return str(candidate)
    return None


def _short(filename: str) -> str:
    path = Path(filename)
    if path.is_relative_to(_ROOT) and "site-packages" not in path.parts:
        return str(path.relative_to(_ROOT))
    return "/".join(path.parts[-2:])
