"""Home shows the steps of setting up until all are done, and bothers nobody who was there before them."""

from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from domain.database import Database, make_engine
from domain.migrations import upgrade
from domain.models import Organisation
from domain.overview import steps
from domain.overview.summaries import Steps
from domain.scope import Scope
from tests.domain.factories import NOW, make_invoice, make_organisation
from tests.domain.migrations.first_schema import make_first


def test_each_step_is_done_by_what_there_is(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    scope = Scope(make_organisation(db, channel=None), 0, livemode=False)
    assert db.run(steps.find_open, scope) == Steps(stripe=True, channel=False, invoices=False, tried=False)
    make_organisation(db)
    make_invoice(db)
    db.run(steps.note_tried, scope, NOW)
    assert db.run(steps.find_open, scope) is None
    erased = db.run(steps.find_open, replace(scope, connected=False))
    assert erased is not None
    assert not erased.stripe, "a key was erased: it is to be connected again"
    db.run(steps.note_tried, scope, NOW.replace(year=2030))
    assert db.run(lambda session: session.scalar(sa.select(Organisation.tried_at))) == NOW
    db.close_now()


def test_an_organisation_of_a_version_before_is_not_told_to_try(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/before.sqlite3"
    engine = make_engine(url)
    make_first(engine)
    upgrade(engine)
    db = Database(url)
    assert db.run(steps.find, Scope(1, 0, livemode=False)).tried
    db.close_now()
    engine.dispose()
