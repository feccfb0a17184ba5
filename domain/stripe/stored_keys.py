"""The Stripe keys that organisations connected, as a process takes them into use: which have changed since it looked last."""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Ledger, Link, Organisation, StripeKey
from domain.organisations import stripe_keys
from domain.organisations.stripe_keys import ChangedKey
from domain.secrets.box import Box
from domain.stripe.client import StripeApi, digest_of


@dataclass(frozen=True)
class StoredKeys:
    """What opens them, and what makes the client of one."""

    box: Box
    make_api: Callable[[str], StripeApi]


@dataclass(frozen=True)
class KeyInUse:
    """A key that was stored, or erased (without ``kept``), or can't be opened (``closed``)."""

    changed: ChangedKey
    ledger_id: int | None
    """The organisation's ledger, if this very key was last used with it and is known to be its account's: it is named, or has
    links that were made with this key."""


def list_changed(session: Session, box: Box, since: int) -> tuple[int, list[KeyInUse]]:
    """As stripe_keys.list_changed, with the ledgers in which nothing needs to be asked."""
    now, changed = stripe_keys.list_changed(session, box, since)
    ids = [one.organisation_id for one in changed if one.kept is not None]
    last_used = _list_last_used(session, ids)
    return now, [KeyInUse(one, _fitting(one, last_used)) for one in changed]


def list_organisations(session: Session) -> frozenset[int]:
    """Those that ever connected a key, and weren't forgotten."""
    return frozenset(session.scalars(sa.select(StripeKey.organisation_id)))


def _list_last_used(session: Session, ids: list[int]) -> dict[int, tuple[int, bool, str]]:
    """Ledger, mode and digest of the key, by organisation."""
    has_links = sa.select(Link.id).where(Link.ledger_id == Ledger.id, Link.stripe_id.is_not(None))
    found = (
        sa.select(Organisation.id, Ledger.id, Ledger.livemode, Ledger.key_digest)
        .join(Ledger, Ledger.id == Organisation.ledger_id)
        .where(Ledger.key_digest.is_not(None), sa.or_(Ledger.account.is_not(None), has_links.exists()))
        # What was wrong with the key before, if anything was, is only known to be over when Stripe has answered.
        .where(Ledger.pause_reason.is_(None))
    )
    chosen = set(ids)
    # All are read at a start; later there are few.
    rows = session.execute(found if len(ids) > 500 else found.where(Organisation.id.in_(ids))).all()
    return {row[0]: (row[1], row[2], row[3]) for row in rows if row[0] in chosen and row[3] is not None}


def _fitting(one: ChangedKey, last_used: dict[int, tuple[int, bool, str]]) -> int | None:
    if one.kept is None or one.organisation_id not in last_used:
        return None
    ledger_id, livemode, digest = last_used[one.organisation_id]
    fits = livemode == one.kept.summary.livemode and digest == digest_of(one.kept.key)
    return ledger_id if fits else None
