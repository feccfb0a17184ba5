"""The sums that are kept equal a recount, whatever is done to invoices and links."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from domain.database import Database, database_now
from domain.files.import_exceptions import Importing
from domain.files.import_writing import write_rows
from domain.invoices.list_position import place
from domain.models import Invoice, Link
from domain.money import Money
from domain.overview import sums
from domain.overview.summaries import Owed, Tally
from domain.states import LinkStatus
from domain.stripe.ledgers.opening import open_ledger
from tests.domain.factories import NOW, make_invoice, make_link, make_organisation
from tests.domain.overview.sums import TODAY, differences, organisation, owed, received, row, write

__all__ = ["organisation"]


def test_what_is_owed_has_a_sum_for_each_currency_and_what_is_paid_is_counted(
    db: Database, organisation: int
) -> None:
    assert owed(db, organisation) == Owed()
    make_invoice(db, amount=100, due_date=None)
    make_invoice(db, amount=50, currency="EUR", due_date=TODAY)
    make_invoice(db, amount=-30)
    late = make_invoice(db, amount=7, due_date=TODAY - timedelta(days=1))
    make_link(db, late)
    make_link(db, make_invoice(db, amount=1_000), status=LinkStatus.PAID)
    assert owed(db, organisation) == Owed(
        not_created=Tally(2, (Money(50, "EUR"), Money(100, "USD"))),
        pending=Tally(1, (Money(7, "USD"),)),
        overdue=Tally(1, (Money(7, "USD"),)),
        paid=1,
    )
    tomorrow = owed(db, organisation, TODAY + timedelta(days=1))
    assert tomorrow is not None
    assert tomorrow.overdue == Tally(2, (Money(50, "EUR"), Money(7, "USD")))
    assert owed(db, organisation + 1) == Owed()


def test_what_is_settled_or_void_elsewhere_is_owed_no_more_until_it_is_open_again(
    db: Database, organisation: int
) -> None:
    write(db, organisation, row(1), row(2), row(3))
    write(db, organisation, row(1, billing_state="settled"), row(2, billing_state="void"), row(3, amount=40))
    found = owed(db, organisation)
    assert found is not None
    assert found.not_created == Tally(1, (Money(40, "USD"),))
    write(db, organisation, row(1, billing_state="open", currency="EUR"))
    found = owed(db, organisation)
    assert found is not None
    assert found.not_created == Tally(2, (Money(100, "EUR"), Money(40, "USD")))


def test_sums_may_be_larger_than_64_bits_hold(db: Database, organisation: int) -> None:
    write(db, organisation, *(row(number, amount=10**15) for number in range(10_000)))
    found = owed(db, organisation)
    assert found is not None
    assert found.not_created == Tally(10_000, (Money(10**19, "USD"),))
    assert differences(db, organisation) == []


numbers = st.integers(1, 6)
STEPS = st.one_of(
    st.tuples(
        st.just("import"),
        st.lists(
            st.tuples(
                numbers,
                st.sampled_from([-5, 0, 3, 10**12]),
                st.sampled_from(["USD", "JPY"]),
                st.sampled_from([None, TODAY, TODAY - timedelta(days=9)]),
                st.sampled_from(["open", "settled", "void"]),
            ),
            max_size=6,
            unique_by=lambda one: one[0],
        ),
    ),
    st.tuples(st.just("link"), numbers, st.sampled_from([LinkStatus.PENDING_PAYMENT, LinkStatus.PAID])),
    st.tuples(st.just("switch"), st.sampled_from(["acct_1", "acct_2"])),
    st.tuples(st.just("delete"), numbers),
    st.tuples(st.just("together")),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=1, max_size=8))
def test_what_is_kept_equals_a_recount_after_any_mix(db: Database, steps: list[Any]) -> None:
    db.run(_forget_everything)
    organisation = make_organisation(db)
    db.run(open_ledger, organisation, False, "acct_1", NOW)
    for step in steps:
        db.run(_do, organisation, *step)
    assert differences(db, organisation) == []
    assert db.run(_counted, organisation) == owed(db, organisation)


def _forget_everything(session: Session) -> None:
    for table in (Link, Invoice):
        session.execute(sa.delete(table))


def _do(session: Session, organisation: int, what: str, *given: Any) -> None:
    if what == "import":
        rows = [
            row(number, amount=amount, currency=currency, due_date=due, billing_state=state)
            for number, amount, currency, due, state in given[0]
        ]
        write_rows(session, organisation, rows, {}, Importing("batch", NOW))
    elif what == "switch":
        open_ledger(session, organisation, False, given[0], NOW)
    elif what == "together":
        if session.get_bind().dialect.name == "postgresql":
            sums.put_together(session)
    else:
        invoice = session.scalar(sa.select(Invoice).where(Invoice.number == f"INV-{given[0]}"))
        link = invoice and session.scalar(sa.select(Link).where(Link.invoice_id == invoice.id))
        if invoice is None:
            return
        if what == "delete" and link is None:
            session.delete(invoice)
        elif what == "link" and link is None:
            place(invoice, Link(state="created", status=given[1]))


def _counted(session: Session, organisation: int) -> Owed:
    open_ones = [
        one
        for one in session.scalars(sa.select(Invoice).where(Invoice.organisation_id == organisation))
        if one.billing_state == "open" and one.amount > 0
    ]

    def tally(invoices: list[Invoice]) -> Tally:
        codes = sorted({one.currency for one in invoices})
        return Tally(
            len(invoices),
            tuple(Money(sum(one.amount for one in invoices if one.currency == code), code) for code in codes),
        )

    by_status = {status: [one for one in open_ones if one.status is status] for status in LinkStatus}
    unpaid = by_status[LinkStatus.NOT_CREATED] + by_status[LinkStatus.PENDING_PAYMENT]
    paid = sa.select(sa.func.count()).where(Invoice.status == LinkStatus.PAID)
    return Owed(
        not_created=tally(by_status[LinkStatus.NOT_CREATED]),
        pending=tally(by_status[LinkStatus.PENDING_PAYMENT]),
        overdue=tally([one for one in unpaid if one.due_date is not None and one.due_date < TODAY]),
        paid=session.scalar(paid) or 0,
    )


def test_what_was_received_follows_whatever_becomes_of_a_link(db: Database, organisation: int) -> None:
    now = db.run(database_now)
    ledger, other = (
        db.run(open_ledger, organisation, False, account, NOW) for account in ("acct_1", "acct_2")
    )
    first_hour = (now - sums.LATELY).replace(minute=0, second=0, microsecond=0)

    def link(at: datetime | None, amount: int, currency: str = "USD") -> int:
        paid: dict[str, Any] = (
            {} if at is None else {"status": LinkStatus.PAID, "paid_at": at, "amount_received": amount}
        )
        return make_link(db, make_invoice(db, amount=amount, currency=currency), ledger_id=ledger, **paid)

    def change(link_id: int, **values: Any) -> None:
        db.run(lambda session: session.execute(sa.update(Link).where(Link.id == link_id).values(values)))
        assert differences(db, organisation) == []

    link(first_hour - timedelta(milliseconds=1), 9_000)
    link(first_hour, 3)
    moving, waiting = link(now, 20, "EUR"), link(None, 100)
    assert received(db, ledger, now) == Tally(2, (Money(20, "EUR"), Money(3, "USD")))
    change(waiting, status=LinkStatus.PAID, paid_at=now, amount_received=100)
    assert received(db, ledger, now) == Tally(3, (Money(20, "EUR"), Money(103, "USD")))
    change(waiting, amount_received=90)
    change(moving, ledger_id=other)
    assert received(db, ledger, now) == Tally(2, (Money(93, "USD"),))
    assert received(db, other, now) == Tally(1, (Money(20, "EUR"),))
    db.run(lambda session: session.execute(sa.delete(Link).where(Link.id == waiting)))
    assert received(db, ledger, now) == Tally(1, (Money(3, "USD"),))
    assert received(db, ledger, now + timedelta(hours=1)) == Tally()
    assert differences(db, organisation) == []
