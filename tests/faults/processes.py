"""The processes of a campaign, seen from the outside: the local Slack, the local Stripe, the nursery and its children."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

ROOT = Path(__file__).parents[2]
# A machine that has much to do may take long, and ends nevertheless.
PATIENCE = 300.0


class Spoken:
    """A process that speaks in lines of JSON on its standard output."""

    def __init__(self, *command: str, log: Path) -> None:
        self._command = command
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *self._command,
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )

    async def listen(self) -> dict[str, Any]:
        """The next line. Raises RuntimeError if the process ended instead."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        if not line:
            raise RuntimeError(f"{self._command[0]} ended: {self._log.read_text()[-2000:]}")
        spoken: dict[str, Any] = json.loads(line)
        return spoken

    async def tell(self, said: Mapping[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(said).encode() + b"\n")
        await self._process.stdin.drain()

    async def stop(self) -> None:
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), PATIENCE)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


class Remote:
    """A local service's control over HTTP (see sandbox/slack/control.py and sandbox/stripe/control.py)."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def get(self, path: str, **query: str) -> Any:
        return await self._ask("GET", path, params=query)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return await self._ask("POST", path, json=dict(body))

    async def delete(self, path: str) -> Any:
        return await self._ask("DELETE", path)

    async def _ask(self, method: str, path: str, **given: Any) -> Any:
        async with self._session.request(method, f"{self.url}/_local/{path}", **given) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise RemoteRefusal(f"{method} {path}: {answer.status} {text[:300]}")
            return json.loads(text)


class RemoteRefusal(Exception):
    """A local service doesn't do what it was asked: most often what somebody wanted to click on isn't there."""


class Child:
    """One `paylink serve`, held by a descriptor, since its number is another's as soon as it is gone."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._descriptor: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._descriptor = None

    async def died(self, within: float) -> bool:
        """Whether the process is gone, at the latest after so many seconds."""
        if self._descriptor is None:
            return True
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._descriptor, ended.set)
        try:
            await asyncio.wait_for(ended.wait(), within)
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = None
        return True

    def is_suspended(self) -> bool:
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return False
        return self._descriptor is not None and stat.rpartition(")")[2].split()[0] == "T"

    def send(self, number: signal.Signals) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    async def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Signal it and wait until it is gone."""
        self.send(number)
        if not await self.died(PATIENCE):
            self.send(signal.SIGKILL)
            raise RuntimeError(f"process {self.pid} outlived {number.name}")


class Ground:
    """The local Slack, the local Stripe and the nursery, running between ``__aenter__`` and ``__aexit__``.

    With a ``request_url`` Slack delivers over HTTP, else over Socket Mode.
    """

    slack: Remote
    stripe: Remote
    slack_state: dict[str, Any]
    stripe_state: dict[str, Any]

    def __init__(
        self, directory: Path, *, request_url: str | None, people: int = 2, channels: int = 5, seed: int = 0
    ) -> None:
        self.directory = directory
        self.channels = ["C0PAYMENTS", *(f"C0ELSEWHERE{n}" for n in range(1, channels))]
        self.people = [f"U0PERSON{n}" for n in range(people)]
        self._seed = seed
        self._delivery = ["--delivery", "http", "--request-url", request_url] if request_url else []
        self._stack = AsyncExitStack()
        self._children: list[Child] = []
        self._bearing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            child.send(signal.SIGKILL)
            await child.died(PATIENCE)
        await self._stack.aclose()

    async def _start(self) -> None:
        people = [word for n, one in enumerate(self.people) for word in ("--person", f"{one}=person{n}")]
        channels = [word for one in self.channels for word in ("--channel", f"{one}={one.lower()}")]
        slack = await self._spoken(
            "sandbox.slack",
            "--manifest",
            str(ROOT / "manifest.yml"),
            *people,
            *channels,
            *self._delivery,
            "--seed",
            str(self._seed),
        )
        stripe = await self._spoken("sandbox.stripe", "--seed", str(self._seed))
        self.slack_state, self.stripe_state = await slack.listen(), await stripe.listen()
        session = await self._stack.enter_async_context(aiohttp.ClientSession())
        self.slack = Remote(session, self.slack_state["url"])
        self.stripe = Remote(session, self.stripe_state["api_url"])
        self._nursery = await self._spoken("tests.faults.nursery")

    async def _spoken(self, *command: str) -> Spoken:
        spoken = Spoken(*command, log=self.directory / f"{command[0]}.log")
        self._stack.push_async_callback(spoken.stop)
        await spoken.start()
        return spoken

    async def bear(self, env: Mapping[str, str], log: Path, **arms: Any) -> Child:
        """A new `paylink serve`; ``arms`` are the nursery's: point, times, suspend, ablation."""
        async with self._bearing:
            await self._nursery.tell({"env": dict(env), "log": str(log), **arms})
            child = Child((await self._nursery.listen())["pid"])
        self._children.append(child)
        return child
