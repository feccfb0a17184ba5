"""Names of processes that hold claims in the database, and which of them are known to be dead."""

import os
import secrets
import socket
from collections.abc import Iterable


def make_owner() -> str:
    """A name for this process, from its start to its end: its host, its number and something of its own."""
    return f"{_host()}-{os.getpid()}-{secrets.token_hex(4)}"


def find_dead(owners: Iterable[str], own: str) -> set[str]:
    """Those of ``owners`` that ran on this host and don't any more. Who ran elsewhere is never among them."""
    return {owner for owner in owners if owner != own and _is_dead(owner)}


def _is_dead(owner: str) -> bool:
    host, _, rest = owner.rpartition("-")[0].rpartition("-")
    if host != _host() or not rest.isdecimal():
        return False
    if int(rest) == os.getpid():
        # It was ours before: one process has one name.
        return True
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _host() -> str:
    return socket.gethostname()[:32]
