"""The limits that a local Slack keeps, as figures that a test may change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Limits:
    """Slack's own limits; seconds unless the name says otherwise. Sources stand beside each."""

    ack_seconds: float = 3.0  # Slack docs: interactivity/handling-user-interaction
    trigger_seconds: float = 3.0  # Slack docs: surfaces/modals
    response_url_uses: int = 5  # Slack docs: interactivity/handling-user-interaction#message_responses
    response_url_seconds: float = 1800.0
    messages_per_second: float = 1.0  # Slack docs: apis/web-api/rate-limits, chat.postMessage per channel
    message_burst: int = 2  # "short bursts" are tolerated; how many is not documented
    history_is_restricted: bool = (
        False  # 1 call a minute and 15 messages: rate-limit changes for non-Marketplace apps
    )
    calls_per_minute: dict[str, int] | None = (
        None  # method -> calls a minute; None keeps Slack's tiers unenforced
    )
    connections: int = 10  # Slack docs: apis/events-api/using-socket-mode
    calls_kept: int = 20_000  # ours: how much of the log of Web API calls is remembered
    event_retry_seconds: tuple[float, ...] = (0.0, 60.0, 300.0)  # Slack docs: apis/events-api#retries
