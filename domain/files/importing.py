"""Taking invoices from a file into an organisation: short transactions, memory flat, safe to run again.

An interrupted import has taken what its finished transactions took; running it again takes the rest.
"""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Protocol, TypeVar

from sqlalchemy.orm import Session

from domain import audit
from domain.database import Database
from domain.errors import DatabaseUnavailable
from domain.exceptions.reminding import tell_batch
from domain.files.import_exceptions import Importing
from domain.files.import_fields import ImportedInvoice
from domain.files.import_writing import Changes, write_rows
from domain.files.reading.records import BadLine, Item, LeftOut, LeftOutBecause
from domain.invoices.numbers.folding import fold_organisation
from domain.invoices.search_terms import shared_terms
from domain.models import Organisation
from domain.states import Source
from domain.summaries import OPERATOR, OrganisationSummary

T = TypeVar("T")

CHUNK_ROWS = 3_000
# On SQLite other writers get in between two chunks: without it, one row of theirs waits up to two seconds.
PAUSE_SECONDS = 0.02
_ATTEMPTS = 5
# So many names are remembered to have their terms; more would take memory that grows with the file.
KNOWN_BUYERS = 50_000
RETRY_SECONDS = 1.0


@dataclass
class ImportResult:
    """What became of the records. ``taken`` is the sum of the three before ``bad``."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    bad: int = 0
    left_out: Counter[LeftOutBecause] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter, compare=False)
    """Of what is taken, by currency."""

    @property
    def taken(self) -> int:
        return self.new + self.updated + self.unchanged


class Progress(Protocol):
    """Where an import stands that goes on after a restart: written down in the transactions that it tells of."""

    batch: str
    """Names the import where its exceptions are told together."""
    done: int
    """So many records have been dealt with: what comes before is passed over."""
    counted: ImportResult
    """What became of those before the import went on."""

    def record(self, session: Session, records: int, changes: Changes, bad: int, left_out: int) -> None:
        """So many more records have been dealt with. What this raises undoes their chunk."""

    def finish(self, session: Session) -> None:
        """All of them have."""


def take(
    db: Database,
    organisation: OrganisationSummary | None,
    items: Iterable[Item],
    *,
    now: datetime,
    dry_run: bool = False,
    actor: str = OPERATOR,
    source: Source | None = None,
    on_bad: Callable[[BadLine], None] = lambda _: None,
    on_left_out: Callable[[LeftOut], None] = lambda _: None,
    on_progress: Callable[[ImportResult], None] = lambda _: None,
    progress: Progress | None = None,
    run: Callable[..., Any] | None = None,
) -> ImportResult:
    """Take every invoice, of which no number may come twice (reading/repeated.py), and tell of each other record.

    ``on_progress`` gets what became of the records so far. A dry run writes nothing, and may be made before there
    is an organisation. With ``progress`` an import goes on where it was, and tells of all other records again. ``run``
    runs the transactions, in this thread if it isn't given. Raises DatabaseUnavailable when the database stays away.
    """
    run = run or db.run
    result = ImportResult() if progress is None else progress.counted
    if organisation is None and not dry_run:
        raise ValueError("only a dry run can do without an organisation")
    passed_over = 0 if progress is None else progress.done
    if organisation is not None and not dry_run and not passed_over:
        run(_begin, organisation, actor, source, now)
    organisation_id = 0 if organisation is None else organisation.id
    batch = secrets.token_hex(16) if progress is None else progress.batch
    importing = None if dry_run else Importing(batch, now, actor, source)
    if importing is not None:
        fold_organisation(run, organisation_id)
    pause = _Pause(PAUSE_SECONDS if db.is_sqlite and not dry_run else 0)
    buyers: set[str] = set()
    with (
        _connections_of_its_own(db),
        closing(_ahead(_chunks(items, CHUNK_ROWS, passed_over))) as chunks,
    ):
        for chunk in chunks:
            chunk.tell(on_bad, on_left_out)
            if chunk.passed_over:
                continue
            pause.wait()
            names = {row.buyer_name for row in chunk.rows}
            terms = {name: begins for name in names - buyers if (begins := shared_terms(name))}
            changes = _persist(run, organisation_id, chunk, terms, importing, progress)
            if progress is not None:
                progress.done += chunk.size
            pause.begin()
            if len(buyers) > KNOWN_BUYERS:
                buyers.clear()
            buyers.update(terms)
            for one in changes.doubtful:
                on_bad(one.told())
            _count(result, chunk, changes)
            on_progress(result)
    if organisation is not None and importing is not None:
        run(_finish, organisation, result, importing, progress)
    return result


def _count(result: ImportResult, chunk: "_Chunk", changes: Changes) -> None:
    result.new += changes.new
    result.updated += changes.updated
    result.unchanged += changes.unchanged
    result.bad += len(chunk.bad) + len(changes.doubtful)
    result.left_out.update(one.because for one in chunk.left_out)
    doubtful = {one.row.number_key for one in changes.doubtful}
    for row in chunk.rows:
        if row.number_key not in doubtful:
            result.sums[row.currency] += row.amount


def _persist(
    run: Callable[..., Any],
    organisation_id: int,
    chunk: "_Chunk",
    terms: Mapping[str, frozenset[str]],
    importing: Importing | None,
    progress: Progress | None,
) -> Changes:
    """One chunk; a database that is busy or away for a moment doesn't end an import of an hour."""
    for attempt in range(_ATTEMPTS):
        try:
            changes: Changes = run(_write, organisation_id, chunk, terms, importing, progress)
            return changes
        except DatabaseUnavailable:
            if attempt + 1 == _ATTEMPTS:
                raise
            time.sleep(RETRY_SECONDS)
    raise AssertionError("unreachable")


