"""The guard before Bolt: what doesn't look like one of Slack's requests is refused before anything parses it further.

Bolt parses a request before it checks the signature, and raises on many malformed ones (docs/facts/reliability.md).
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

# Slack's largest payload is a submitted view (250 kB), which a form's encoding can treble.
MOST_BYTES = 1024 * 1024
TOLERANCE_SECONDS = 300
JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SLACK_HOSTS = ("slack.com", "slack-gov.com")

Object = dict[str, Any]


class Refused(Exception):
    """``status`` is 400 or 401; ``reason`` names no value."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def check_signature(body: bytes, headers: Mapping[str, str], signing_secret: str, now: float) -> None:
    """Raises Refused with 401 unless Slack signed the body within five minutes of ``now`` (seconds since 1970).

    Source: docs.slack.dev/authentication/verifying-requests-from-slack
    """
    timestamp = headers.get("X-Slack-Request-Timestamp", "")
    signature = headers.get("X-Slack-Signature", "")
    if not _TIMESTAMP.fullmatch(timestamp) or abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise Refused(401, "timestamp")
    if not signature.isascii():
        raise Refused(401, "signature")
    expected = hmac.new(signing_secret.encode(), b"v0:%s:%s" % (timestamp.encode(), body), hashlib.sha256)
    if not hmac.compare_digest(f"v0={expected.hexdigest()}", signature):
        raise Refused(401, "signature")


def read_body(body: bytes, content_type: str, api_url: str) -> Object:
    """The payload of one of the three shapes that Slack sends. Raises Refused with 400.

    A JSON object; a form with a payload that is a JSON object; a form without one (slash commands).
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(400, "encoding") from None
    if content_type == JSON_TYPE:
        return check_payload(_object(text), api_url)
    if content_type == FORM_TYPE:
        fields = _fields(text)
        return check_payload(_object(fields["payload"]) if "payload" in fields else fields, api_url)
    raise Refused(400, "content type")


def check_payload(payload: object, api_url: str) -> Object:
    """The payload, once it is an object of storable text whose answers can only go to Slack. Raises Refused with 400."""
    if not isinstance(payload, dict):
        raise Refused(400, "payload")
    if isinstance(payload.get("command"), str) and isinstance(payload.get("text"), str):
        # Whoever typed it is told so, as of any other control character.
        payload = payload | {"text": _UNSTORABLE.sub("\x01", payload["text"])}
    try:
        # Half of a surrogate pair can't be sent on, and a NUL can't be stored in PostgreSQL.
        written = json.dumps(payload, ensure_ascii=False)
        written.encode("utf-8")
    except (UnicodeEncodeError, RecursionError, ValueError):
        raise Refused(400, "text") from None
    if "\\u0000" in written:
        raise Refused(400, "text")
    given = payload.get("response_urls") or []
    urls = (
        [one.get("response_url") if isinstance(one, dict) else one for one in given]
        if isinstance(given, list)
        else []
    )
    for url in (payload.get("response_url"), *urls):
        if url and not is_slack_address(url, api_url):
            raise Refused(400, "response_url")
    return payload


def is_slack_address(url: object, api_url: str) -> bool:
    """Whether answers may be sent there: to Slack over https, or to the host of the configured SLACK_API_URL."""
    if not isinstance(url, str):
        return False
    try:
        parts, configured = urlsplit(url), urlsplit(api_url)
        port, configured_port = parts.port, configured.port
    except ValueError:
        return False
    host = (parts.hostname or "").lower()
    if (parts.scheme, host, port) == (configured.scheme, configured.hostname, configured_port):
        return True
    ours = any(host == known or host.endswith(f".{known}") for known in _SLACK_HOSTS)
    return parts.scheme == "https" and ours and port in (None, 443) and "@" not in parts.netloc


def _object(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Refused(400, "JSON") from None


def _fields(text: str) -> Object:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        raise Refused(400, "form") from None
