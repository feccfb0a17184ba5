"""Imports of a process that stays: what makes its start quick and its memory small (decision 0013)."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Stripe's SDK looks for it, for a synchronous client that Paylink has no use for, and does without it.
UNUSED = "requests"


@contextmanager
def lean_imports() -> Iterator[None]:
    """Import without looking for garbage meanwhile, of which imports make none, nor ever again among what they made."""
    absent = UNUSED not in sys.modules
    if absent:
        # How Python is told that a module can't be imported.
        sys.modules[UNUSED] = None  # type: ignore[assignment]
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        if absent:
            del sys.modules[UNUSED]