def _write(
    session: Session,
    organisation_id: int,
    chunk: "_Chunk",
    terms: Mapping[str, frozenset[str]],
    importing: Importing | None,
    progress: Progress | None,
) -> Changes:
    changes = write_rows(session, organisation_id, chunk.rows, terms, importing)
    if progress is not None:
        progress.record(
            session, chunk.size, changes, len(chunk.bad) + len(changes.doubtful), len(chunk.left_out)
        )
    return changes


def _finish(
    session: Session,
    organisation: OrganisationSummary,
    result: ImportResult,
    importing: Importing,
    progress: Progress | None,
) -> None:
    now = importing.now
    if progress is not None:
        progress.finish(session)
    tell_batch(session, importing.id, organisation.id, now)
    if result.taken:
        session.get_one(Organisation, organisation.id).last_imported_at = now
    counts = f"{result.new} new, {result.updated} updated, {result.unchanged} unchanged, {result.bad} bad"
    audit.record(
        session,
        audit.Deed.IMPORT_ENDED,
        f"{organisation.team_id} {counts}",
        by=importing.by,
        source=importing.source,
        now=now,
        organisation_id=organisation.id,
    )


def _begin(
    session: Session, organisation: OrganisationSummary, actor: str, source: Source | None, now: datetime
) -> None:
    audit.record(
        session,
        audit.Deed.IMPORT_BEGUN,
        organisation.team_id,
        by=actor,
        source=source,
        now=now,
        organisation_id=organisation.id,
    )


@contextmanager
def _connections_of_its_own(db: Database) -> Iterator[None]:
    """Leave none to others that write_rows has set up for many rows: they would hold on to the memory."""
    try:
        yield
    finally:
        if db.is_sqlite:
            db.engine.dispose()


@dataclass(frozen=True)
class _Chunk:
    """Invoices that are written in one transaction, and the other records among them."""

    rows: list[ImportedInvoice]
    bad: list[BadLine]
    left_out: list[LeftOut]
    passed_over: bool = False
    """An earlier attempt has dealt with them."""

    def tell(self, on_bad: Callable[[BadLine], None], on_left_out: Callable[[LeftOut], None]) -> None:
        for bad in self.bad:
            on_bad(bad)
        for left_out in self.left_out:
            on_left_out(left_out)

    @property
    def size(self) -> int:
        return len(self.rows) + len(self.bad) + len(self.left_out)


def _chunks(items: Iterable[Item], size: int, passed_over: int) -> Iterator[_Chunk]:
    iterator = iter(items)
    while some := list(islice(iterator, min(size, passed_over) or size)):
        chunk = _Chunk([], [], [], passed_over > 0)
        passed_over = max(passed_over - len(some), 0)
        for item in some:
            if isinstance(item, ImportedInvoice):
                chunk.rows.append(item)
            elif isinstance(item, BadLine):
                chunk.bad.append(item)
            else:
                chunk.left_out.append(item)
        yield chunk


def _ahead(items: Iterator[T]) -> Generator[T]:
    """The items, of which another thread makes the next one while this one is dealt with."""
    with ThreadPoolExecutor(1, "import-reader") as reader:
        following = reader.submit(next, items, None)
        while (item := following.result()) is not None:
            following = reader.submit(next, items, None)
            yield item


class _Pause:
    """At least so many seconds between two transactions; reading the next lines counts."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = 0.0

    def begin(self) -> None:
        self._until = time.monotonic() + self._seconds

    def wait(self) -> None:
        left = self._until - time.monotonic()
        if left > 0:
            time.sleep(left)
