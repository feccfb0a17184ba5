"""The worlds as one JSON file, so that a demo goes on where it ended."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

Json = dict[str, Any]
FORM = 1
"""Of the file; one of another form is refused rather than misread."""


def read(path: Path) -> Json | None:
    """What was saved, None if nothing was. Raises ValueError if the file isn't one of ours."""
    if not path.exists():
        return None
    saved = json.loads(path.read_text("utf-8"))
    if not isinstance(saved, dict) or saved.get("form") != FORM:
        raise ValueError(f"{path.name} was not written by this version of the local Stripe")
    return saved


def write(path: Path, content: Json) -> None:
    """Whole or not at all: a new file takes the old one's place. Readable by its owner alone, as it holds keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(content | {"form": FORM}, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
