"""The app in workspaces: who installed it, and the tokens that Slack gave for it, sealed while they are kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.database import database_now
from domain.models import Installation as Row
from domain.models import Organisation, Welcome
from domain.organisations import organisations
from domain.secrets import generations
from domain.secrets.box import Box, CannotOpen, Purpose
from domain.secrets.generations import Kept
from domain.states import Source
from domain.summaries import OrganisationSummary


@dataclass(frozen=True)
class Tokens:
    """What Slack gave; without rotation there is no refresh token, and the bot token has no end."""

    bot_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Installation:
    team_id: str
    enterprise_id: str | None
    for_enterprise: bool
    """Installed for all workspaces of an Enterprise Grid organisation, which share one token."""
    bot_id: str
    bot_user_id: str
    scopes: tuple[str, ...]
    installed_by: str
    tokens: Tokens


@dataclass(frozen=True)
class KeptInstallation:
    """One that is in force, with the generation that it was read in: it has changed when there is a later one."""

    organisation_id: int
    installation: Installation
    generation: int


def store(
    session: Session, box: Box, installation: Installation, name: str, channel: str | None = None
) -> OrganisationSummary:
    """Keep it in place of the one before, if any; the organisation is made if there is none. Raises NoSecretKeys."""
    team_id, tokens = installation.team_id, installation.tokens
    organisation = organisations.ensure(session, team_id, name, channel, actor=installation.installed_by)
    # Before the row: whoever holds the counter is the only one to change any.
    generation = generations.advance(session, Kept.INSTALLATIONS)
    row = session.get(Row, organisation.id) or Row(organisation_id=organisation.id)
    row.enterprise_id = installation.enterprise_id
    row.for_enterprise = installation.for_enterprise
    row.bot_id, row.bot_user_id = installation.bot_id, installation.bot_user_id
    row.scopes = ",".join(installation.scopes)
    if row.sealed_bot_token is None:
        # Whoever installs it over what is there doesn't become its administrator.
        row.installed_by = installation.installed_by
        # Keys were erased, and there is something to set up again: they are told, even if they were welcomed before.
        told = sa.and_(Welcome.organisation_id == organisation.id, Welcome.user_id == row.installed_by)
        session.execute(sa.delete(Welcome).where(told))
    row.installed_at, row.erased_at = database_now(session), None
    _seal(row, box, team_id, tokens, generation)
    session.add(row)
    by = installation.installed_by
    _audit(session, organisation.id, audit.Deed.INSTALLED, team_id, by, Source.PAGE)
    session.flush()
    return organisation


def find(session: Session, box: Box, team_id: str) -> KeptInstallation | None:
    """The workspace's installation; None if there is none, or none any more. Raises CannotOpen, NoSecretKeys."""
    found = session.execute(
        sa.select(Row, Organisation.team_id).join(Organisation).where(Organisation.team_id == team_id)
    ).one_or_none()
    return None if found is None or found[0].sealed_bot_token is None else _opened(box, *found)


def find_each(
    session: Session, box: Box, team_ids: Sequence[str]
) -> list[tuple[str, KeptInstallation | CannotOpen | None]]:
    """The same for several, where one that can't be opened is told in its place. Raises NoSecretKeys."""
    rows = session.execute(
        sa.select(Row, Organisation.team_id).join(Organisation).where(Organisation.team_id.in_(team_ids))
    )
    found: dict[str, KeptInstallation | CannotOpen | None] = dict.fromkeys(team_ids)
    for row, team_id in rows:
        if row.sealed_bot_token is not None:
            try:
                found[team_id] = _opened(box, row, team_id)
            except CannotOpen as closed:
                found[team_id] = closed
    return list(found.items())


def list_changed(session: Session, since: int) -> tuple[int, list[str]]:
    """The generation that there is now, and the workspaces whose installations were stored, renewed or erased since that one.

    With ``since`` 0: all workspaces that ever had one. Asked every few seconds: while nothing changes it is one small read.
    """
    now = generations.read(session, Kept.INSTALLATIONS)
    if now == since:
        return now, []
    changed = sa.select(Organisation.team_id).join(Row).where(Row.generation > since)
    return now, list(session.scalars(changed.order_by(Row.organisation_id)))


def list_teams(session: Session) -> list[str]:
    """The workspaces that the app is installed in, the oldest first."""
    installed = sa.select(Organisation.team_id).join(Row).where(Row.sealed_bot_token.is_not(None))
    return list(session.scalars(installed.order_by(Row.organisation_id)))


