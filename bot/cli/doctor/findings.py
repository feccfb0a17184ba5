"""What ``paylink doctor`` finds."""

from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    WELL = "well"
    NOTE = "note"
    """Worth knowing; Paylink works."""
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """``mend`` says what to do, where it isn't plain from ``what``."""

    level: Level
    what: str
    mend: str = ""
