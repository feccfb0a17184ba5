"""What every handler works with, put together once by the wiring."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from domain.desk import Desk
from domain.files.exports import Format
from domain.states import ListFilter
from domain.summaries import Actor
from handlers.bolt.people import SlackPeople

Work = Coroutine[Any, Any, None]
Track = Callable[[Work], None]
"""Runs something to its end, and lets a shut-down wait for it."""
PAUSES = (1.5,) * 60 + (15.0,) * 180
"""Seconds between two looks at what goes on: so far apart that updates of its view never meet Slack's limits. What takes longer than the first
sixty waits for Stripe, and its view may wait with it; whoever looks after the last one asks anew."""


class Log(Protocol):
    """A structlog logger: an event's name and ids, never a body, a token or a buyer's data."""

    def info(self, event: str, **ids: Any) -> Any: ...

    def warning(self, event: str, **ids: Any) -> Any: ...

    def error(self, event: str, **ids: Any) -> Any: ...


class Exports(Protocol):
    """Files as `paylink export` writes them, piece by piece, for people: each raises what the desk raises."""

    def export_list(
        self, actor: Actor, *, filter: ListFilter | None, search: str, format: Format
    ) -> AsyncIterator[bytes]:
        """Every invoice that the list shows with this filter and search, over all pages."""

    def export_run(self, actor: Actor, run_id: int, *, format: Format) -> AsyncIterator[bytes]:
        """The invoices of one bulk run."""


@dataclass(frozen=True)
class Office:
    desk: Desk
    export: Exports | None
    track: Track
    """For work that has to be done."""
    watch: Track
    """For looking again and again, which may be dropped at any time."""
    log: Log
    people: SlackPeople
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    tried: set[str] = field(default_factory=set)
    """Workspaces of which it is written down that somebody used /invoice."""
