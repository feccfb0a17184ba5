"""Which ledger an organisation takes up: money hangs on it, since an invoice has one link in each."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination.leases import Lease
from domain.database import Database
from domain.errors import DatabaseUnavailable, LedgerChanged
from domain.links import claiming, reserving
from domain.models import Invoice, Ledger, Link, Organisation, PaymentException
from domain.scope import Scope
from domain.states import ExceptionKind, LinkState, LinkStatus
from domain.stripe.ledgers.current import is_current
from domain.stripe.ledgers.opening import open_ledger, take_up
from tests.domain.factories import NOW, make_invoice, make_link, make_organisation

LEASE = Lease("one", timedelta(seconds=20), timedelta(seconds=1))


@pytest.fixture
def mine(db: Database) -> int:
    return make_organisation(db)


@pytest.fixture
def theirs(db: Database) -> int:
    return make_organisation(db, "T0OTHER")


def opened(
    db: Database,
    organisation_id: int,
    account: str | None,
    *,
    livemode: bool = False,
    proved: int | None = None,
) -> int:
    return db.run(open_ledger, organisation_id, livemode, account, NOW, proved=proved)


def account_of(db: Database, ledger_id: int) -> str | None:
    return db.run(lambda session: session.get_one(Ledger, ledger_id).account)


def status_of(db: Database, invoice_id: int) -> LinkStatus:
    return db.run(lambda session: session.get_one(Invoice, invoice_id).status)


def test_one_account_is_one_ledger_whoever_uses_it(db: Database, mine: int, theirs: int) -> None:
    assert opened(db, mine, "acct_1") == opened(db, theirs, "acct_1")
    assert opened(db, mine, "acct_1", livemode=True) != opened(db, theirs, "acct_1")


def test_what_was_taken_up_gets_the_name_that_is_told_later(db: Database, mine: int) -> None:
    ledger = db.run(take_up, mine, False, NOW)
    assert opened(db, mine, "acct_1") == db.run(take_up, mine, False, NOW) == ledger
    assert account_of(db, ledger) == "acct_1"


@pytest.mark.parametrize("account", [None, "acct_1"])
def test_nobody_takes_up_what_only_others_use(
    db: Database, mine: int, theirs: int, account: str | None
) -> None:
    """Whoever serves them would ask their account for this organisation's links."""
    ledger = opened(db, mine, account)
    taken_up = db.run(take_up, theirs, False, NOW)
    assert taken_up != ledger
    assert opened(db, theirs, None) == taken_up


def test_back_in_a_mode_the_ledger_is_the_one_that_was_used_there(
    db: Database, mine: int, theirs: int
) -> None:
    test = opened(db, mine, "acct_1")
    make_link(db, make_invoice(db, organisation_id=mine), ledger_id=test)
    opened(db, mine, "acct_1", livemode=True)
    opened(db, theirs, "acct_2")
    assert db.run(take_up, mine, False, NOW) == test


@pytest.mark.parametrize("sent", [True, False])
def test_where_links_were_asked_for_they_stay(db: Database, mine: int, theirs: int, sent: bool) -> None:
    """The account turns out to be one that another organisation's ledger is named after by then."""
    named, unnamed = opened(db, mine, "acct_1"), opened(db, theirs, None)
    invoice = make_invoice(db, organisation_id=theirs)
    make_link(db, invoice, ledger_id=unnamed, state=LinkState.RESERVED, first_sent_at=NOW if sent else None)

    assert opened(db, theirs, "acct_1", proved=unnamed) == (unnamed if sent else named)
    assert db.run(lambda session: session.scalars(sa.select(Link.ledger_id)).one()) == (
        unnamed if sent else named
    )
    assert account_of(db, unnamed) is None


