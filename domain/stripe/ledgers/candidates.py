"""Ledgers that a key's account may be the one of, as long as Stripe hasn't said whose it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import database_now
from domain.models import Instant, Ledger, Link, Organisation
from domain.states import LinkState

# So many of a ledger's links are asked about: one unlucky answer proves nothing.
LINKS_ASKED_ABOUT = 3
# So many ledgers that only other organisations use are asked about: whoever shares an account with one of thousands has a
# ledger of their own unless their key tells whose it is (decision 0020).
OTHERS_ASKED_ABOUT = 10
# A request that got no answer for so long has had its effect or has none; whoever serves asks again sooner.
LOST_AFTER = timedelta(minutes=2)


@dataclass(frozen=True)
class Candidate:
    """A ledger that a key's account may be the one of, and some links that are known to be in that account."""

    ledger_id: int
    key_digest: str | None
    stripe_ids: tuple[str, ...]
    lost: dict[str, datetime]
    """When each of the organisation's links was last asked for that got no answer, by its reference; empty where ids are
    known."""
    under_way: bool
    """Whether one of those was asked for so lately that it may still be made."""


class CandidateMoved(Exception):
    """What was shown of a candidate isn't so any more: a link of it was asked for, or made, since the look."""


def list_candidates(
    session: Session, organisation_id: int, livemode: bool, *, unnamed: bool, key_digest: str
) -> list[Candidate]:
    """The organisation's own ledgers of a mode, that of the key, and some of others', the last used first; ``unnamed``: only
    those whose account isn't known."""
    settled = database_now(session) - LOST_AFTER
    candidates = []
    for ledger in _list_likely(session, organisation_id, livemode, unnamed, key_digest):
        stripe_ids = _list_stripe_ids(session, ledger.id)
        lost = {} if stripe_ids else _list_lost(session, organisation_id, ledger.id)
        under_way = any(sent_at > settled for sent_at in lost.values())
        candidates.append(Candidate(ledger.id, ledger.key_digest, stripe_ids, lost, under_way))
    return candidates


def has_moved(session: Session, organisation_id: int, candidate: Candidate) -> bool:
    """Whether a link of it was asked for, or made, since the look."""
    ids = _list_stripe_ids(session, candidate.ledger_id)
    lost = {} if ids else _list_lost(session, organisation_id, candidate.ledger_id)
    return (bool(ids), lost) != (bool(candidate.stripe_ids), candidate.lost)


def _list_likely(
    session: Session, organisation_id: int, livemode: bool, unnamed: bool, key_digest: str
) -> list[Ledger]:
    likely = sa.or_(is_own(organisation_id), Ledger.key_digest == key_digest)
    of_mode = sa.select(Ledger).where(Ledger.livemode == livemode)
    if unnamed:
        of_mode = of_mode.where(Ledger.account.is_(None))
    of_mode = of_mode.order_by(Ledger.used_at.desc(), Ledger.id.desc())
    # The organisation's own first: others' may be of the same account, and its links aren't there.
    return [
        *session.scalars(of_mode.where(likely)),
        *session.scalars(of_mode.where(~likely | likely.is_(None)).limit(OTHERS_ASKED_ABOUT)),
    ]


def is_own(organisation_id: int) -> sa.ColumnElement[bool]:
    """Whether the organisation uses the ledger now, or has links in it."""
    current = sa.select(Organisation.ledger_id).where(Organisation.id == organisation_id)
    links = sa.select(Link.id).where(Link.organisation_id == organisation_id, Link.ledger_id == Ledger.id)
    return sa.or_(Ledger.id == current.scalar_subquery(), links.exists())


def _list_stripe_ids(session: Session, ledger_id: int) -> tuple[str, ...]:
    """Of the links that were made last."""
    links = sa.select(Link.stripe_id).where(Link.ledger_id == ledger_id, Link.stripe_id.is_not(None))
    return tuple(filter(None, session.scalars(links.order_by(Link.id.desc()).limit(LINKS_ASKED_ABOUT))))


def _list_lost(session: Session, organisation_id: int, ledger_id: int) -> dict[str, datetime]:
    """When each was asked for last, by its reference."""
    sent_at = sa.func.coalesce(Link.last_sent_at, Link.first_sent_at, type_=Instant())
    asked = sa.select(Link.reference, sent_at).where(
        Link.organisation_id == organisation_id, Link.ledger_id == ledger_id
    )
    lost = asked.where(Link.state == LinkState.RESERVED, Link.first_sent_at.is_not(None))
    return dict(session.execute(lost).all())
