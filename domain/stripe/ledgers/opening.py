"""Which Stripe account and mode an organisation's links belong to.

Links made with a test key count only while a test key is configured. Whose a key is, is known or proved (see
domain/stripe/accounts.py): a set of links is never handed to another account, and never left behind in the same one,
where a second link would become possible. Organisations with the same account share its ledger (decision 0020).
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.invoices.list_position import place
from domain.models import Invoice, Ledger, Link, Organisation
from domain.states import LinkState
from domain.stripe.ledgers.candidates import Candidate, CandidateMoved, has_moved, is_own
from domain.stripe.ledgers.current import is_current
from domain.stripe.ledgers.moving import join, take_over


def take_up(session: Session, organisation_id: int, livemode: bool, now: datetime) -> int:
    """The ledger that the organisation last used in this mode, or a new one: until it is known whose the key is.

    Never one that only others use: whoever serves them would ask their account for this organisation's links.
    """
    organisation = _lock(session, organisation_id)
    own = _list_free(session, organisation, livemode)
    current = [one for one in own if one.id == organisation.ledger_id]
    ledger = next(iter(current + own), None)
    return _use(session, organisation, ledger or Ledger(livemode=livemode, used_at=now), now)


def open_ledger(
    session: Session,
    organisation_id: int,
    livemode: bool,
    account: str | None,
    now: datetime,
    *,
    proved: int | None = None,
    last_used: int | None = None,
    key_digest: str | None = None,
    looked_at: Sequence[Candidate] = (),
) -> int:
    """The ledger of this account and mode, made the organisation's current one.

    ``account`` is None while the key may not read it, and ``proved`` the ledger that is shown to be the key's account's,
    if any is. Without either it is one that nothing was asked of Stripe for, or a new one. ``last_used`` with this very key
    was a ledger that is of the same account, then: what was promised in it goes on in the one that is opened. Raises
    CandidateMoved unless the candidates are as they were when they were ``looked_at``.
    """
    organisation = _lock(session, organisation_id)
    # From here on nothing is asked of Stripe for this organisation until the ledger is its current one.
    for candidate in looked_at:
        if has_moved(session, organisation_id, candidate):
            raise CandidateMoved
    ledger = None if proved is None else session.get(Ledger, proved, with_for_update=True)
    named = None if account is None else _find_named(session, account, livemode)
    if named is not None and ledger is not named:
        if _is_unused(session, named) and ledger is not None and _is_free(session, named, organisation):
            # The links of the account were made while the key couldn't read it.
            named.account = None
            session.flush()
        elif ledger is not None and _has_asked(session, organisation, ledger, but=named):
            # The name stays with the ledger that others have links in, and this organisation's links where they are.
            account = None
        else:
            if ledger is not None:
                # With a key that couldn't read the account in between, there are two of one account.
                join(session, organisation.id, ledger, named)
            ledger = named
    if ledger is None:
        free = _list_free(session, organisation, livemode)
        ledger = next((one for one in free if one.account is None and _is_unused(session, one)), None)
    if ledger is None:
        ledger = Ledger(livemode=livemode, used_at=now)
    ledger.account = account or ledger.account
    ledger.key_digest = key_digest or ledger.key_digest
    opened = _use(session, organisation, ledger, now)
    if last_used is not None and last_used != opened:
        take_over(session, organisation.id, last_used, opened, sent=True)
    return opened


def _lock(session: Session, organisation_id: int) -> Organisation:
    return session.get_one(Organisation, organisation_id, with_for_update={"key_share": True})


def _list_free(session: Session, organisation: Organisation, livemode: bool) -> list[Ledger]:
    """The ledgers of a mode that the organisation uses, or nobody does, the last used first."""
    taken_up = sa.select(Organisation.ledger_id).where(Organisation.ledger_id.is_not(None))
    with_links = sa.select(Link.id).where(Link.ledger_id == Ledger.id)
    nobodys = sa.and_(Ledger.id.not_in(taken_up), ~with_links.exists())
    free = sa.select(Ledger).where(Ledger.livemode == livemode, sa.or_(is_own(organisation.id), nobodys))
    last_first = free.order_by(Ledger.used_at.desc(), Ledger.id.desc())
    return list(session.scalars(last_first.with_for_update(of=Ledger)))


def _find_named(session: Session, account: str, livemode: bool) -> Ledger | None:
    named = sa.select(Ledger).where(Ledger.account == account, Ledger.livemode == livemode)
    return session.scalar(named.with_for_update())


def _is_free(session: Session, ledger: Ledger, organisation: Organisation) -> bool:
    """Whether the organisation uses it, or nobody does."""
    has_links = sa.select(Link.id).where(Link.organisation_id == Organisation.id, Link.ledger_id == ledger.id)
    uses = sa.or_(Organisation.ledger_id == ledger.id, has_links.exists())
    users = set(session.scalars(sa.select(Organisation.id).where(uses)))
    return not users or organisation.id in users


def _is_unused(session: Session, ledger: Ledger) -> bool:
    """Whether no link was asked of Stripe for it: what isn't there can't fall into other hands."""
    return not session.scalar(sa.select(_asked(ledger).exists()))


def _has_asked(session: Session, organisation: Organisation, ledger: Ledger, *, but: Ledger) -> bool:
    """Whether links of this organisation's were asked of Stripe for the one ledger, and none for the other."""
    own = Link.organisation_id == organisation.id
    asked = sa.and_(_asked(ledger).where(own).exists(), ~_asked(but).where(own).exists())
    return bool(session.scalar(sa.select(asked)))


def _asked(ledger: Ledger) -> sa.Select[int]:
    return sa.select(Link.id).where(
        Link.ledger_id == ledger.id,
        sa.or_(Link.state != LinkState.RESERVED, Link.first_sent_at.is_not(None)),
    )


def _use(session: Session, organisation: Organisation, ledger: Ledger, now: datetime) -> int:
    session.add(ledger)
    ledger.used_at = now
    session.flush()
    if not is_current(session, organisation.id, ledger.id):
        _switch(session, organisation, ledger)
    return ledger.id


def _switch(session: Session, organisation: Organisation, ledger: Ledger) -> None:
    """Make ``ledger`` the one whose links the organisation's invoices show. Rare, and as long as there are links."""
    before = None if organisation.ledger_id is None else session.get(Ledger, organisation.ledger_id)
    organisation.ledger_id = ledger.id
    marked = _mark(session, ledger)
    if before is not None and before.id != ledger.id and before.livemode == ledger.livemode:
        take_over(session, organisation.id, before.id, ledger.id)
    shown = {one.id for one in (before, marked, ledger) if one is not None}
    own = Link.organisation_id == organisation.id
    touched = sa.select(Link.invoice_id).where(own, Link.ledger_id.in_(shown))
    of_ledger = sa.select(Link).where(own, Link.ledger_id == ledger.id)
    links = {link.invoice_id: link for link in session.scalars(of_ledger)}
    for invoice in session.scalars(
        sa.select(Invoice).where(Invoice.id.in_(touched)).order_by(Invoice.id).with_for_update()
    ):
        place(invoice, links.get(invoice.id))


def _mark(session: Session, ledger: Ledger) -> Ledger | None:
    """For versions before schema 0008: mark one ledger that is taken up. The one that was marked until now."""
    session.flush()
    marked = session.scalar(sa.select(Ledger).where(Ledger.current))
    if marked is not None:
        taken_up = sa.select(Organisation.id).where(Organisation.ledger_id == marked.id)
        if session.scalar(sa.select(taken_up.exists())):
            return marked
        marked.current = False
        session.flush()
    ledger.current = True
    session.flush()
    return marked
