"""What an auditor finds who comes after somebody with the database's password: the first entry that isn't as it was."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from domain.audit import Deed, erasing, record, sealing
from domain.audit.chain import FIRST, hash_of, written
from domain.audit.reading import list_organisations, read_chain
from domain.audit.verifying import Fault, Noted, Verified, verify
from domain.database import Database
from tests.domain.factories import NOW, TEAM, make_organisation
from tests.domain.unguarded import unguarded

OTHER = "T0OTHER"
TAMPERING: dict[str, tuple[str, Fault, int]] = {
    "changed": (
        "UPDATE audit SET actor = 'U0INNOCENT' WHERE position = 3 AND organisation_id = :own",
        Fault.CHANGED,
        3,
    ),
    "what it was before": (
        "UPDATE audit SET before = NULL WHERE position = 4 AND organisation_id = :own",
        Fault.CHANGED,
        4,
    ),
    "its time": (
        "UPDATE audit SET at = at + 1 WHERE position = 1 AND organisation_id = :own",
        Fault.CHANGED,
        1,
    ),
    "its hash": (
        "UPDATE audit SET hash = 'abc' WHERE position = 5 AND organisation_id = :own",
        Fault.CHANGED,
        5,
    ),
    "removed": ("DELETE FROM audit WHERE position = 2 AND organisation_id = :own", Fault.MISSING, 2),
    "the first removed": (
        "DELETE FROM audit WHERE position = 1 AND organisation_id = :own",
        Fault.MISSING,
        1,
    ),
    "the last removed": ("DELETE FROM audit WHERE position >= 5 AND organisation_id = :own", Fault.CUT, 5),
    "all removed": ("DELETE FROM audit WHERE organisation_id = :own", Fault.CUT, 1),
    "removed and closed up": (
        "DELETE FROM audit WHERE position = 2 AND organisation_id = :own;"
        "UPDATE audit SET position = position - 1 WHERE position > 2 AND organisation_id = :own",
        Fault.CHANGED,
        2,
    ),
    "reordered": (
        "UPDATE audit SET position = 9 WHERE position = 2 AND organisation_id = :own;"
        "UPDATE audit SET position = 2 WHERE position = 3 AND organisation_id = :own;"
        "UPDATE audit SET position = 3 WHERE position = 9 AND organisation_id = :own",
        Fault.CHANGED,
        2,
    ),
    "another organisation's": (
        "DELETE FROM audit WHERE position = 1 AND organisation_id = :own;"
        "UPDATE audit SET organisation_id = :own WHERE position = 1 AND organisation_id = :other",
        Fault.CHANGED,
        1,
    ),
    "put in between": (
        "UPDATE audit SET organisation_id = :own, position = 6 WHERE position = 1 AND organisation_id = :other",
        Fault.CHANGED,
        6,
    ),
    "the head set back": (
        "DELETE FROM audit WHERE position = 5 AND organisation_id = :own;"
        "UPDATE audit_heads SET entries = 4 WHERE organisation_id = :own",
        Fault.CHANGED,
        4,
    ),
    "the head forgotten": ("DELETE FROM audit_heads WHERE organisation_id = :own", Fault.LONGER, 5),
}
ON_SQLITE: dict[str, tuple[str, Fault, int]] = {
    "a time that is none": (
        "UPDATE audit SET at = '2026-11-30' WHERE position = 3 AND organisation_id = :own",
        Fault.CHANGED,
        3,
    ),
    "bytes": (
        "UPDATE audit SET actor = x'00ff' WHERE position = 2 AND organisation_id = :own",
        Fault.CHANGED,
        2,
    ),
    "a text that isn't UTF-8": (
        "UPDATE audit SET actor = CAST(x'ff' AS TEXT) WHERE position = 4 AND organisation_id = :own",
        Fault.CHANGED,
        4,
    ),
    "a time that no calendar has": (
        "UPDATE audit SET at = 9000000000000000000 WHERE position = 3 AND organisation_id = :own",
        Fault.CHANGED,
        3,
    ),
    "a place that is none": (
        "UPDATE audit SET position = 'last' WHERE position = 5 AND organisation_id = :own",
        Fault.CHANGED,
        5,
    ),
    "a length that is none": (
        "UPDATE audit_heads SET entries = 'many' WHERE organisation_id = :own",
        Fault.HEAD_UNREADABLE,
        0,
    ),
    "a head that isn't UTF-8": (
        "UPDATE audit_heads SET hash = CAST(x'ff' AS TEXT) WHERE organisation_id = :own",
        Fault.HEAD_UNREADABLE,
        0,
    ),
    "a time that is none, not chained": (
        "INSERT INTO audit (organisation_id, actor, action, subject, at) VALUES (:own, 'U0ADA', 'x', '', 'today')",
        Fault.WAITING_UNREADABLE,
        0,
    ),
    "bytes, not chained": (
        "INSERT INTO audit (organisation_id, actor, action, subject, at) VALUES (:own, x'00ff', 'x', '', 5)",
        Fault.WAITING_UNREADABLE,
        0,
    ),
}
"""It keeps anything in any column."""


@pytest.fixture
def own(db: Database) -> int:
    """An organisation with five entries; another one has three. All are chained."""
    own, other = make_organisation(db), make_organisation(db, OTHER)
    db.run(write, own, 5)
    db.run(write, other, 3)
    seal_all(db)
    return own


def write(session: Session, organisation_id: int, entries: int) -> None:
    for number in range(entries):
        record(
            session,
            Deed.SETTING_CHANGED,
            f"setting {number}",
            by="U0ADA",
            now=NOW + timedelta(minutes=number),
            organisation_id=organisation_id,
            before="a",
            after="ä",
        )


def seal_all(db: Database) -> None:
    for organisation_id in db.run(sealing.list_waiting):
        while db.run(sealing.seal, organisation_id):
            pass


def check(db: Database, organisation_id: int, team_id: str = TEAM, noted: Noted | None = None) -> Verified:
    return verify(db.run, organisation_id, team_id, noted)


def execute(session: Session, /, statements: str, **values: object) -> None:
    for statement in statements.split(";"):
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        session.execute(sa.text(statement), used)


def tamper(session: Session, /, statements: str, **values: object) -> None:
    with unguarded(session):
        execute(session, statements, **values)


def copy(session: Session) -> dict[str, list[dict[str, object]]]:
    return {
        table: [dict(row) for row in session.execute(sa.text(f"SELECT * FROM {table}")).mappings()]
        for table in ("audit", "audit_heads")
    }


def put_back(session: Session, kept: dict[str, list[dict[str, object]]]) -> None:
    with unguarded(session):
        for table, rows in kept.items():
            session.execute(sa.text(f"DELETE FROM {table}"))
            names, values = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
            session.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({values})"), rows)


def test_what_was_done_by_hand_is_found_and_the_first_place_named(db: Database, own: int) -> None:
    """All of it on one database, each put right again from a copy."""
    [other] = [key for key, team in db.run(list_organisations) if team == OTHER]
    kept = db.run(copy)
    untouched = check(db, own)
    assert (untouched.found, untouched.entries, untouched.waiting) == (None, 5, 0)
    for name, (statements, fault, position) in (TAMPERING | (ON_SQLITE if db.is_sqlite else {})).items():
        db.run(tamper, statements, own=own, other=other)
        found = check(db, own).found
        assert found is not None, name
        assert (found.fault, found.position) == (fault, position), name
        db.run(put_back, kept)
        assert check(db, own) == untouched


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'U0INNOCENT'",
        "UPDATE audit SET position = 9, hash = 'abc' WHERE position = 5",
        "UPDATE audit SET position = NULL, hash = NULL",
        "DELETE FROM audit WHERE position = 5",
        "DELETE FROM audit",
        "UPDATE audit_heads SET entries = 4",
        "DELETE FROM audit_heads",
    ],
)
def test_the_database_refuses_it(db: Database, own: int, statement: str) -> None:
    before = check(db, own)
    with pytest.raises(DBAPIError, match="append-only"):
        db.run(execute, statement)
    assert check(db, own) == before


def test_what_each_database_has_of_its_own_is_refused_too(db: Database, own: int) -> None:
    row = "SELECT id, organisation_id, 'U0INNOCENT', action, subject, at FROM audit WHERE position = 1"
    into = "audit (id, organisation_id, actor, action, subject, at)"
    statement = f"INSERT OR REPLACE INTO {into} {row}" if db.is_sqlite else "TRUNCATE audit CASCADE"
    with pytest.raises(DBAPIError, match="append-only"):
        db.run(execute, statement)
    assert check(db, own).found is None


def test_a_chain_that_was_written_anew_isnt_the_one_that_was_noted(db: Database, own: int) -> None:
    noted = Noted(5, check(db, own).hash)
    assert check(db, own, noted=noted).found is None
    anew = (
        "UPDATE audit SET actor = 'U0INNOCENT' WHERE position = 3 AND organisation_id = :own;"
        "UPDATE audit SET position = NULL, hash = NULL; DELETE FROM audit_heads"
    )
    db.run(tamper, anew, own=own)
    seal_all(db)
    assert check(db, own).found is None
    found = check(db, own, noted=noted).found
    assert found is not None
    assert (found.fault, found.position) == (Fault.NOT_AS_NOTED, 5)


def test_who_gives_a_changed_entry_its_hash_is_found_at_the_next(db: Database, own: int) -> None:
    second, third = list(read_chain(db.run, own, TEAM))[1:3]
    forged = hash_of(written(replace(third, actor="U0INNOCENT"), second.hash or ""))
    statement = (
        "UPDATE audit SET actor = 'U0INNOCENT', hash = :forged WHERE position = 3 AND organisation_id = :own"
    )
    db.run(tamper, statement, forged=forged, own=own)
    found = check(db, own).found
    assert found is not None
    assert (found.fault, found.position) == (Fault.CHANGED, 4)


def test_what_isnt_chained_yet_is_told_and_no_fault(db: Database, own: int) -> None:
    db.run(write, own, 2)
    waiting = check(db, own)
    assert (waiting.entries, waiting.waiting, waiting.found) == (5, 2, None)
    seal_all(db)
    assert (check(db, own).entries, check(db, own).waiting) == (7, 0)


def test_an_entry_of_the_version_before_is_chained_like_any_other(db: Database, own: int) -> None:
    into = "INSERT INTO audit (organisation_id, actor, action, subject, at) VALUES"
    db.run(execute, f"{into} (:own, 'U0ADA', 'link.reserve', 'invoice 7', 5)", own=own)
    db.run(execute, f"{into} (NULL, 'operator', 'organisation.add', '', 5)")
    seal_all(db)
    assert check(db, own).entries == 6
    nobodys = [key for key, team in db.run(list_organisations) if team is None]
    assert [verify(db.run, key, None).entries for key in nobodys] == [1]


def test_an_organisation_is_erased_with_its_audit_and_that_it_was_stays(db: Database, own: int) -> None:
    head = check(db, own).hash
    db.run(write, own, 1)

    def forget(session: Session) -> int:
        return erasing.erase(session, own, TEAM, by="operator", now=NOW)

    assert db.run(forget) == 6
    assert (check(db, own).entries, check(db, own).hash) == (0, FIRST)
    seal_all(db)
    [entry] = read_chain(db.run, 0, None)
    assert (entry.deed, entry.subject) == (Deed.ORGANISATION_FORGOTTEN, f"{TEAM} 5:{head}")
    # The door is shut again, and the other's entries stay.
    [other] = [key for key, team in db.run(list_organisations) if team == OTHER]
    assert check(db, other, OTHER).entries == 3
    with pytest.raises(DBAPIError, match="append-only"):
        db.run(execute, "DELETE FROM audit")
