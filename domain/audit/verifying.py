"""Going through a chain as an auditor does: is anything in it changed, missing, or elsewhere than it was?"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from domain.audit.chain import FIRST, Entry, hash_of, written
from domain.audit.reading import Run, Unreadable, read_chain, read_waiting, told_unreadable
from domain.models import AuditHead


class Fault(StrEnum):
    """What is wrong with a chain, at the first place where something is."""

    CHANGED = "changed"
    """The entry isn't what it was when it was chained, or stands where another one stood."""
    MISSING = "missing"
    """There is no entry with this place."""
    TWICE = "twice"
    """There is another entry with this place."""
    CUT = "cut"
    """The last entries are missing: the chain was longer."""
    LONGER = "longer"
    """The chain goes on after what the head knows."""
    NOT_AS_NOTED = "not_as_noted"
    """The entry hasn't the hash that was noted elsewhere: the chain was made anew."""
    HEAD_UNREADABLE = "head_unreadable"
    """The head holds what Paylink never writes: nobody knows how long the chain was."""
    WAITING_UNREADABLE = "waiting_unreadable"
    """What isn't chained yet holds what Paylink never writes, and can't be chained."""


@dataclass(frozen=True)
class Found:
    """The first fault: its place in the chain (0 where it is at none), and the entry that stands there, if any does."""

    fault: Fault
    position: int
    entry: Entry | None


@dataclass(frozen=True)
class Verified:
    """What there is of an organisation's chain. ``hash`` is the last one, to be noted elsewhere."""

    organisation: str | None
    entries: int
    hash: str
    waiting: int
    """So many aren't chained yet."""
    found: Found | None


@dataclass(frozen=True)
class Noted:
    """What somebody wrote down of a chain, where the database's owner can't change it."""

    position: int
    hash: str


def verify(run: Run, organisation_id: int, organisation: str | None, noted: Noted | None = None) -> Verified:
    """Go through the chain up to the first fault. Only reads, and may be run while Paylink works."""
    # Read first: what is chained meanwhile is no fault.
    head = run(_head, organisation_id)
    head_entries, head_hash = head or (0, FIRST)
    entries, last, found = 0, FIRST, None
    try:
        for entry in read_chain(run, organisation_id, organisation):
            found = _fault(entry, entries + 1, last, noted)
            if found is not None:
                break
            entries, last = entries + 1, entry.hash or ""
            if entries == head_entries and last != head_hash:
                found = Found(Fault.CHANGED, entries, entry)
                break
    except Unreadable:
        found = Found(Fault.CHANGED, entries + 1, None)
    if found is None and entries < max(head_entries, noted.position if noted else 0):
        found = Found(Fault.CUT, entries + 1, None)
    waiting, readable = _count_waiting(run, organisation_id, organisation)
    if found is None:
        head = head and run(_head, organisation_id)
        if head is None:
            found = Found(Fault.HEAD_UNREADABLE, 0, None)
        elif entries > head[0]:
            found = Found(Fault.LONGER, entries, None)
        elif not readable:
            found = Found(Fault.WAITING_UNREADABLE, 0, None)
    return Verified(organisation, entries, last, waiting, found)


def _count_waiting(run: Run, organisation_id: int, organisation: str | None) -> tuple[int, bool]:
    """How many wait, as far as that can be read, and whether all can be chained."""
    waiting = 0
    try:
        for entry in read_waiting(run, organisation_id, organisation):
            with told_unreadable():
                hash_of(written(entry, FIRST))
            waiting += 1
    except Unreadable:
        return waiting, False
    return waiting, True


def _fault(entry: Entry, expected: int, previous: str, noted: Noted | None) -> Found | None:
    position = entry.position or 0
    if position > expected:
        return Found(Fault.MISSING, expected, None)
    if position < expected:
        return Found(Fault.TWICE, position, entry)
    if not _is_as_hashed(entry, previous):
        return Found(Fault.CHANGED, position, entry)
    if noted is not None and position == noted.position and entry.hash != noted.hash:
        return Found(Fault.NOT_AS_NOTED, position, entry)
    return None


def _is_as_hashed(entry: Entry, previous: str) -> bool:
    try:
        return hash_of(written(entry, previous)) == entry.hash
    except (TypeError, ValueError):
        # Bytes in place of a text, or what is no text in UTF-8.
        return False


def _head(session: Session, organisation_id: int) -> tuple[int, str] | None:
    """None if it can't be read."""
    try:
        with told_unreadable():
            head = session.get(AuditHead, organisation_id)
    except Unreadable:
        return None
    if head is None:
        return 0, FIRST
    return (head.entries, head.hash) if isinstance(head.entries, int) else None
