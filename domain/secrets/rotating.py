"""All sealed secrets of all organisations: whether every one opens, and sealing them with the first key again."""

from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from domain import audit
from domain.database import database_now
from domain.models import Installation, Organisation, StripeKey
from domain.secrets.box import Box, CannotOpen, Purpose
from domain.summaries import OPERATOR

# What is sealed where, and what for.
SEALED: tuple[tuple[InstrumentedAttribute[str | None], Purpose], ...] = (
    (Installation.sealed_bot_token, Purpose.BOT_TOKEN),
    (Installation.sealed_refresh_token, Purpose.REFRESH_TOKEN),
    (StripeKey.sealed_key, Purpose.STRIPE_KEY),
    (StripeKey.sealed_signing_secrets, Purpose.SIGNING_SECRETS),
    (StripeKey.sealed_endpoint_secret, Purpose.ENDPOINT_SECRET),
)
PORTION = 100


@dataclass(frozen=True)
class Checked:
    """How many secrets there are, the workspaces of which at least one doesn't open, and how many do."""

    secrets: int
    closed: tuple[str, ...]
    opened: int


@dataclass(frozen=True)
class Portion:
    """One portion of a rotation: how many were sealed anew, and the last organisation that was looked at, None at the end."""

    sealed: int
    closed: tuple[str, ...]
    last: int | None


def check(session: Session, box: Box) -> Checked:
    """Open every one. Raises NoSecretKeys if there is anything to open and no key."""
    secrets = opened = 0
    closed: dict[str, None] = {}
    for column, purpose in SEALED:
        for team_id, sealed in session.execute(_sealed(column)):
            secrets += 1
            try:
                box.open(sealed, team_id, purpose)
                opened += 1
            except CannotOpen:
                closed[team_id] = None
    return Checked(secrets, tuple(closed), opened)


def rotate(session: Session, box: Box, after: int) -> Portion:
    """Seal with the first key what another one opens, of the next organisations behind ``after``; it is in their audit. What is sealed with it stays, so
    that whoever breaks off begins again."""
    ids = list(
        session.scalars(
            sa.select(Organisation.id).where(Organisation.id > after).order_by(Organisation.id).limit(PORTION)
        )
    )
    sealed: Counter[int] = Counter()
    closed: dict[str, None] = {}
    for column, purpose in SEALED:
        for organisation_id, team_id, before in session.execute(_of(column, ids)):
            if box.is_sealed_with_first(before):
                continue
            try:
                secret = box.open(before, team_id, purpose)
            except CannotOpen:
                closed[team_id] = None
                continue
            table = column.class_
            # Unless somebody has put another one in its place since.
            changed = session.execute(
                sa.update(table)
                .where(table.organisation_id == organisation_id, column == before)
                .values({column: box.seal(secret, team_id, purpose)})
                .returning(table.organisation_id)
            )
            sealed[organisation_id] += len(changed.all())
    now = database_now(session)
    for organisation_id, count in sealed.items():
        audit.record(
            session,
            audit.Deed.SECRETS_ROTATED,
            str(count),
            by=OPERATOR,
            now=now,
            organisation_id=organisation_id,
        )
    return Portion(sealed.total(), tuple(closed), ids[-1] if len(ids) == PORTION else None)


def _sealed(column: InstrumentedAttribute[str | None]) -> sa.Select[str, str]:
    return (
        sa.select(Organisation.team_id, sa.type_coerce(column, sa.Text))
        .join_from(column.class_, Organisation)
        .where(column.is_not(None))
        .order_by(Organisation.id)
    )


def _of(column: InstrumentedAttribute[str | None], ids: list[int]) -> sa.Select[int, str, str]:
    return (
        sa.select(Organisation.id, Organisation.team_id, sa.type_coerce(column, sa.Text))
        .join_from(column.class_, Organisation)
        .where(column.is_not(None), Organisation.id.in_(ids))
    )
