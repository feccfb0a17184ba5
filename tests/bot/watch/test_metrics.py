"""Figures come from the database, for the Stripe account in use, on both databases."""

from datetime import timedelta

from sqlalchemy.orm import Session

from bot.watch.metrics import Metrics
from domain.database import Database
from domain.models import Link, OutboxMessage, Payment, PaymentException, StripeEvent
from domain.overview import figures
from domain.states import LinkState, LinkStatus
from tests.domain.factories import NOW, make_invoice, make_ledger, make_link


def furnish(session: Session, ledger_id: int, link_id: int) -> None:
    organisation_id = session.get_one(Link, link_id).organisation_id
    session.add(
        Payment(
            link_id=link_id,
            ledger_id=ledger_id,
            session_id="cs_1",
            amount=1,
            currency="USD",
            verdict="paid",
            paid_at=NOW,
            seen_at=NOW,
        )
    )
    for key, ended in (("open", {}), ("ended", {"resolved_at": NOW, "resolved_by": "U0ADA"})):
        session.add(
            PaymentException(
                link_id=link_id,
                ledger_id=ledger_id,
                key=key,
                kind="disputed",
                stripe_object="du_1",
                amount=1,
                currency="USD",
                seen_at=NOW,
                **ended,
            )
        )
    session.add(
        PaymentException(
            link_id=link_id,
            ledger_id=ledger_id,
            key="k",
            kind="refunded",
            stripe_object="ch_1",
            amount=1,
            currency="USD",
            seen_at=NOW,
        )
    )
    for n, state in enumerate(("waiting", "waiting", "dead")):
        session.add(
            OutboxMessage(
                organisation_id=organisation_id,
                kind="paid",
                subject=f"s{n}",
                key=f"k{n}",
                enqueued_at=NOW,
                next_attempt_at=NOW,
                state=state,
            )
        )


def test_the_figures_of_the_account_in_use_are_shown(db: Database) -> None:
    ledger = make_ledger(db, last_checked_at=NOW)
    other = make_ledger(db, account="acct_2", current=False)
    paid = make_link(db, make_invoice(db), status=LinkStatus.PAID)
    make_link(db, make_invoice(db))
    make_link(db, make_invoice(db), state=LinkState.RESERVED)
    make_link(db, make_invoice(db), state=LinkState.REFUSED)
    make_link(db, make_invoice(db), ledger_id=other)
    db.run(furnish, ledger, paid)

    metrics = Metrics()
    metrics.show(db.run(figures.read, ledger), NOW + timedelta(seconds=90))
    text = metrics.render().decode()

    for line in (
        'paylink_links{state="Paid"} 1.0',
        'paylink_links{state="Pending Payment"} 1.0',
        'paylink_links{state="reserved"} 1.0',
        'paylink_links{state="refused"} 1.0',
        'paylink_payments{verdict="paid"} 1.0',
        'paylink_exceptions{kind="refunded"} 1.0',
        'paylink_exceptions{kind="disputed"} 2.0',
        'paylink_exceptions_open{kind="disputed"} 1.0',
        'paylink_exceptions_open{kind="link_unknown"} 0.0',
        'paylink_outbox{kind="paid",state="waiting"} 2.0',
        'paylink_outbox{kind="paid",state="dead"} 1.0',
        "paylink_last_check_age_seconds 90.0",
    ):
        assert line in text


def test_events_that_wait_for_stripe_are_counted_by_what_they_wait_for(db: Database) -> None:
    ledger = make_ledger(db)
    for n, (wait, settled) in enumerate((("missing", None), ("missing", None), ("older", NOW), (None, None))):
        row = StripeEvent(
            ledger_id=ledger,
            id=f"evt_{n}",
            type="checkout.session.completed",
            object_id="cs_1",
            created_at=NOW,
            next_attempt_at=NOW,
            waits_for=wait,
            settled_at=settled,
        )
        db.run(Session.add, row)
    metrics = Metrics()
    metrics.show(db.run(figures.read, ledger), NOW)
    shown = [
        line for line in metrics.render().decode().splitlines() if line.startswith("paylink_events_wait")
    ]
    assert shown == ['paylink_events_waiting{what="missing"} 2.0']


def test_what_is_no_longer_there_is_no_longer_shown(db: Database) -> None:
    ledger = make_ledger(db)
    link = make_link(db, make_invoice(db), state=LinkState.RESERVED)
    metrics = Metrics()
    metrics.show(db.run(figures.read, ledger), NOW)

    db.run(lambda session: session.delete(session.get_one(Link, link)))
    metrics.show(db.run(figures.read, ledger), NOW)

    assert "reserved" not in metrics.render().decode()


def test_before_stripe_was_asked_no_time_since_then_is_shown(db: Database) -> None:
    checked, unchecked = (
        make_ledger(db, last_checked_at=NOW),
        make_ledger(db, account="acct_2", current=False),
    )
    metrics = Metrics()
    for ledger, shown in ((unchecked, False), (checked, True), (unchecked, False)):
        metrics.show(db.run(figures.read, ledger), NOW)
        assert ("\npaylink_last_check_age_seconds" in metrics.render().decode()) is shown


def test_before_the_database_was_asked_no_time_since_the_last_check_is_shown() -> None:
    assert "\npaylink_last_check_age_seconds" not in Metrics().render().decode()
