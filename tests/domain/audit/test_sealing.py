"""Processes that write and chain at once make one chain, whoever comes first."""

import subprocess
import sys

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from domain.audit import sealing
from domain.audit.reading import list_organisations
from domain.audit.verifying import verify
from domain.database import Database
from tests.domain.factories import TEAM, make_organisation

PROCESSES, ENTRIES = 2, 60
AT_WORK = """
import sys
from datetime import UTC, datetime
from domain.audit import Deed, record, sealing
from domain.database import Database

db, organisation, name = Database(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
for number in range({entries}):
    def write(session):
        # A transaction that is longer than others commits after those that began later.
        record(session, Deed.LINK_RECHECKED, str(number), by=name, now=datetime.now(UTC), organisation_id=organisation)
        session.execute(__import__("sqlalchemy").text("SELECT pg_sleep(0.002)"))
    db.run(write)
    if number % 5 == 0:
        while db.run(sealing.seal, organisation):
            pass
db.close_now()
"""


@pytest.mark.postgres
def test_several_processes_make_one_chain(postgresql_url: str) -> None:
    db = Database(postgresql_url)
    own = make_organisation(db)
    working = [
        subprocess.Popen(
            [sys.executable, "-c", AT_WORK.format(entries=ENTRIES), postgresql_url, str(own), f"U0{name}"]
        )
        for name in range(PROCESSES)
    ]
    assert [process.wait(timeout=90) for process in working] == [0] * PROCESSES
    while db.run(sealing.seal, own):
        pass
    [(key, team)] = db.run(list_organisations)
    verified = verify(db.run, key, team)
    db.close_now()
    assert (verified.entries, verified.waiting, verified.found) == (PROCESSES * ENTRIES, 0, None)


@pytest.mark.parametrize("value", ["x'00ff', 5", "CAST(x'ff' AS TEXT), 5", "'U0ADA', 'today'"])
async def test_what_cant_be_chained_keeps_back_its_own_organisation_alone(
    sqlite_url: str, value: str
) -> None:
    """SQLite keeps anything in any column."""
    db = Database(sqlite_url)
    own, other = make_organisation(db), make_organisation(db, "T0OTHER")
    into = "INSERT INTO audit (organisation_id, action, subject, actor, at) VALUES"

    def write(session: sa.orm.Session) -> None:
        session.execute(sa.text(f"{into} ({own}, 'x', '', {value}), ({other}, 'x', '', 'U0ADA', 5)"))

    db.run(write)
    chaining = sealing.Sealing(db)
    with capture_logs() as logged:
        await chaining.seal_waiting()
        await chaining.seal_waiting()
    assert verify(db.run, other, "T0OTHER").entries == 1
    assert verify(db.run, own, TEAM).entries == 0
    assert [(line["event"], line["organisation"]) for line in logged] == [
        ("audit.unchainable", own),
        ("audit.chained", other),
    ]
    db.run(write)
    assert not sealing.seal_some(db, {own, other}, 20)
    assert verify(db.run, other, "T0OTHER").entries == 2
    db.close_now()
