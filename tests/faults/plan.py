"""What a campaign does, and what came of it."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.crash_points import POINTS, SUSPENSIONS
from tests.faults.evidence import Evidence
from tests.faults.own_server import OwnServer

SERVER_KILLED_EVERY = 25.0
ANY_TIME = "at any time"


@dataclass(frozen=True)
class Plan:
    """What a campaign does. ``kills``: how many deaths in all; invoices come in batches of ``batch`` and of fewer."""

    database_url: str
    directory: Path
    kills: int
    processes: int = 1
    transport: str = "socket"
    batch: int = 100
    share_paid: float = 0.6
    ablation: str | None = None
    answers_lost: float | None = None
    """The share of links that are made without anybody being told, if another than usual."""
    points: tuple[str, ...] = POINTS
    suspensions: tuple[str, ...] = SUSPENSIONS
    seed: int = 1
    at_points: float = 0.85
    """The share of lives that are to end at a point; the rest ends at any time."""
    passings: tuple[int, ...] = (1, 1, 1, 2, 3)
    longest_life: float = 3.0
    server: OwnServer | None = None
    """The database's server, which dies now and then, too."""
    server_killed_every: float = SERVER_KILLED_EVERY
    settle_seconds: float = 60.0
    """How long the work that is left may stand still before it counts as stuck."""


@dataclass
class Report:
    """What happened, and what the audit found."""

    plan: Plan
    evidence: Evidence
    faults: list[str]
    kills: Counter[str] = field(default_factory=Counter)
    """Deaths by crash point; those at random times under ``at any time``."""
    suspended: int = 0
    troubles: int = 0
    """Requests that a service failed on purpose."""
    outages: int = 0
    connections_cut: int = 0
    servers_killed: int = 0
    seconds: float = 0.0

    @property
    def killed(self) -> int:
        return self.kills.total()
