"""Which Stripe account and mode the links belong to.

Links made with a test key count only while a test key is configured. While the key may not read its account, the
ledger that was last used in this mode is taken for the same account, so that a new key never makes an invoice's link
disappear (and a second one possible).
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.invoices.list_position import place
from domain.models import Invoice, Ledger, Link
from domain.states import LinkState


def open_ledger(session: Session, livemode: bool, account: str | None, now: datetime) -> int:
    """The ledger of this account and mode, made current; None stands for the one last used in this mode."""
    of_mode = (
        sa.select(Ledger).where(Ledger.livemode == livemode).order_by(Ledger.used_at.desc(), Ledger.id.desc())
    )
    ledgers = session.scalars(of_mode.with_for_update()).all()
    last = ledgers[0] if ledgers else None
    if account is None:
        ledger = last
    else:
        ledger = next((one for one in ledgers if one.account == account), None)
        if ledger is None and last is not None and last.account is None:
            ledger = last
            ledger.account = account
    if ledger is None:
        ledger = Ledger(account=account, livemode=livemode, used_at=now)
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
