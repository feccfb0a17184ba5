"""The chain of hashes: what of an entry is hashed, and how. Stated for auditors in docs/reference/audit.md.

An entry's hash is SHA-256 over its canonical form, which holds the hash of the entry before. The canonical form is a JSON
object by RFC 8785 (keys in order, no blanks, UTF-8) of all that the entry says, its hash excepted; what it doesn't say is
left out, so that a later version may say more without changing older hashes.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

FIRST = "0" * 64
"""Stands for the hash of an entry before the first."""

Written = Mapping[str, str | int]
"""An entry as it is hashed and exported."""


@dataclass(frozen=True)
class Entry:
    """One deed. ``organisation`` is Slack's team id, None for what belongs to no organisation."""

    id: int
    organisation: str | None
    at: datetime
    actor: str
    deed: str
    subject: str
    source: str | None
    result: str | None
    invoice_id: int | None
    invoice: str | None
    """Its number."""
    before: str | None
    after: str | None
    position: int | None
    """From 1. None until it is chained, seconds after it was written."""
    hash: str | None


_SAID = tuple(field.name for field in fields(Entry) if field.name not in ("at", "hash"))


def written(entry: Entry, previous: str) -> dict[str, str | int]:
    """All that is hashed of an entry. ``at`` is in UTC to the millisecond."""
    said: dict[str, str | int] = {
        name: value for name in _SAID if (value := getattr(entry, name)) is not None
    }
    said["at"] = entry.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said["previous"] = previous
    return said


def hash_of(said: Written) -> str:
    """``said`` holds texts and whole numbers, so that Python's JSON with ordered keys is RFC 8785's."""
    canonical = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
