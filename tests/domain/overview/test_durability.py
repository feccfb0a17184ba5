"""The settings of a database under which a commit may be lost are seen."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import database
from domain.database import Database, make_engine
from domain.overview.durability import list_weaknesses
from tests.conftest import SHIPPED_SYNCHRONOUS


def test_sqlite_is_opened_so_that_a_commit_is_on_the_disk(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "SYNCHRONOUS", SHIPPED_SYNCHRONOUS)
    engine = make_engine(sqlite_url)
    with Session(engine) as session:
        assert list_weaknesses(session) == {}
        session.connection().exec_driver_sql("COMMIT")
        session.connection().exec_driver_sql("PRAGMA synchronous = NORMAL")
        session.connection().exec_driver_sql("BEGIN")
        assert list_weaknesses(session) == {"synchronous": "1"}
    engine.dispose()


@pytest.mark.postgres
def test_what_postgresql_was_told_not_to_wait_for_is_seen(postgresql_url: str) -> None:
    """The tests' own server is told so, since nothing in it has to outlive a power failure."""

    def ask(session: Session, commit: str) -> dict[str, str]:
        session.execute(sa.text(f"SET LOCAL synchronous_commit = {commit}"))
        return list_weaknesses(session)

    db = Database(postgresql_url)
    unsafe = {"fsync": "off", "full_page_writes": "off"}
    assert db.run(ask, "off") == unsafe | {"synchronous_commit": "off"}
    for commit in ("on", "local", "remote_apply"):
        assert db.run(ask, commit) == unsafe
    db.close_now()
