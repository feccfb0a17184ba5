import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.errors import OrganisationUnknown
from domain.models import AuditEntry, Organisation
from domain.organisations import organisations
from domain.organisations.organisations import SeveralOrganisations


def actions(db: Database) -> list[tuple[str, str]]:
    return db.run(
        lambda session: [
            (entry.actor, entry.action)
            for entry in session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id))
        ]
    )


def test_a_new_organisation_has_the_add_on(db: Database) -> None:
    made = db.run(organisations.ensure, "T1", "Acme", "C1")

    assert (made.team_id, made.name, made.add_on, made.channel) == ("T1", "Acme", True, "C1")
    assert db.run(organisations.get_by_team, "T1") == made
    assert actions(db) == [("operator", "organisation.add")]


def test_an_organisation_that_exists_gets_its_new_name_and_keeps_its_channel(db: Database) -> None:
    made = db.run(organisations.ensure, "T1", "Acme", "C1")
    db.run(organisations.set_up, "T1", add_on=False)

    again = db.run(organisations.ensure, "T1", "Acme Ltd", "C2", actor="U1")

    assert (again.id, again.name, again.channel, again.add_on) == (made.id, "Acme Ltd", "C1", False)
    assert actions(db)[-1] == ("U1", "organisation.rename")


def test_ensuring_what_is_so_already_writes_nothing_down(db: Database) -> None:
    db.run(organisations.ensure, "T1", "Acme")
    db.run(organisations.ensure, "T1", "Acme")
    db.run(organisations.ensure, "T1", "")
    db.run(organisations.set_up, "T1", add_on=True)

    assert actions(db) == [("operator", "organisation.add")]
    assert db.run(organisations.get_by_team, "T1").name == "Acme"


def test_setting_the_channel_forgets_what_was_wrong_with_it(db: Database) -> None:
    db.run(organisations.ensure, "T1", "Acme", "C1")

    def lose(session: Session) -> None:
        session.execute(sa.update(Organisation).values(channel_problem="is_archived"))

    for channel in ("C2", "C2"):
        db.run(lose)
        changed = db.run(organisations.set_up, "T1", channel=channel)
        assert (changed.channel, changed.channel_problem, changed.add_on) == ("C2", None, True)
    assert [action for _, action in actions(db)].count("organisation.set") == 2


def test_an_unknown_organisation_is_never_made_up(db: Database) -> None:
    with pytest.raises(OrganisationUnknown, match="T9"):
        db.run(organisations.get_by_team, "T9")
    with pytest.raises(OrganisationUnknown, match="T9"):
        db.run(organisations.set_up, "T9", add_on=True)
    assert db.run(organisations.list_all) == ()


def test_the_sole_organisation_is_meant_only_while_it_is_the_sole_one(db: Database) -> None:
    assert db.run(organisations.sole) is None
    first = db.run(organisations.ensure, "T2", "Two")
    assert db.run(organisations.sole) == first
    db.run(organisations.ensure, "T1", "One")
    with pytest.raises(SeveralOrganisations) as several:
        db.run(organisations.sole)
    assert several.value.team_ids == ("T2", "T1")
    assert [one.name for one in db.run(organisations.list_all)] == ["Two", "One"]
