"""What the tests of the bot share."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.patience import unhurried


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    unhurried(monkeypatch)


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Logging is the process's: put back what a test configured."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
