"""Two ledgers that turn out to be of one account become one: in the other an invoice could get a second link."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.models import BulkRun, BulkRunItem, Invoice, Ledger, Link, Payment, PaymentException, Reversal
from domain.states import ExceptionKind, LinkState, LinkStatus, Outcome, Verdict
from domain.stripe.ledgers.opening import open_ledger
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import NOW, make_invoice, make_link, make_organisation
from tests.domain.stripe.keys import A_RESTRICTED, A, B, create, keys, long_ago, started, status

__all__ = ["keys"]


@pytest.mark.usefixtures("keys")
async def test_a_key_that_tells_whose_it_is_finds_the_links_of_one_that_did_not(
    db: Database, stripe: LocalStripe
) -> None:
    """The first request of all never came to Stripe: nothing showed the second key that it is of the same account."""
    unsent, invoice = make_invoice(db, "INV-1"), make_invoice(db, "INV-2")
    async with started(db, stripe, A) as world:
        stripe.faults.add(FaultKind.DROP, method="POST", path="/v1/payment_links")
        await create(world, unsent)
        assert stripe.links() == []
    long_ago(db)
    async with started(db, stripe, A_RESTRICTED) as world:
        await create(world, invoice)
        apart = world.account.ledger_id
    async with started(db, stripe, A) as world:
        assert world.account.ledger_id != apart
        assert await status(world, invoice) is LinkStatus.PENDING_PAYMENT
        await create(world, invoice)
        await world.creation.run_due()
    named = [link["metadata"]["invoice_number"] for link in stripe.links()]
    assert sorted(named) == ["INV-1", "INV-2"]
    async with started(db, stripe, A_RESTRICTED) as world:
        assert world.account.ledger_id != apart
        assert await status(world, invoice) is LinkStatus.PENDING_PAYMENT


@pytest.mark.usefixtures("keys")
async def test_what_was_promised_in_another_ledger_and_made_after_the_backup_is_taken_up(
    db: Database, stripe: LocalStripe
) -> None:
    """That an invoice has a link in B keeps A's promise in A's ledger; nothing shows the last key that it is of A."""
    invoice = make_invoice(db)
    async with started(db, stripe, B) as world:
        await create(world, invoice)
    async with started(db, stripe, A) as world:
        await create(world, invoice)
        before = world.account.ledger_id
    db.run(restore_from_before_the_request, before)
    async with started(db, stripe, B):
        pass
    async with started(db, stripe, A_RESTRICTED) as world:
        assert world.account.ledger_id != before
        await create(world, invoice)
        await world.creation.run_due()
        assert await status(world, invoice) is LinkStatus.PENDING_PAYMENT
    assert len(stripe.links()) == 1


@pytest.fixture
def mine(db: Database) -> int:
    return make_organisation(db)


@pytest.fixture
def named(db: Database, mine: int) -> int:
    """A ledger whose account is known, in which something was asked for."""
    ledger = db.run(open_ledger, mine, False, "acct_1", NOW)
    make_link(db, make_invoice(db), ledger_id=ledger)
    return ledger


@pytest.fixture
def apart(db: Database, mine: int, named: int) -> int:
    """One of the same account, opened after it by a key that doesn't tell."""
    return db.run(open_ledger, mine, False, None, NOW)


def join(db: Database, mine: int, apart: int, named: int) -> None:
    assert apart != named
    assert db.run(open_ledger, mine, False, "acct_1", NOW, proved=apart) == named


def links_of(db: Database, invoice_id: int) -> list[tuple[int, int]]:
    """Each link's id and ledger."""
    found = sa.select(Link.id, Link.ledger_id).where(Link.invoice_id == invoice_id).order_by(Link.id)
    return [(one.id, one.ledger_id) for one in db.run(lambda session: session.execute(found).all())]


def test_what_was_paid_and_told_comes_along(db: Database, mine: int, named: int, apart: int) -> None:
    invoice = make_invoice(db)
    link = make_link(db, invoice, ledger_id=apart, status=LinkStatus.PAID)
    other = make_invoice(db, organisation_id=make_organisation(db, "T0OTHER"))
    theirs = make_link(db, other, ledger_id=apart)
    db.run(_pay, link, apart)

    join(db, mine, apart, named)

    assert links_of(db, invoice) == [(link, named)]
    assert links_of(db, other) == [(theirs, apart)], "another organisation's stay where it uses them"
    assert db.run(lambda session: session.get_one(Invoice, invoice).status) is LinkStatus.PAID
    for facts in (Payment, Reversal, PaymentException):
        assert db.run(_list_ledgers, facts) == [named]


