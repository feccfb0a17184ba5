"""Tokens: what programs show to be let in. Each belongs to an organisation, and is shown once, when it is made.

A token is ``paylink_``, a selector by which its row is found, and a secret. The secret has 256 random bits, so that a plain
SHA-256 of it is as good as kept nowhere.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.audit import Deed
from domain.database import database_now, insert_into
from domain.models import ApiToken, Organisation
from domain.organisations.organisations import get_row
from domain.states import Right
from domain.summaries import OPERATOR, PROGRAM, Actor

PROGRAM_RIGHTS = (Right.LOOK, Right.CREATE, Right.IMPORT)
"""What a token may be for: all that the API has."""
USED_EVERY = timedelta(minutes=5)
"""How coarsely it is kept when a token was last used."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)
_TOKEN = re.compile(r"paylink_([A-Za-z0-9]{16})_([A-Za-z0-9_-]{43})", re.ASCII)


class TokenNameUnusable(Exception):
    """It isn't such a name, or it was given before: also that of a revoked token stays taken."""


class TokenNotFound(Exception):
    """There is no such token that isn't revoked."""


@dataclass(frozen=True)
class TokenSummary:
    name: str
    team_id: str
    rights: frozenset[Right]
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class Program:
    """Whom a token lets in, and to do what."""

    token_id: int
    actor: Actor
    rights: frozenset[Right]
    is_used_anew: bool
    """Its last use is to be written down again."""


def add(session: Session, team_id: str, name: str, rights: Iterable[Right] = PROGRAM_RIGHTS) -> str:
    """A new token, which nobody can be shown again. Raises OrganisationUnknown, TokenNameUnusable."""
    organisation = get_row(session, team_id)
    if not NAME.fullmatch(name):
        raise TokenNameUnusable
    selector, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    codes = ",".join(right.value for right in PROGRAM_RIGHTS if right in set(rights))
    added = session.execute(
        insert_into(session, ApiToken)
        .values(
            organisation_id=organisation.id,
            name=name,
            selector=selector,
            digest=_digest(secret),
            rights=codes,
            created_at=database_now(session),
        )
        .on_conflict_do_nothing(index_elements=["organisation_id", "name"])
        .returning(ApiToken.id)
    ).scalar_one_or_none()
    if added is None:
        raise TokenNameUnusable
    _audit(session, organisation, Deed.TOKEN_ADDED, f"{PROGRAM}{name} {codes}")
    return f"paylink_{selector}_{secret}"


def list_all(session: Session, team_id: str | None = None) -> list[TokenSummary]:
    """The oldest first, also revoked ones; of one organisation, or of all."""
    found = sa.select(ApiToken, Organisation.team_id).join(Organisation)
    if team_id is not None:
        found = found.where(Organisation.team_id == team_id)
    return [
        TokenSummary(row.name, team, _rights(row.rights), row.created_at, row.revoked_at, row.last_used_at)
        for row, team in session.execute(found.order_by(ApiToken.id))
    ]


def revoke(session: Session, team_id: str, name: str) -> None:
    """Let nobody in with it any more, in whatever process. Raises OrganisationUnknown, TokenNotFound."""
    organisation = get_row(session, team_id)
    revoked = session.execute(
        sa.update(ApiToken)
        .where(ApiToken.organisation_id == organisation.id, ApiToken.name == name)
        .where(ApiToken.revoked_at.is_(None))
        .values(revoked_at=database_now(session))
        .returning(ApiToken.id)
    ).scalar_one_or_none()
    if revoked is None:
        raise TokenNotFound
    _audit(session, organisation, Deed.TOKEN_REVOKED, f"{PROGRAM}{name}")


def find_program(session: Session, token: str) -> Program | None:
    """Whom the token lets in; None for one that isn't known, or is revoked. Asked for each request."""
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        return None
    selector, secret = parts.groups()
    found = session.execute(
        sa.select(ApiToken, Organisation.team_id).join(Organisation).where(ApiToken.selector == selector)
    ).one_or_none()
    digest = _digest(secret)
    if found is None or not hmac.compare_digest(found[0].digest, digest) or found[0].revoked_at is not None:
        return None
    row, team_id = found
    rights, used = _rights(row.rights), row.last_used_at
    return Program(
        row.id,
        Actor(team_id, f"{PROGRAM}{row.name}", rights=rights),
        rights,
        is_used_anew=used is None or database_now(session) - used >= USED_EVERY,
    )


def note_use(session: Session, token_id: int) -> None:
    session.execute(
        sa.update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=database_now(session))
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _rights(codes: str) -> frozenset[Right]:
    return frozenset(Right(code) for code in codes.split(",") if code)


def _audit(session: Session, organisation: Organisation, deed: Deed, subject: str) -> None:
    audit.record(
        session,
        deed,
        subject,
        by=OPERATOR,
        now=database_now(session),
        organisation_id=organisation.id,
    )
