"""Whoever comes in: their organisation, and what its settings say of what they may do, in one way to the database."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.errors import OrganisationUnknown
from domain.models import Base, Installation, Organisation, OrganisationSettings
from domain.organisations import organisations, settings
from domain.organisations.settings import Settings
from domain.summaries import OrganisationSummary

# Written once: each act asks it.
_ORGANISATIONS, _SETTINGS, _INSTALLATIONS = (
    Base.metadata.tables[model.__tablename__] for model in (Organisation, OrganisationSettings, Installation)
)
_BY_TEAM = (
    sa.select(
        *_ORGANISATIONS.c,
        *_SETTINGS.c,
        _INSTALLATIONS.c.installed_by,
    )
    .outerjoin(_SETTINGS, _SETTINGS.c.organisation_id == _ORGANISATIONS.c.id)
    .outerjoin(_INSTALLATIONS, _INSTALLATIONS.c.organisation_id == _ORGANISATIONS.c.id)
    .where(_ORGANISATIONS.c.team_id == sa.bindparam("team"))
)


@dataclass(frozen=True)
class Entered:
    organisation: OrganisationSummary
    ledger_id: int | None
    """The current one (domain/models/organisations.py)."""
    settings: Settings
    installer: str | None
    """Who installed Paylink, if anybody did."""


def enter(session: Session, team_id: str) -> Entered:
    """Raises OrganisationUnknown."""
    row = session.execute(_BY_TEAM, {"team": team_id}).first()
    if row is None:
        raise OrganisationUnknown(team_id)
    organisation = organisations.summarise(row)
    organisations.remember(session, organisation)
    return Entered(organisation, row.ledger_id, settings.read(row), row.installed_by)
