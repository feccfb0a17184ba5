"""Processes that write and chain at once make one chain, whoever comes first."""

import subprocess
import sys

import pytest

from domain.audit import sealing
from domain.audit.reading import list_organisations
from domain.audit.verifying import verify
from domain.database import Database
from tests.domain.factories import make_organisation

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
