"""Whoever set out to install the app comes back with their state: once, within ten minutes, in the same browser.

The states stand in the database, so that any process can take whoever comes back. Only digests are kept.
"""

import hashlib
from datetime import timedelta
from enum import Enum, auto

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import database_now
from domain.models import InstallState

LASTS = timedelta(minutes=10)
# For as long somebody who comes late, or twice, is told so.
KEPT = timedelta(hours=1)


class Verdict(Enum):
    GOOD = auto()
    UNKNOWN = auto()
    """Nobody was given it, or it was forgotten since."""
    LATE = auto()
    USED = auto()
    OTHER_BROWSER = auto()


def issue(session: Session, state: str, browser: str) -> None:
    """Note a state, and the secret that its browser was given."""
    now = database_now(session)
    session.execute(sa.delete(InstallState).where(InstallState.issued_at < now - KEPT))
    session.add(InstallState(state=_digest(state), browser=_digest(browser), issued_at=now))


def consume(session: Session, state: str, browser: str) -> Verdict:
    """What is to be thought of somebody who comes back; GOOD once. In another browser it isn't used up."""
    now, digest = database_now(session), _digest(state)
    used = session.execute(
        sa.update(InstallState)
        .where(InstallState.state == digest, InstallState.browser == _digest(browser))
        .where(InstallState.used_at.is_(None), InstallState.issued_at >= now - LASTS)
        .values(used_at=now)
        .returning(InstallState.state)
    ).scalar_one_or_none()
    if used is not None:
        return Verdict.GOOD
    row = session.get(InstallState, digest)
    if row is None:
        return Verdict.UNKNOWN
    if row.browser != _digest(browser):
        return Verdict.OTHER_BROWSER
    return Verdict.USED if row.used_at is not None else Verdict.LATE


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
