"""Organisations: one for each Slack workspace, what they have, and where their announcements go."""

from typing import Any, Unpack

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.audit import Deed
from domain.database import database_now, insert_into
from domain.errors import OrganisationUnknown
from domain.models import Organisation
from domain.organisations import settings
from domain.organisations.settings import Changes
from domain.states import Source
from domain.summaries import OPERATOR, Actor, OrganisationSummary

_BY_TEAM = sa.select(Organisation).where(Organisation.team_id == sa.bindparam("team"))


class SeveralOrganisations(Exception):
    """There are several, so the one that is meant must be named; ``team_ids`` are all of them."""

    def __init__(self, team_ids: tuple[str, ...]) -> None:
        super().__init__(*team_ids)
        self.team_ids = team_ids


def get_by_team(session: Session, team_id: str) -> OrganisationSummary:
    """Raises OrganisationUnknown."""
    return summarise(get_row(session, team_id))


def list_all(session: Session) -> tuple[OrganisationSummary, ...]:
    """All of them, the oldest first."""
    return tuple(summarise(row) for row in session.scalars(sa.select(Organisation).order_by(Organisation.id)))


def sole(session: Session) -> OrganisationSummary | None:
    """The only organisation, or None while there is none. Raises SeveralOrganisations."""
    known = list_all(session)
    if len(known) > 1:
        raise SeveralOrganisations(tuple(organisation.team_id for organisation in known))
    return known[0] if known else None


def ensure(
    session: Session, team_id: str, name: str, channel: str | None = None, *, actor: str = OPERATOR
) -> OrganisationSummary:
    """Create the organisation, with the add-on on, or refresh the name of the one that exists.

    The notification ``channel`` is taken only when the organisation is made here.
    """
    values = {"team_id": team_id, "name": name, "channel": channel, "add_on": True}
    # Two processes may start at once: whoever comes second finds the first one's row.
    made = session.execute(
        insert_into(session, Organisation)
        .values(values)
        .on_conflict_do_nothing(index_elements=["team_id"])
        .returning(Organisation.id)
    ).scalar_one_or_none()
    organisation = get_row(session, team_id)
    if made is not None:
        _audit(
            session,
            organisation,
            actor,
            Deed.ORGANISATION_ADDED,
            f"{team_id} add-on on, channel {channel or 'none'}",
        )
    elif name and organisation.name != name:
        organisation.name = name
        _audit(session, organisation, actor, Deed.ORGANISATION_RENAMED, f"{team_id} name {name}")
    session.flush()
    return summarise(organisation)


def set_up(
    session: Session,
    team_id: str,
    *,
    add_on: bool | None = None,
    channel: str | None = None,
    actor: str = OPERATOR,
    **set_: Unpack[Changes],
) -> OrganisationSummary:
    """Change what isn't None, and what is ``set_`` of the settings. Setting the channel forgets what was wrong with it.

    Raises OrganisationUnknown, SettingUnusable.
    """
    organisation = get_row(session, team_id)
    if set_:
        by = Actor(team_id, actor, Source.CLI if actor == OPERATOR else None)
        settings.change(session, organisation.id, by=by, now=database_now(session), **set_)
    changes = []
    if add_on is not None and organisation.add_on != add_on:
        organisation.add_on = add_on
        changes.append(f"add-on {'on' if add_on else 'off'}")
    if channel is not None and (organisation.channel != channel or organisation.channel_problem):
        organisation.channel = channel
        organisation.channel_problem = None
        changes.append(f"channel {channel}")
    if changes:
        _audit(session, organisation, actor, Deed.ORGANISATION_SET, f"{team_id} {', '.join(changes)}")
    session.flush()
    return summarise(organisation)


def remember(session: Session, organisation: OrganisationSummary) -> None:
    """What is shown in this transaction needn't be read again."""
    session.info["organisation"] = organisation


def get_summary(session: Session, organisation_id: int) -> OrganisationSummary:
    """As it was when whoever asks came in, or as it is."""
    known = session.info.get("organisation")
    if isinstance(known, OrganisationSummary) and known.id == organisation_id:
        return known
    return summarise(session.get_one(Organisation, organisation_id))


def summarise(row: Any) -> OrganisationSummary:
    """Of a row of the table, or of the model."""
    return OrganisationSummary(
        id=row.id,
        team_id=row.team_id,
        name=row.name,
        add_on=row.add_on,
        channel=row.channel,
        channel_problem=row.channel_problem,
        last_imported_at=row.last_imported_at,
        tried_at=row.tried_at,
    )


def get_row(session: Session, team_id: str) -> Organisation:
    """For the transactions of the domain, which never let go of it. Raises OrganisationUnknown."""
    row = session.scalar(_BY_TEAM, {"team": team_id})
    if row is None:
        raise OrganisationUnknown(team_id)
    return row


def _audit(session: Session, organisation: Organisation, actor: str, deed: Deed, subject: str) -> None:
    audit.record(session, deed, subject, by=actor, now=database_now(session), organisation_id=organisation.id)
