"""A state works once, for ten minutes, in the browser that it was given to; of several who come at once, one has it."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.models import InstallState
from domain.organisations.install_states import Verdict, consume, issue


def test_a_state_works_once_in_its_browser_and_not_late(db: Database) -> None:
    db.run(issue, "one", "mine")
    assert db.run(consume, "one", "another") is Verdict.OTHER_BROWSER
    assert db.run(consume, "one", "mine") is Verdict.GOOD
    assert db.run(consume, "one", "mine") is Verdict.USED
    assert db.run(consume, "two", "mine") is Verdict.UNKNOWN
    db.run(issue, "three", "mine")
    db.run(_age, timedelta(minutes=11))
    assert db.run(consume, "three", "mine") is Verdict.LATE
    db.run(_age, timedelta(hours=1))
    db.run(issue, "four", "mine")
    kept = db.run(_kept)
    assert len(kept) == 1
    assert not {"four", "mine"} & set(kept[0])


def _age(session: Session, by: timedelta) -> None:
    for row in session.scalars(sa.select(InstallState)):
        row.issued_at -= by


def _kept(session: Session) -> list[tuple[str, str]]:
    return [(row.state, row.browser) for row in session.scalars(sa.select(InstallState))]
