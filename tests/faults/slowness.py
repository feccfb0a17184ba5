"""How much longer everything takes here than on a machine that has nothing else to do, as the starts of processes tell.

What a campaign waits for is stretched by it: no life, lease or patience is long or short but against what the machine does
meanwhile.
"""

import os
from pathlib import Path

MOST = 15.0
# A start that waits for nobody still waits for the disk and the database, about as long as it computes.
USUAL = 2.0
_TICK = os.sysconf("SC_CLK_TCK")


class Slowness:
    """``factor`` is 1 on a machine that has nothing else to do."""

    def __init__(self) -> None:
        self.factor = 1.0

    def note(self, seconds: float, cpu: float) -> None:
        """A start took so many seconds, of which it computed so many."""
        found = min(max(seconds / (USUAL * max(cpu, 0.1)), 1.0), MOST)
        # One start may have been unlucky.
        self.factor = found if self.factor == 1.0 else (2 * self.factor + found) / 3


def cpu_of(pid: int) -> float:
    """Seconds that the process has computed; none if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    utime, stime = stat.rpartition(")")[2].split()[11:13]
    return (int(utime) + int(stime)) / _TICK
