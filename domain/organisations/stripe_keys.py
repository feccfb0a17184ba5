"""The Stripe keys that organisations connected, and what their webhooks are signed with, sealed while they are kept."""

import re
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.database import database_now
from domain.errors import OrganisationUnknown
from domain.models import Organisation, StripeKey
from domain.organisations import installations, organisations
from domain.secrets import generations
from domain.secrets.box import Box, CannotOpen, NoSecretKeys, Purpose
from domain.secrets.generations import Kept
from domain.states import Source
from domain.summaries import OPERATOR, SLACK

_KEY = re.compile(r"((?:rk|sk)_(?:test|live))_[!-~]*[!-~]{4}", re.ASCII)


class NotAStripeKey(Exception):
    """It isn't a restricted or secret key: those begin with rk_test_, rk_live_, sk_test_ or sk_live_."""


@dataclass(frozen=True)
class StripeKeySummary:
    """What may be shown of a key."""

    kind: str
    last_four: str
    livemode: bool
    account: str | None
    endpoint_id: str | None
    set_by: str
    set_at: datetime

    @property
    def shown(self) -> str:
        return f"{self.kind}_…{self.last_four}"


@dataclass(frozen=True)
class KeptStripeKey:
    """A key in force, opened, with everything that its webhooks may be signed with."""

    organisation_id: int
    team_id: str
    generation: int
    key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    summary: StripeKeySummary


@dataclass(frozen=True)
class ChangedKey:
    """``kept`` is None for one that was erased, or doesn't open (then it is ``closed``)."""

    organisation_id: int
    team_id: str
    kept: KeptStripeKey | None
    closed: bool = False


def store(
    session: Session,
    box: Box,
    team_id: str,
    key: str,
    *,
    by: str,
    account: str | None = None,
    signing_secrets: str | None = None,
    endpoint: tuple[str, str] | None = None,
) -> StripeKeySummary:
    """Keep it in place of the one before, if any.

    ``signing_secrets``: what the person gave, one or several with commas; ``endpoint``: id and secret of the webhook endpoint that
    Paylink made. What isn't given of these stays as it is. Raises OrganisationUnknown, also for one that has removed the app,
    NotAStripeKey, NoSecretKeys.
    """
    fitting = _KEY.fullmatch(key)
    if fitting is None:
        raise NotAStripeKey
    organisation = organisations.get_row(session, team_id)
    generation = generations.advance(session, Kept.STRIPE_KEYS)
    # Whoever removes the app erases keys behind this one's place in the count, or has done so before.
    if installations.is_ended(session, organisation.id):
        raise OrganisationUnknown(team_id)
    row = session.get(StripeKey, organisation.id) or StripeKey(organisation_id=organisation.id)
    row.sealed_key = box.seal(key, team_id, Purpose.STRIPE_KEY)
    row.kind, row.last_four = fitting[1], key[-4:]
    row.livemode = fitting[1].endswith("_live")
    row.account = account
    if signing_secrets is not None:
        row.sealed_signing_secrets = box.seal(signing_secrets, team_id, Purpose.SIGNING_SECRETS)
    if endpoint is not None:
        row.endpoint_id, secret = endpoint
        row.sealed_endpoint_secret = box.seal(secret, team_id, Purpose.ENDPOINT_SECRET)
    row.set_by, row.set_at, row.erased_at = by, database_now(session), None
    row.generation = generation
    session.add(row)
    summary = _summarise(row)
    _audit(session, row, audit.Deed.STRIPE_CONNECTED, summary.shown, by)
    session.flush()
    return summary


def find(session: Session, box: Box, team_id: str) -> KeptStripeKey | None:
    """The organisation's key; None if none is connected. Raises CannotOpen, NoSecretKeys."""
    row = _find_row(session, team_id)
    return None if row is None or row.sealed_key is None else _opened(box, row, team_id)


def find_summary(session: Session, team_id: str) -> StripeKeySummary | None:
    """What may be shown of it; None if none is connected."""
    row = _find_row(session, team_id)
    return None if row is None or row.sealed_key is None else _summarise(row)


def list_changed(session: Session, box: Box, since: int) -> tuple[int, list[ChangedKey]]:
    """The generation that there is now, and the keys that were stored or erased since that one; with ``since`` 0 all of them.

    While nothing changes it is one small read, for all organisations together.
    """
    now = generations.read(session, Kept.STRIPE_KEYS)
    if now == since:
        return now, []
    changed = (
        sa.select(StripeKey, Organisation.team_id).join(Organisation).where(StripeKey.generation > since)
    )
    rows = session.execute(changed.order_by(StripeKey.organisation_id))
    return now, [_changed(box, row, team_id) for row, team_id in rows]


def erase(session: Session, team_id: str, by: str) -> bool:
    """Forget the key and what its webhooks are signed with; False if there is none. Links and payments stay."""
    generation = generations.advance(session, Kept.STRIPE_KEYS)
    row = _find_row(session, team_id)
    if row is None or row.erased_at is not None:
        return False
    row.sealed_key = row.sealed_signing_secrets = row.sealed_endpoint_secret = row.endpoint_id = None
    row.erased_at, row.generation = database_now(session), generation
    _audit(session, row, audit.Deed.STRIPE_DISCONNECTED, f"{row.kind}_…{row.last_four}", by)
    session.flush()
    return True


def _find_row(session: Session, team_id: str) -> StripeKey | None:
    return session.scalar(sa.select(StripeKey).join(Organisation).where(Organisation.team_id == team_id))


def _summarise(row: StripeKey) -> StripeKeySummary:
    return StripeKeySummary(
        row.kind,
        row.last_four,
        row.livemode,
        row.account,
        row.endpoint_id,
        row.set_by,
        row.set_at,
    )


def _opened(box: Box, row: StripeKey, team_id: str) -> KeptStripeKey:
    secrets = []
    if row.sealed_signing_secrets is not None:
        given = box.open(row.sealed_signing_secrets, team_id, Purpose.SIGNING_SECRETS)
        secrets += [one.strip() for one in given.split(",") if one.strip()]
    if row.sealed_endpoint_secret is not None:
        secrets.append(box.open(row.sealed_endpoint_secret, team_id, Purpose.ENDPOINT_SECRET))
    return KeptStripeKey(
        row.organisation_id,
        team_id,
        row.generation,
        box.open(row.sealed_key or "", team_id, Purpose.STRIPE_KEY),
        tuple(secrets),
        _summarise(row),
    )


def _changed(box: Box, row: StripeKey, team_id: str) -> ChangedKey:
    try:
        kept = None if row.sealed_key is None else _opened(box, row, team_id)
    except (CannotOpen, NoSecretKeys):
        return ChangedKey(row.organisation_id, team_id, None, closed=True)
    return ChangedKey(row.organisation_id, team_id, kept)


def _audit(session: Session, row: StripeKey, deed: audit.Deed, subject: str, actor: str) -> None:
    audit.record(
        session,
        deed,
        subject,
        by=actor,
        # People do it in a modal.
        source=None if actor in (OPERATOR, SLACK) else Source.BUTTON,
        now=database_now(session),
        organisation_id=row.organisation_id,
    )