def test_another_account_changes_what_its_own_organisation_sees(db: Database, mine: int, theirs: int) -> None:
    shared = opened(db, mine, "acct_1")
    opened(db, theirs, "acct_1")
    own = [make_invoice(db, "INV-1", organisation_id=one) for one in (mine, theirs)]
    for invoice_id in own:
        make_link(db, invoice_id, ledger_id=shared)
    reserved = make_invoice(db, "INV-2", organisation_id=mine)
    make_link(db, reserved, ledger_id=shared, state=LinkState.RESERVED)

    other = opened(db, theirs, "acct_2")

    assert [status_of(db, one) for one in own] == [LinkStatus.PENDING_PAYMENT, LinkStatus.NOT_CREATED]
    assert db.run(is_current, mine, shared)
    assert db.run(is_current, theirs, other)
    of_reserved = sa.select(Link.ledger_id).filter_by(invoice_id=reserved)
    assert db.run(lambda session: session.scalar(of_reserved)) == shared
    assert opened(db, theirs, "acct_1") == shared
    assert [status_of(db, one) for one in own] == [LinkStatus.PENDING_PAYMENT] * 2


def test_a_claim_ends_when_another_account_takes_its_link_over(db: Database, mine: int) -> None:
    """Whoever holds it has the old account's key: sent now, the link would be made there and written down here."""
    before = opened(db, mine, "acct_1")
    link = make_link(db, make_invoice(db, organisation_id=mine), ledger_id=before, state=LinkState.RESERVED)
    [intent] = db.run(claiming.claim_due, before, 5, LEASE)

    after = opened(db, mine, "acct_2")

    assert not db.run(claiming.begin_sending, intent, LEASE.owner, LEASE.margin)
    [anew] = db.run(claiming.claim_due, after, 5, LEASE)
    assert (anew.link_id, anew.ledger_id) == (link, after)
    assert anew.key != intent.key
    # Should it have been made with the old account after all, it is found there as what it is.
    assert anew.reference != intent.reference
    assert not db.run(claiming.begin_sending, intent, LEASE.owner, LEASE.margin)
    assert db.run(claiming.begin_sending, anew, LEASE.owner, LEASE.margin)


def test_a_claim_is_for_the_ledger_that_it_was_made_in(db: Database, mine: int) -> None:
    """A version that moves links and leaves their claims may run beside this one."""
    before, after = opened(db, mine, "acct_1"), opened(db, mine, "acct_2")
    make_link(db, make_invoice(db, organisation_id=mine), ledger_id=before, state=LinkState.RESERVED)
    [intent] = db.run(claiming.claim_due, before, 5, LEASE)
    db.run(lambda session: session.execute(sa.update(Link).values(ledger_id=after)))
    assert not db.run(claiming.begin_sending, intent, LEASE.owner, LEASE.margin)


@pytest.mark.postgres
def test_the_ledger_stays_the_organisations_until_the_sending_is_noted(postgresql_url: str) -> None:
    db = Database(postgresql_url)
    mine = make_organisation(db)
    ledger = opened(db, mine, "acct_1")
    make_link(db, make_invoice(db, organisation_id=mine), ledger_id=ledger, state=LinkState.RESERVED)
    [intent] = db.run(claiming.claim_due, ledger, 5, LEASE)

    def switch(session: Session) -> None:
        held = sa.select(Organisation.id).where(Organisation.id == mine)
        session.execute(held.with_for_update(key_share=True, nowait=True))

    def send(session: Session) -> None:
        assert claiming.begin_sending(session, intent, LEASE.owner, LEASE.margin)
        with pytest.raises(DatabaseUnavailable):
            db.run(switch)

    db.run(send)
    db.run(switch)
    db.close_now()


