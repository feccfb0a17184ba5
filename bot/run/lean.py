"""Imports of a process that stays: what makes its start quick and its memory small (decision 0013)."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Stripe's SDK looks for the one, for a synchronous client, and structlog for the other, for tracebacks in colour. Paylink
# has no use for either, and they do without.
UNUSED = ("requests", "rich")


@contextmanager
def lean_imports() -> Iterator[None]:
    """Import without looking for garbage meanwhile, of which imports make none, nor ever again among what they made."""
    absent = [name for name in UNUSED if name not in sys.modules]
    for name in absent:
        # How Python is told that a module can't be imported.
        sys.modules[name] = None  # type: ignore[assignment]
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        for name in absent:
            del sys.modules[name]
