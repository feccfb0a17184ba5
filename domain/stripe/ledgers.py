"""Which Stripe account and mode the links belong to.

Links made with a test key count only while a test key is configured. The account is asked of Stripe; while the key
may not read it, the ledger that was last used in this mode is taken for the same account, so that a new key never
makes an invoice's link disappear (and a second one possible).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from domain.database import Database
from domain.invoices.list_position import place
from domain.models import Invoice, Ledger, Link
from domain.stripe.client import StripeApi, id_of
from domain.stripe.errors import StripeAway, StripeKeyRefused, StripeRefused, StripeTrouble
from domain.stripe.pausing import AWAY, pause, resume

UNANSWERED = 3

_log = structlog.get_logger()


class Ledgers:
    """The ledger in use by this process. ``id`` is None until ``start`` has reached the database."""

    def __init__(self, db: Database, stripe: StripeApi, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._stripe = stripe
        self._clock = clock
        self._id: int | None = None
        self._known = False
        self._unanswered = 0
        self._paused_because: str | None = None
        self.on_known: Callable[[], None] = lambda: None
        """Told when ``known`` has become true; set by the wiring."""

    @property
    def known(self) -> bool:
        """Whether Stripe was asked for the account: until then ``id`` may be another account's ledger."""
        return self._known

    @property
    def livemode(self) -> bool:
        return self._stripe.livemode

    @property
    def id(self) -> int:
        """Raises RuntimeError before ``start``."""
        if self._id is None:
            raise RuntimeError("Ledgers.start() has not run")
        return self._id

    async def start(self) -> None:
        """Take up the ledger last used in this mode, or a new one. Raises DatabaseUnavailable."""
        self._id = await self._open(None)

    async def settle(self) -> bool:
        """Ask Stripe once which account the key belongs to; False while it can't be told."""
        if self._known:
            return True
        try:
            account = id_of((await self._stripe.get_account()).get("id"))
        except StripeRefused:
            account = None
        except StripeKeyRefused as refused:
            if not refused.lacking:
                return await self._wait(refused.sentence)
            account = None
        except StripeAway as away:
            # Stripe that answers everything else but not this must not hold up the work for ever.
            self._unanswered += not away.unsent
            if self._unanswered < UNANSWERED:
                return await self._wait(AWAY)
            account = None
        except StripeTrouble:
            return False
        self._id = await self._open(account)
        await self._db.background_write(resume, self._id)
        self._known = True
        if self._paused_because is not None:
            self._paused_because = None
            _log.info("stripe.resumed")
        self.on_known()
        return True

    async def _wait(self, because: str) -> Literal[False]:
        """Tell people and, once for each reason, the operator: this is asked again every few seconds."""
        if because != self._paused_because:
            self._paused_because = because
            _log.warning("stripe.paused", reason=because)
        await self._db.background_write(pause, self.id, because)
        return False

    async def _open(self, account: str | None) -> int:
        try:
            return await self._db.write(open_ledger, self.livemode, account, self._clock())
        except IntegrityError:
            # Another process made the same ledger in the same moment: now it is there.
            return await self._db.write(open_ledger, self.livemode, account, self._clock())


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
        .where(Link.ledger_id == before_id, Link.state == "reserved", Link.first_sent_at.is_(None))
        .where(Link.invoice_id.not_in(taken))
        .values(ledger_id=ledger_id)
    )
