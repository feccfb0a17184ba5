"""The audit as a file, entry by entry: JSON Lines by which anybody can check the chain, or CSV that no spreadsheet calculates."""

import csv
import io
import json
from collections.abc import Generator, Iterable, Iterator
from datetime import datetime

from domain.audit.chain import FIRST, Entry, written
from domain.audit.reading import Run, read_chain, read_waiting
from domain.files.exports import Format
from domain.files.formulas import inert
from domain.summaries import OPERATOR

COLUMNS = (
    *("position", "id", "organisation", "at", "actor", "deed", "source", "result"),
    *("invoice_id", "invoice", "subject", "before", "after", "previous", "hash"),
)


def export(
    run: Run,
    organisations: Iterable[tuple[int, str | None]],
    format: Format,
    *,
    since: datetime | None = None,
    actor: str | None = None,
) -> Generator[bytes]:
    """The entries of these in the order of their chains, then those that wait to be chained; memory is flat.

    ``actor``: as entries have it, the operator with or without who that is on the machine.
    """
    if format is Format.CSV:
        yield _csv_line(COLUMNS)
    for organisation_id, team in organisations:
        for entry, previous in _read(run, organisation_id, team):
            if (since is None or entry.at >= since) and (actor is None or _is_by(entry, actor)):
                said = _said(entry, previous)
                yield _csv_line(_cells(said)) if format is Format.CSV else _json_line(said)


def _read(run: Run, organisation_id: int, team: str | None) -> Iterator[tuple[Entry, str]]:
    """Each with the hash of the one before, empty where it isn't chained yet."""
    previous = FIRST
    for entry in read_chain(run, organisation_id, team):
        yield entry, previous
        previous = entry.hash or ""
    for entry in read_waiting(run, organisation_id, team):
        yield entry, ""


def _said(entry: Entry, previous: str) -> dict[str, str | int]:
    said = written(entry, previous)
    if entry.hash is None:
        del said["previous"]
        return said
    return said | {"hash": entry.hash}


def _is_by(entry: Entry, actor: str) -> bool:
    return entry.actor == actor or (actor == OPERATOR and entry.actor.startswith(f"{OPERATOR}:"))


def _cells(said: dict[str, str | int]) -> list[str]:
    return [inert(str(said.get(name, ""))) for name in COLUMNS]


def _csv_line(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _json_line(said: dict[str, str | int]) -> bytes:
    return f"{json.dumps(said, ensure_ascii=False)}\n".encode()
