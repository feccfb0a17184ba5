from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.models import AuditEntry
from domain.organisations import organisations, settings
from domain.organisations.settings import Settings, SettingUnusable
from domain.states import Creators

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def audited(db: Database) -> list[tuple[str | None, ...]]:
    entries = sa.select(AuditEntry).where(AuditEntry.action == "settings.change").order_by(AuditEntry.id)
    return db.run(
        lambda session: [(one.actor, one.subject, one.before, one.after) for one in session.scalars(entries)]
    )


def test_a_change_is_of_one_organisation_and_stands_in_the_audit_with_what_it_was(db: Database) -> None:
    one, other = (db.run(organisations.ensure, team, "").id for team in ("T1", "T2"))
    assert db.run(settings.get, one) == Settings()

    chosen: dict[str, Any] = {"creators": Creators.CHOSEN, "chosen_people": ("U2", "U3", "U2")}
    db.run(settings.change, one, by="U1", now=NOW, **chosen)
    changed = db.run(settings.change, one, by="U2", now=NOW, administrators=("U4",), **chosen)

    assert changed == Settings(Creators.CHOSEN, ("U2", "U3"), administrators=("U4",))
    assert (db.run(settings.get, one), db.run(settings.get, other)) == (changed, Settings())
    assert audited(db) == [
        ("U1", "creators", "everyone", "chosen"),
        ("U1", "chosen_people", "nobody", "U2, U3"),
        ("U2", "administrators", "nobody", "U4"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"creators": Creators.CHOSEN},
        {"chosen_people": ("C1",)},
        {"creators": Creators.GROUP},
        {"user_group": "U1"},
        {"administrators": ("U1,U2",)},
        {"administrators": tuple(f"U{number}" for number in range(101))},
        {"told_of_exceptions": ("U1", "C1")},
        {"language": "tlh"},
        {"zone": "Mars/Olympus"},
    ],
    ids=str,
)
def test_what_no_setting_can_be_sets_nothing(sqlite_url: str, change: dict[str, Any]) -> None:
    db = Database(sqlite_url)
    one = db.run(organisations.ensure, "T1", "").id
    with pytest.raises(SettingUnusable):
        db.run(settings.change, one, by="U1", now=NOW, **change)
    assert (db.run(settings.get, one), audited(db)) == (Settings(), [])
    db.close_now()
