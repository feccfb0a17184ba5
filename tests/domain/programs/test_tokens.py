"""Tokens let in whoever shows them, until they are revoked, and can't be read out of the database."""

import re

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.errors import OrganisationUnknown
from domain.models import ApiToken, AuditEntry, Base
from domain.programs import tokens
from domain.programs.tokens import TokenNameUnusable, TokenNotFound
from domain.states import Right
from domain.summaries import Actor
from tests.domain.factories import TEAM, make_organisation


@pytest.fixture(autouse=True)
def organisation(db: Database) -> int:
    return make_organisation(db)


def test_a_token_lets_in_until_it_is_revoked(db: Database) -> None:
    token = db.run(tokens.add, TEAM, "ledger", {Right.LOOK})
    program = db.run(tokens.find_program, token)
    assert program is not None
    assert (program.actor, program.rights) == (Actor(TEAM, "token:ledger"), frozenset({Right.LOOK}))
    db.run(tokens.revoke, TEAM, "ledger")
    assert db.run(tokens.find_program, token) is None
    with pytest.raises(TokenNotFound):
        db.run(tokens.revoke, TEAM, "ledger")


def test_nothing_of_its_secret_is_kept(db: Database) -> None:
    token = db.run(tokens.add, TEAM, "other")
    secret = re.fullmatch("paylink_[0-9a-f]{16}_(.{43})", token)[1]  # type: ignore[index]
    everything = db.run(
        lambda session: [
            str(dict(row._mapping))
            for table in (ApiToken, AuditEntry)
            for row in session.execute(sa.select(Base.metadata.tables[table.__tablename__]))
        ]
    )
    assert everything
    assert secret not in " ".join(everything)


def test_another_secret_with_a_known_selector_lets_nobody_in(db: Database) -> None:
    token = db.run(tokens.add, TEAM, "ledger")
    last = "B" if token[-1] == "A" else "A"
    for wrong in (token[:-1] + last, token[:-1], token + "A", token.upper(), "", "paylink_"):
        assert db.run(tokens.find_program, wrong) is None
    assert db.run(tokens.find_program, token) is not None


def test_names_are_given_once(db: Database) -> None:
    make_organisation(db, team_id="T0OTHER")
    db.run(tokens.add, TEAM, "ledger")
    db.run(tokens.add, "T0OTHER", "ledger")
    db.run(tokens.revoke, TEAM, "ledger")
    for name in ("ledger", "", " x", "a b", "x" * 61, "-x", "ä"):
        with pytest.raises(TokenNameUnusable):
            db.run(tokens.add, TEAM, name)
    with pytest.raises(OrganisationUnknown):
        db.run(tokens.add, "T0NOBODY", "x")


def test_when_it_was_last_used_is_kept_coarsely(db: Database) -> None:
    token = db.run(tokens.add, TEAM, "ledger")
    first = db.run(tokens.find_program, token)
    assert first is not None
    assert first.is_used_anew
    db.run(tokens.note_use, first.token_id)
    again = db.run(tokens.find_program, token)
    assert again is not None
    assert not again.is_used_anew
    [listed] = db.run(tokens.list_all, TEAM)
    assert listed.last_used_at is not None
    assert db.run(tokens.list_all, "T0NOBODY") == []


def test_making_and_revoking_are_in_the_audit(db: Database, organisation: int) -> None:
    db.run(tokens.add, TEAM, "ledger", {Right.LOOK, Right.IMPORT})
    db.run(tokens.revoke, TEAM, "ledger")
    assert db.run(_audited, organisation) == [
        ("operator", "token.add", "token:ledger look,import"),
        ("operator", "token.revoke", "token:ledger"),
    ]


def _audited(session: Session, organisation_id: int) -> list[tuple[str, str, str]]:
    entries = sa.select(AuditEntry.actor, AuditEntry.action, AuditEntry.subject)
    found = session.execute(entries.filter_by(organisation_id=organisation_id).order_by(AuditEntry.id))
    return [(actor, action, subject) for actor, action, subject in found]