def test_a_claim_tells_of_the_links_that_its_own_organisation_was_told_of(
    db: Database, mine: int, theirs: int
) -> None:
    ledger = opened(db, mine, "acct_1")
    make_link(db, make_invoice(db, organisation_id=mine), ledger_id=ledger, state=LinkState.RESERVED)
    looked: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *given: looked.append(given[2]))

    def tell(session: Session, organisation_id: int, stripe_id: str) -> None:
        session.add(
            PaymentException(
                organisation_id=organisation_id,
                ledger_id=ledger,
                key=stripe_id,
                kind=ExceptionKind.LINK_UNKNOWN,
                stripe_object=stripe_id,
                invoice_number="INV-7",
                amount=0,
                currency="",
                seen_at=NOW,
            )
        )

    db.run(tell, theirs, "plink_theirs")
    [intent] = db.run(claiming.claim_due, ledger, 5, LEASE)
    assert intent.known.told == []
    # Nothing was asked about the others' either.
    assert not any("FROM payment_exceptions" in one and "invoice_number" in one for one in looked)
    db.run(claiming.postpone, intent, LEASE.owner, timedelta(0))
    number = db.run(lambda session: session.scalar(sa.select(Invoice.number)))
    db.run(lambda session: tell(session, mine, "plink_mine"))
    db.run(lambda session: session.execute(sa.update(PaymentException).values(invoice_number=number)))
    [intent] = db.run(claiming.claim_due, ledger, 5, LEASE)
    assert intent.known.told == ["plink_mine"]


def test_a_link_that_was_sent_is_not_taken_over(db: Database, mine: int) -> None:
    before = opened(db, mine, "acct_1")
    make_link(db, make_invoice(db, organisation_id=mine), ledger_id=before, state=LinkState.RESERVED)
    [intent] = db.run(claiming.claim_due, before, 5, LEASE)
    assert db.run(claiming.begin_sending, intent, LEASE.owner, LEASE.margin)

    opened(db, mine, "acct_2")

    kept = db.run(lambda session: session.scalars(sa.select(Link)).one())
    assert (kept.ledger_id, kept.idempotency_key, kept.owner) == (before, intent.key, LEASE.owner)


def test_nothing_is_reserved_in_a_ledger_that_another_process_has_left(db: Database, mine: int) -> None:
    before = opened(db, mine, "acct_1")
    after = opened(db, mine, "acct_2")
    db.run(reserving.require_current, Scope(mine, after, livemode=False))
    with pytest.raises(LedgerChanged):
        db.run(reserving.require_current, Scope(mine, before, livemode=False))


def test_what_the_version_before_put_the_database_under_counts_until_the_next_start(
    db: Database, mine: int
) -> None:
    ledger = opened(db, mine, "acct_1")
    linked = make_invoice(db, organisation_id=mine)
    make_link(db, linked, ledger_id=ledger)
    db.run(_switch_as_before, NOW)
    with pytest.raises(LedgerChanged):
        db.run(reserving.require_current, Scope(mine, ledger, livemode=False))

    assert opened(db, mine, "acct_1") == ledger
    db.run(reserving.require_current, Scope(mine, ledger, livemode=False))
    assert status_of(db, linked) is LinkStatus.PENDING_PAYMENT
    assert db.run(_marked) == ledger


def test_the_version_before_goes_on_where_one_organisation_starts_anew(
    db: Database, mine: int, theirs: int
) -> None:
    """It goes by the mark: another organisation's start doesn't take it from under its links."""
    shared = opened(db, mine, "acct_1")
    opened(db, theirs, "acct_2")
    assert db.run(_marked) == shared


def _switch_as_before(session: Session, now: object) -> None:
    session.execute(sa.update(Ledger).values(current=False))
    session.add(Ledger(account="acct_9", livemode=False, current=True, used_at=NOW - timedelta(days=1)))
    session.execute(sa.update(Invoice).values(status=LinkStatus.NOT_CREATED, position="0|x"))


def _marked(session: Session) -> int:
    return session.scalars(sa.select(Ledger.id).where(Ledger.current)).one()


def test_the_current_ledger_is_the_organisations_own(db: Database, mine: int, theirs: int) -> None:
    ledgers = [opened(db, mine, "acct_1"), opened(db, theirs, "acct_2")]
    current = sa.select(Organisation.ledger_id).order_by(Organisation.id)
    assert db.run(lambda session: list(session.scalars(current))) == ledgers
    assert not db.run(is_current, mine, ledgers[1])
