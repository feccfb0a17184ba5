"""What a thread that reads files works with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.imports.summaries import ImportPreview


@dataclass(frozen=True)
class Previewed:
    """What a preview shows, and how the file was read for it."""

    preview: ImportPreview
    choices: str


class Stopping(Exception):
    """The process stops; the import goes on elsewhere, or with the next start."""


@dataclass(frozen=True)
class Work:
    """What a reader's thread works with: ``run`` runs a transaction and raises Stopping once ``ending`` is true."""

    run: Callable[..., Any]
    clock: Callable[[], datetime]
    ending: Callable[[], bool]