@pytest.mark.parametrize("sent", [True, False])
def test_a_link_that_was_made_stands_in_for_one_that_was_promised(
    db: Database, mine: int, named: int, apart: int, sent: bool
) -> None:
    invoice = make_invoice(db)
    promised = make_link(
        db, invoice, ledger_id=named, state=LinkState.RESERVED, first_sent_at=NOW if sent else None
    )
    run = db.run(_wait_for, mine, named, invoice, promised)
    made = make_link(db, invoice, ledger_id=apart)

    join(db, mine, apart, named)

    assert links_of(db, invoice) == [(made, named)]
    items = sa.select(BulkRunItem.link_id, BulkRunItem.outcome)
    assert db.run(lambda session: session.execute(items).one()) == (made, Outcome.CREATED)
    assert db.run(lambda session: session.get_one(BulkRun, run).finished_at) == NOW


@pytest.mark.parametrize("mark", ["events_watermark", "polled_until", "swept_until"])
def test_what_was_not_settled_yet_is_read_again(
    db: Database, mine: int, named: int, apart: int, mark: str
) -> None:
    """Another organisation kept the one up to date; of the other's links it was told nothing there."""
    earlier = NOW - timedelta(days=3)
    for ledger, until in ((named, NOW), (apart, earlier)):
        marked = sa.update(Ledger).where(Ledger.id == ledger).values({mark: until})
        db.run(_do, marked)
    join(db, mine, apart, named)
    assert db.run(lambda session: getattr(session.get_one(Ledger, named), mark)) == earlier


def test_two_that_were_made_stay_where_they_are(db: Database, mine: int, named: int, apart: int) -> None:
    invoice = make_invoice(db)
    both = [(make_link(db, invoice, ledger_id=one), one) for one in (named, apart)]
    join(db, mine, apart, named)
    assert links_of(db, invoice) == both


def restore_from_before_the_request(session: Session, ledger_id: int) -> None:
    forgotten = dict.fromkeys(("stripe_id", "url", "created_at", "first_sent_at", "last_sent_at"))
    link = sa.update(Link).where(Link.ledger_id == ledger_id)
    session.execute(link.values(state=LinkState.RESERVED, status=LinkStatus.NOT_CREATED, **forgotten))


def _list_ledgers(session: Session, of: type[Payment] | type[Reversal] | type[PaymentException]) -> list[int]:
    return list(session.scalars(sa.select(of.ledger_id)))


def _pay(session: Session, link_id: int, ledger_id: int) -> None:
    payment = Payment(
        link_id=link_id,
        ledger_id=ledger_id,
        session_id="cs_1",
        payment_intent="pi_1",
        amount=100,
        currency="USD",
        verdict=Verdict.PAID,
        paid_at=NOW,
        seen_at=NOW,
    )
    session.add(payment)
    session.flush()
    session.add(
        Reversal(
            ledger_id=ledger_id,
            payment_id=payment.id,
            stripe_id="re_1",
            kind="refund",
            status="succeeded",
            amount=10,
            currency="USD",
            created_at=NOW,
            changed_at=NOW,
        )
    )
    session.add(
        PaymentException(
            link_id=link_id,
            ledger_id=ledger_id,
            key="refund:re_1:succeeded",
            kind=ExceptionKind.REFUNDED,
            stripe_object="re_1",
            amount=10,
            currency="USD",
            seen_at=NOW,
        )
    )


def _wait_for(session: Session, organisation_id: int, ledger_id: int, invoice_id: int, link_id: int) -> int:
    run = BulkRun(
        organisation_id=organisation_id,
        ledger_id=ledger_id,
        submission="create:1",
        requested_by="U0ADA",
        requested_at=NOW,
    )
    session.add(run)
    session.flush()
    session.add(
        BulkRunItem(
            run_id=run.id,
            ordinal=0,
            invoice_id=invoice_id,
            link_id=link_id,
            outcome=Outcome.BEING_CREATED,
        )
    )
    return run.id


def _do(session: Session, statement: sa.Update) -> None:
    session.execute(statement)
