"""The installed app as Slack knows it: identity, secrets, manifest, limits; and how payloads reach it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal, Protocol

from sandbox.slack.state.faults import Faults
from sandbox.slack.state.manifest import Manifest
from sandbox.slack.state.model import Call, Json
from sandbox.slack.state.settings import Limits

Envelope = Literal["slash_commands", "interactive", "events_api"]


@dataclass(frozen=True)
class Ack:
    """What came back for one payload: acknowledged or not, in how many milliseconds, with which body, or Slack's error code."""

    acked: bool
    milliseconds: float
    body: Any = None
    error: str | None = None


class Delivery(Protocol):
    """Takes payloads to the app, over Socket Mode or HTTP."""

    async def send(
        self,
        envelope: Envelope,
        payload: Json,
        *,
        answerable: bool = False,
        retry: tuple[int, str] | None = None,
    ) -> Ack:
        """Delivers once. `answerable`: an ack may carry a body; `retry`: (attempt, reason) of an event sent again."""
        ...


@dataclass
class InstalledApp:
    """Shared by all workspaces of one local Slack."""

    manifest: Manifest
    limits: Limits
    clock: Callable[[], float]
    app_id: str
    app_token: str
    signing_secret: str
    verification_token: str
    faults: Faults
    random: Random
    calls: list[Call] = field(default_factory=list)
    calls_forgotten: int = 0
    revoked: set[str] = field(default_factory=set)
    inactive: set[str] = field(default_factory=set)
    """Tokens of workspaces from which the app was removed (Slack docs: reference/methods/auth.test, account_inactive)."""
    client_id: str = ""
    client_secret: str = ""
    app_token_scopes: list[str] = field(default_factory=lambda: ["connections:write"])
    base_url: str = ""

    def log(self, call: Call) -> None:
        """Keeps a call; the older half is forgotten whenever limits.calls_kept are kept."""
        if len(self.calls) >= self.limits.calls_kept:
            half = len(self.calls) // 2
            del self.calls[:half]
            self.calls_forgotten += half
        self.calls.append(call)

    def identifier(self, prefix: str) -> str:
        """A fresh id in Slack's form."""
        return prefix + "".join(self.random.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=10))


def fresh_secret(length: int = 24) -> str:
    return secrets.token_hex(length // 2)
