"""Ways to fail as Slack fails, on demand.

A fault names what it befalls: a Web API method ("chat.postMessage", "chat.*", "*"), a call of a response_url
("response_url"), a Socket Mode connection ("socket"), or a delivery to the app ("deliver.slash_commands", "deliver.interactive", "deliver.events_api", "deliver.*").

    Fault("chat.postMessage")                                        the connection is cut before anything is done
    Fault("chat.postMessage", when="after")                          it is posted, and the answer is lost
    Fault("chat.postMessage", when="after", do="status", status=500) it is posted, and the answer is a 500
    Fault("views.*", do="status", status=429, seconds=2)             refused with Retry-After: 2
    Fault("*", do="slow", seconds=1.5, times=None, probability=0.2)  late, now and then
    Fault("views.update", do="error", error="internal_error")        Slack's own error code
    Fault("auth.test", do="garbled", status=502, body="<html>")      nothing of Slack's: a gateway's page, or no body
    Fault("deliver.interactive", do="twice")                         the app gets the payload twice
    Fault("deliver.*")                                               the payload never arrives
    Fault("*", do="status", status=429, retry_after="")              refused, and Retry-After says nothing (or "0.5", a date)
    Fault("socket")                                                  a Socket Mode connection is cut before its hello
    Fault("socket", when="after", seconds=0.05)                      ... and so long after its hello
    Fault("socket", do="error", error="too_many_websockets")         a disconnect with this reason in place of the hello
    Fault("socket", do="status", status=403)                         the handshake is refused

Where each was seen: status, error and Retry-After, Slack docs (apis/web-api/rate-limits, errors of each method); a body that
is no object, gateways (docs/facts/slack.md); too_many_websockets, Slack docs
(apis/events-api/using-socket-mode, disconnects); sockets that close early, reports about other apps behind middleboxes.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Literal

from sandbox.slack.state.model import Json


@dataclass
class Fault:
    """One way to fail. `times` None: for ever; `skip`: so many matching calls pass first; `containing`: in their arguments; `seconds`: delay or Retry-After, as which `retry_after` is sent letter for letter. Who is delayed is let go when the fault is removed: `math.inf` waits for that."""

    method: str
    when: Literal["before", "after"] = "before"
    do: Literal["drop", "status", "error", "garbled", "slow", "twice"] = "drop"
    status: int = 503
    error: str = "internal_error"
    body: str = ""
    content_type: str = "application/json"
    seconds: float = 0.0
    retry_after: str | None = None
    containing: str = ""
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0
    struck: int = 0
    _removed: asyncio.Event = field(default_factory=asyncio.Event, init=False, repr=False)

    async def wait(self) -> None:
        """Lets the time pass by which this fault delays something."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._removed.wait(), self.seconds)

    def end(self) -> None:
        """Whom it delays is delayed no longer."""
        self._removed.set()

    def as_json(self) -> Json:
        return {one.name: getattr(self, one.name) for one in fields(self) if one.init}

    def matches(self, name: str) -> bool:
        same_kind = self.method.startswith("deliver.") == name.startswith("deliver.")
        named = name != "socket" or self.method == "socket"
        return same_kind and named and fnmatchcase(name, self.method)


class Faults:
    """The faults in force. `outage` refuses every request and cuts and refuses every socket until it is off again."""

    def __init__(self, seed: int = 0) -> None:
        self.active: list[Fault] = []
        self.outage = False
        self._random = Random(seed)  # noqa: S311, repeatable failures

    def add(self, fault: Fault | None = None, **settings: Any) -> Fault:
        """Puts a fault in force: `add(Fault(...))` or `add(method=..., when=..., ...)`."""
        fault = fault or Fault(**settings)
        self.active.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Ends one fault, which may have struck as often as it should."""
        if fault in self.active:
            self.active.remove(fault)
        fault.end()

    def clear(self) -> None:
        for fault in [*self.active]:
            self.remove(fault)
        self.outage = False

    def strike(self, name: str, args: Json | None = None) -> Fault | None:
        """The fault that befalls this call, counted, or None."""
        for fault in list(self.active):
            if not fault.matches(name) or fault.containing not in str(args or ""):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if self._random.random() >= fault.probability:
                continue
            fault.struck += 1
            if fault.times is not None and fault.struck >= fault.times:
                self.active.remove(fault)
            return fault
        return None

    def as_json(self) -> Json:
        return {"outage": self.outage, "faults": [fault.as_json() for fault in self.active]}
