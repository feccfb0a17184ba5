"""Times and sizes: how often to measure, what to keep, and how to say it."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Times:
    """Durations of the same thing, in seconds."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def percentile(self, percent: float) -> float:
        """The least duration that so many percent don't exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    @property
    def text(self) -> str:
        """The median, and the quartiles around it as its variation."""
        return f"{duration(self.median)} ({duration(self.percentile(25))}–{duration(self.percentile(75))})"


@dataclass(frozen=True)
class Row:
    """One line of the table. ``peer`` is the obvious bot's median in the same unit, where it was measured."""

    subject: str
    setting: str
    value: float
    text: str
    target: str = ""
    met: bool | None = None
    peer: float | None = None
    peer_text: str = ""
    times: tuple[float, ...] = field(default=(), repr=False)

    @property
    def ratio(self) -> str:
        if not self.peer or not self.value:
            return ""
        times = self.peer / self.value
        return f"{times:,.0f}×" if times >= 100 else f"{times:.2g}×"


def repeat(work: Callable[[], object], *, least: int = 5, seconds: float = 1.0, most: int = 200) -> Times:
    """Do it once unmeasured, then ``least`` times, and on until ``seconds`` are over."""
    work()
    taken: list[float] = []
    until = time.perf_counter() + seconds
    while len(taken) < least or (time.perf_counter() < until and len(taken) < most):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return Times(tuple(taken))


def duration(seconds: float) -> str:
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def size(amount: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.3g} {unit}"
        amount /= 1024
    return f"{amount:.3g} GiB"


def resident(pid: int | None = None) -> int:
    """Bytes of memory that the process holds at this moment (Linux)."""
    pages = int(Path(f"/proc/{pid or os.getpid()}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def machine() -> str:
    """This machine in words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return (
        f"{os.cpu_count()} cores ({_processor()}), {size(memory)} of memory, {platform.system()}, "
        f"Python {platform.python_version()}; load before the run {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