def claim_refresh(
    session: Session, box: Box, team_id: str, owner: str, *, before: datetime, lease: timedelta
) -> KeptInstallation | None:
    """The installation whose token ends before that moment, if this process is to renew it: a refresh token works once."""
    found = session.execute(
        sa.select(Row, Organisation.team_id)
        .join(Organisation)
        .where(Organisation.team_id == team_id)
        .with_for_update(of=Row)
    ).one_or_none()
    if found is None:
        return None
    row, now = found[0], database_now(session)
    due = row.sealed_refresh_token is not None and row.expires_at is not None and row.expires_at < before
    if not due or (row.refresh_until is not None and row.refresh_until > now and row.refresh_owner != owner):
        return None
    row.refresh_owner, row.refresh_until = owner, now + lease
    session.flush()
    return _opened(box, *found)


def renew(session: Session, box: Box, team_id: str, seen: int, tokens: Tokens) -> bool:
    """Keep the renewed tokens; False if the installation has changed since generation ``seen``: then its own tokens hold."""
    row = session.scalar(sa.select(Row).join(Organisation).where(Organisation.team_id == team_id))
    if row is None:
        return False
    generation = generations.advance(session, Kept.INSTALLATIONS)
    session.refresh(row)
    if row.generation != seen or row.erased_at is not None:
        return False
    _seal(row, box, team_id, tokens, generation)
    session.flush()
    return True


def list_due_refreshes(session: Session, before: datetime) -> list[str]:
    """The workspaces whose tokens end before that moment and can be renewed."""
    due = sa.select(Organisation.team_id).join(Row).where(Row.expires_at < before)
    return list(session.scalars(due.where(Row.sealed_refresh_token.is_not(None))))


def is_unchanged(session: Session, team_id: str, seen: int) -> bool:
    """Whether it is what it was in that generation, until this transaction ends."""
    generations.advance(session, Kept.INSTALLATIONS)
    found = sa.select(Row.generation).join(Organisation).where(Organisation.team_id == team_id)
    return session.scalar(found) == seen


def is_ended(session: Session, organisation_id: int) -> bool:
    """Whether the app was installed there, and was removed."""
    return session.scalar(sa.select(Row.erased_at).where(Row.organisation_id == organisation_id)) is not None


def erase(session: Session, team_id: str, by: str) -> bool:
    """Forget its tokens; False if there are none. Who installs it again finds all else as it was."""
    generation = generations.advance(session, Kept.INSTALLATIONS)
    row = session.scalar(sa.select(Row).join(Organisation).where(Organisation.team_id == team_id))
    if row is None or row.erased_at is not None:
        return False
    row.sealed_bot_token = row.sealed_refresh_token = row.expires_at = None
    row.refresh_owner = row.refresh_until = None
    row.erased_at, row.generation = database_now(session), generation
    _audit(session, row.organisation_id, audit.Deed.UNINSTALLED, team_id, by)
    session.flush()
    return True


def _seal(row: Row, box: Box, team_id: str, tokens: Tokens, generation: int) -> None:
    row.sealed_bot_token = box.seal(tokens.bot_token, team_id, Purpose.BOT_TOKEN)
    refresh = tokens.refresh_token
    row.sealed_refresh_token = None if refresh is None else box.seal(refresh, team_id, Purpose.REFRESH_TOKEN)
    row.expires_at = tokens.expires_at
    row.refresh_owner = row.refresh_until = None
    row.generation = generation


def _opened(box: Box, row: Row, team_id: str) -> KeptInstallation:
    refresh = row.sealed_refresh_token
    scopes: Sequence[str] = row.scopes.split(",") if row.scopes else ()
    tokens = Tokens(
        box.open(row.sealed_bot_token or "", team_id, Purpose.BOT_TOKEN),
        None if refresh is None else box.open(refresh, team_id, Purpose.REFRESH_TOKEN),
        row.expires_at,
    )
    return KeptInstallation(
        row.organisation_id,
        Installation(
            team_id,
            row.enterprise_id,
            row.for_enterprise,
            row.bot_id,
            row.bot_user_id,
            tuple(scopes),
            row.installed_by,
            tokens,
        ),
        row.generation,
    )


def _audit(
    session: Session,
    organisation_id: int,
    deed: audit.Deed,
    team_id: str,
    by: str,
    source: Source | None = None,
) -> None:
    now = database_now(session)
    audit.record(session, deed, team_id, by=by, source=source, now=now, organisation_id=organisation_id)
