"""HTTP delivery: signed requests to the app's request URLs.

Source: Slack docs: authentication/verifying-requests-from-slack, interactivity/handling-user-interaction, apis/events-api.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout

from sandbox.slack.state.app import Ack, Envelope, InstalledApp
from sandbox.slack.state.model import Json

REASONS = {"timeout": "http_timeout", "error": "http_error"}


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """x-slack-signature, version 0."""
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()


class Posts:
    """Posts payloads to `request_url`, or to the manifest's own URLs while it is None; a Delivery.

    Type-ahead goes nowhere unless the manifest has a message_menu_options_url, whatever `request_url` is.
    """

    def __init__(self, app: InstalledApp, request_url: str | None) -> None:
        self._app = app
        self.request_url = request_url
        self._session: ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(
        self,
        envelope: Envelope,
        payload: Json,
        *,
        answerable: bool = False,
        retry: tuple[int, str] | None = None,
    ) -> Ack:
        own = self._app.manifest.url_for(envelope, payload)
        if payload.get("type") == "block_suggestion" and own is None:
            return Ack(
                False, 0.0, error="dispatch_failed"
            )  # docs/facts/slack.md: type-ahead needs its own URL
        url = self.request_url or own
        if url is None or self._app.faults.outage:
            return Ack(False, 0.0, error="dispatch_failed")
        fault = self._app.faults.strike(f"deliver.{envelope}")
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._app.limits.ack_seconds):
                if fault and fault.do == "drop":
                    await asyncio.Event().wait()
                if fault and fault.do == "slow":
                    await fault.wait()
                status, content_type, text = await self._post(url, envelope, payload, retry)
        except TimeoutError:
            return Ack(False, _since(started), error="operation_timeout")
        except ClientError:
            return Ack(False, _since(started), error="dispatch_failed")
        milliseconds = _since(started)
        if fault and fault.do == "twice":
            # Nobody hears what became of the second one.
            with suppress(ClientError, TimeoutError):
                await self._post(url, envelope, payload, retry)
        if status != 200:
            error = "http_service_error" if status >= 500 else "http_client_error"
            return Ack(False, milliseconds, error=error)
        return Ack(True, milliseconds, _body(content_type, text))

    async def verify_url(self) -> bool:
        """The challenge that Slack sends when a request URL is saved (Slack docs: events/url_verification)."""
        challenge = self._app.identifier("challenge")
        body = {"token": self._app.verification_token, "challenge": challenge, "type": "url_verification"}
        url = self.request_url or self._app.manifest.url_for("events_api", body)
        if url is None:
            return False
        status, content_type, text = await self._post(url, "events_api", body, None)
        answer = _body(content_type, text)
        return (
            status == 200 and (answer.get("challenge") if isinstance(answer, dict) else answer) == challenge
        )

    async def _post(
        self, url: str, envelope: Envelope, payload: Json, retry: tuple[int, str] | None
    ) -> tuple[int, str, str]:
        if self._session is None:
            self._session = ClientSession(timeout=ClientTimeout(total=30))
        body, headers = self._signed(envelope, payload)
        if retry:
            headers |= {"x-slack-retry-num": str(retry[0]), "x-slack-retry-reason": REASONS[retry[1]]}
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            return response.status, response.content_type, await response.text()

    def _signed(self, envelope: Envelope, payload: Json) -> tuple[bytes, dict[str, str]]:
        if envelope == "slash_commands":
            body, content_type = urlencode(payload).encode(), "application/x-www-form-urlencoded"
        elif envelope == "interactive":
            body = urlencode({"payload": json.dumps(payload)}).encode()
            content_type = "application/x-www-form-urlencoded"
        else:
            body, content_type = json.dumps(payload).encode(), "application/json"
        timestamp = str(int(self._app.clock()))
        return body, {
            "content-type": content_type,
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": signature(self._app.signing_secret, timestamp, body),
        }


def _body(content_type: str, text: str) -> Any:
    """An ack's body: an object if it says JSON, the bare text otherwise, None if empty."""
    if not text:
        return None
    if content_type == "application/json":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1000
