"""Which Stripe account and mode the links belong to.

Links made with a test key count only while a test key is configured. Whose a key is, is known or proved (see
domain/stripe/accounts.py): a set of links is never handed to another account, and never left behind in the same one,
where a second link would become possible.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.invoices.list_position import place
from domain.models import Invoice, Ledger, Link
from domain.states import LinkState

# So many of a ledger's links are asked about: one unlucky answer proves nothing.
LINKS_ASKED_ABOUT = 3


@dataclass(frozen=True)
class Candidate:
    """A ledger that a key's account may be the one of, and some links that are known to be in that account."""

    ledger_id: int
    key_digest: str | None
    stripe_ids: tuple[str, ...]


def list_candidates(session: Session, livemode: bool, *, unnamed: bool) -> list[Candidate]:
    """The ledgers of a mode, the last used first; ``unnamed``: only those whose account isn't known."""
    candidates = []
    for ledger in _of_mode(session, livemode):
        if unnamed and ledger.account is not None:
            continue
        links = sa.select(Link.stripe_id).where(Link.ledger_id == ledger.id, Link.stripe_id.is_not(None))
        found = session.scalars(links.order_by(Link.id.desc()).limit(LINKS_ASKED_ABOUT))
        candidates.append(Candidate(ledger.id, ledger.key_digest, tuple(filter(None, found))))
    return candidates


def take_up(session: Session, livemode: bool, now: datetime) -> int:
    """The ledger last used in this mode, made current, or a new one: until it is known whose the key is."""
    ledger = next(iter(_of_mode(session, livemode)), None)
    return _use(session, ledger or Ledger(livemode=livemode, used_at=now), now)


def open_ledger(
    session: Session,
    livemode: bool,
    account: str | None,
    now: datetime,
    *,
    proved: int | None = None,
    key_digest: str | None = None,
) -> int:
    """The ledger of this account and mode, made current.

    ``account`` is None while the key may not read it, and ``proved`` the ledger that is shown to be the key's account's,
    if any is. Without either it is one that nothing was asked of Stripe for, or a new one.
    """
    ledgers = _of_mode(session, livemode)
    ledger = next((one for one in ledgers if one.id == proved), None)
    named = next((one for one in ledgers if account is not None and one.account == account), None)
    if named is not None and (ledger is None or not _is_unused(session, named)):
        ledger = named
    elif named is not None:
        # Its links were made while the key couldn't read the account.
        named.account = None
        session.flush()
    if ledger is None:
        ledger = next((one for one in ledgers if one.account is None and _is_unused(session, one)), None)
    if ledger is None:
        ledger = Ledger(livemode=livemode, used_at=now)
    ledger.account = account or ledger.account
    ledger.key_digest = key_digest or ledger.key_digest
    return _use(session, ledger, now)


def _of_mode(session: Session, livemode: bool) -> list[Ledger]:
    last_first = sa.select(Ledger).where(Ledger.livemode == livemode)
    return list(
        session.scalars(last_first.order_by(Ledger.used_at.desc(), Ledger.id.desc()).with_for_update())
    )


def _is_unused(session: Session, ledger: Ledger) -> bool:
    """Whether no link was asked of Stripe for it: what isn't there can't fall into other hands."""
    asked = sa.select(Link.id).where(
        Link.ledger_id == ledger.id, sa.or_(Link.state != "reserved", Link.first_sent_at.is_not(None))
    )
    return not session.scalar(sa.select(asked.exists()))


def _use(session: Session, ledger: Ledger, now: datetime) -> int:
    session.add(ledger)
    ledger.used_at = now
    session.flush()
    if not ledger.current:
        _switch(session, ledger)
    return ledger.id


def _switch(session: Session, ledger: Ledger) -> None:
    """Make ``ledger`` the one whose links the invoices show. Rare, and as long as there are links."""
    before = session.scalar(sa.select(Ledger).where(Ledger.current))
    if before is not None:
        before.current = False
        session.flush()
        if before.livemode == ledger.livemode:
            _take_over_unsent(session, before.id, ledger.id)
    ledger.current = True
    touched = sa.select(Link.invoice_id).where(
        Link.ledger_id.in_([ledger.id, before.id if before else ledger.id])
    )
    links = {
        link.invoice_id: link for link in session.scalars(sa.select(Link).where(Link.ledger_id == ledger.id))
    }
    for invoice in session.scalars(
        sa.select(Invoice).where(Invoice.id.in_(touched)).order_by(Invoice.id).with_for_update()
    ):
        place(invoice, links.get(invoice.id))


def _take_over_unsent(session: Session, before_id: int, ledger_id: int) -> None:
    """Links that were promised but never asked of Stripe are made with the new account."""
    taken = sa.select(Link.invoice_id).where(Link.ledger_id == ledger_id)
    session.execute(
        sa.update(Link)
        .where(Link.ledger_id == before_id, Link.state == LinkState.RESERVED, Link.first_sent_at.is_(None))
        .where(Link.invoice_id.not_in(taken))
        .values(ledger_id=ledger_id)
    )
