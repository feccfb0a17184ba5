"""Imports that are tried out, interrupted, or done twice at once."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.errors import DatabaseUnavailable
from domain.files import importing
from domain.files.import_fields import ImportedInvoice
from domain.files.import_writing import Changes, write_rows
from domain.files.importing import ImportResult, take
from domain.files.reading.records import BadLine
from domain.models import AuditEntry
from domain.organisations import organisations
from domain.summaries import OrganisationSummary
from tests.domain.factories import NOW, TEAM
from tests.domain.files.test_importing import bad_line, check_derived, line, stored


def test_a_dry_run_tells_what_would_happen_and_writes_nothing(
    db: Database, organisation: OrganisationSummary
) -> None:
    take(db, organisation, [line("INV-1"), line("INV-2")], now=NOW)
    entries = db.run(lambda session: session.scalar(sa.select(sa.func.count(AuditEntry.id))))

    lines: list[ImportedInvoice | BadLine] = [line("INV-1"), line("INV-2", amount=7), line("INV-3")]
    lines += [bad_line(5)]
    result = take(db, organisation, lines, now=NOW, dry_run=True)

    assert result == ImportResult(new=1, updated=1, unchanged=1, bad=1)
    assert [row.amount for row in stored(db)] == [120_050, 120_050]
    assert db.run(lambda session: session.scalar(sa.select(sa.func.count(AuditEntry.id)))) == entries


def test_only_a_dry_run_does_without_an_organisation(db: Database) -> None:
    assert take(db, None, [line("INV-1")], now=NOW, dry_run=True) == ImportResult(new=1)
    with pytest.raises(ValueError, match="dry run"):
        take(db, None, [line("INV-1")], now=NOW)


def test_an_import_is_audited_and_dated(db: Database, organisation: OrganisationSummary) -> None:
    take(db, organisation, [bad_line(2)], now=NOW)
    assert db.run(organisations.get_by_team, TEAM).last_imported_at is None

    take(db, organisation, [line("INV-1"), bad_line(3)], now=NOW, actor="U0ALICE")

    assert db.run(organisations.get_by_team, TEAM).last_imported_at == NOW
    entries = db.run(lambda session: list(session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id))))[
        -2:
    ]
    assert [(entry.actor, entry.action, entry.subject) for entry in entries] == [
        ("U0ALICE", "import.begin", TEAM),
        ("U0ALICE", "import.end", f"{TEAM} 1 new, 0 updated, 0 unchanged, 1 bad"),
    ]


def test_an_interrupted_import_is_finished_by_running_it_again(
    db: Database, organisation: OrganisationSummary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK_ROWS", 10)
    lines = [line(f"INV-{n:03}", n) for n in range(2, 37)]

    def interrupted() -> Iterator[ImportedInvoice]:
        yield from lines[:25]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(db, organisation, interrupted(), now=NOW)
    assert len(stored(db)) == 20

    assert take(db, organisation, lines, now=NOW) == ImportResult(new=15, unchanged=20)
    check_derived(db)


def test_a_database_that_is_away_for_a_moment_ends_no_import(
    db: Database, organisation: OrganisationSummary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "RETRY_SECONDS", 0)
    troubles = iter([DatabaseUnavailable("away")] * 3)

    def failing(*args: Any) -> Changes:
        for trouble in troubles:
            raise trouble
        return write_rows(*args)

    monkeypatch.setattr(importing, "write_rows", failing)
    assert take(db, organisation, [line("INV-1")], now=NOW) == ImportResult(new=1)

    monkeypatch.setattr(
        importing, "write_rows", lambda *_: (_ for _ in ()).throw(DatabaseUnavailable("away"))
    )
    with pytest.raises(DatabaseUnavailable):
        take(db, organisation, [line("INV-2")], now=NOW)


def test_two_imports_of_the_same_file_at_once_take_each_line_once(
    db: Database, organisation: OrganisationSummary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK_ROWS", 20)
    start = threading.Barrier(2)
    results: list[ImportResult] = []

    def run() -> None:
        start.wait()
        results.append(take(db, organisation, [line(f"INV-{n}", n) for n in range(2, 202)], now=NOW))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(result.new for result in results) == 200
    assert sum(result.unchanged for result in results) == 200
    assert len(stored(db)) == 200
    check_derived(db)
