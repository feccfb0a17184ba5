"""What each column of an exported file says."""

import json
import secrets

from sqlalchemy.orm import Session

from domain.database import Database
from domain.files.exporting import export_all
from domain.files.exports import Format
from domain.files.exports.rows import COLUMNS
from domain.models import (
    Invoice,
    Link,
    Payment,
    PaymentException,
    Reversal,
)
from domain.states import ExceptionKind, LinkState, LinkStatus, Verdict
from tests.domain.factories import NOW, make_invoice, make_ledger, make_link, make_organisation
from tests.domain.files.test_exporting import rows


def test_every_column_says_what_it_is_named_after(db: Database) -> None:
    make_invoice(db, "INV-1", amount=-1_500, issue_date=None, due_date=None, buyer_email="")
    paid = make_invoice(
        db, "INV-2", amount=1_500, currency="KWD", buyer_name='Müller, "Söhne"', description="a\nb"
    )
    make_link(
        db,
        paid,
        status=LinkStatus.PAID,
        url="https://buy.stripe.com/x",
        stripe_payment="pi_1",
        badges="partly_refunded,disputed",
    )
    reserved = make_invoice(db, "INV-3", currency="JPY", amount=98_000)
    make_link(db, reserved, state=LinkState.RESERVED)

    data = b"".join(export_all(db, 1))

    assert data.startswith(",".join(COLUMNS).encode() + b"\n")
    first, second, third = rows(data)
    assert [first[name] for name in COLUMNS] == [
        *("INV-1", "Acme Corporation", "", "-15.00", "USD", "", "", "", "open", "Not Created"),
        *[""] * 11,
    ]
    assert [second[name] for name in COLUMNS] == [
        *("INV-2", 'Müller, "Söhne"', "billing@acme.example", "1.500", "KWD", "2026-10-31", "2026-11-30"),
        *("a\nb", "open", "Paid", "https://buy.stripe.com/x", "2026-11-02T09:30:00Z", "U0ALICE"),
        *("2026-11-02T10:30:00Z", "1.500", "pi_1", "1.500", "KWD", "", "partly_refunded disputed", ""),
    ]
    assert (third["status"], third["payment_link_url"], third["billing_amount"]) == (
        "Not Created",
        "",
        "98000",
    )
    assert third["link_amount"] == ""


def test_a_sum_has_the_currency_of_the_link_that_it_was_paid_with(db: Database) -> None:
    invoice = make_invoice(db, amount=10_000, currency="USD")
    make_link(db, invoice, status=LinkStatus.PAID)
    db.run(change_amount, invoice, 15_000, "JPY")

    (row,) = rows(b"".join(export_all(db, 1)))

    told = ("billing_amount", "currency", "status", "amount_received", "link_amount", "link_currency")
    assert [row[name] for name in told] == ["15000", "JPY", "Paid", "100.00", "100.00", "USD"]


def change_amount(session: Session, invoice_id: int, amount: int, currency: str) -> None:
    invoice = session.get_one(Invoice, invoice_id)
    invoice.amount, invoice.currency, invoice.billing_state = amount, currency, "settled"


def test_what_became_of_it_elsewhere_is_told(db: Database) -> None:
    db.run(change_amount, make_invoice(db), 1, "USD")
    (row,) = rows(b"".join(export_all(db, 1)))
    assert (row["state"], row["badges"]) == ("settled", "settled_elsewhere")


def test_what_was_refunded_of_the_payment_is_told_and_of_no_other(db: Database) -> None:
    link = make_link(db, make_invoice(db), status=LinkStatus.PAID, badges="partly_refunded", refunded=True)
    make_link(db, make_invoice(db), status=LinkStatus.PAID)
    db.run(add_payment, link, Verdict.PAID, [("succeeded", 300), ("succeeded", 200), ("failed", 1_000)])
    db.run(add_payment, link, Verdict.SECOND_PAYMENT, [("succeeded", 10_000)])

    refunded, plain = rows(b"".join(export_all(db, 1)))

    assert (refunded["refunded_amount"], plain["refunded_amount"]) == ("5.00", "")


def add_payment(session: Session, link_id: int, verdict: Verdict, refunds: list[tuple[str, int]]) -> None:
    payment = Payment(
        link_id=link_id,
        ledger_id=session.get_one(Link, link_id).ledger_id,
        session_id=f"cs_{verdict.value}",
        amount=10_000,
        currency="USD",
        verdict=verdict,
        paid_at=NOW,
        seen_at=NOW,
    )
    session.add(payment)
    session.flush()
    for number, (status, amount) in enumerate(refunds):
        session.add(
            Reversal(
                ledger_id=payment.ledger_id,
                payment_id=payment.id,
                stripe_id=f"re_{verdict.value}_{number}",
                kind="refund",
                status=status,
                amount=amount,
                currency="USD",
                created_at=NOW,
                changed_at=NOW,
            )
        )


def test_open_exceptions_are_told_by_their_kinds(db: Database) -> None:
    make_organisation(db)
    ledger = make_ledger(db)
    invoice, other = make_invoice(db, "INV-1"), make_invoice(db, "INV-2")
    elsewhere = make_ledger(db, livemode=True, current=False)
    for kind, of, resolved, ledger_id in [
        (ExceptionKind.DISPUTED, invoice, False, ledger),
        (ExceptionKind.SECOND_PAYMENT, invoice, False, ledger),
        (ExceptionKind.SECOND_PAYMENT, invoice, False, ledger),
        (ExceptionKind.REFUNDED, invoice, True, ledger),
        (ExceptionKind.REFUNDED, other, False, elsewhere),
    ]:
        db.run(add_exception, kind, of, resolved, ledger_id)

    first, second = rows(b"".join(export_all(db, 1)))

    assert (first["open_exceptions"], second["open_exceptions"]) == ("second_payment disputed", "")


def add_exception(
    session: Session, kind: ExceptionKind, invoice_id: int, resolved: bool, ledger_id: int
) -> None:
    session.add(
        PaymentException(
            ledger_id=ledger_id,
            key=f"{kind.value}:{secrets.token_hex(4)}",
            kind=kind,
            stripe_object="ch_1",
            amount=1,
            currency="USD",
            seen_at=NOW,
            organisation_id=1,
            invoice_id=invoice_id,
            resolved_at=NOW if resolved else None,
            resolved_by="U0ADA" if resolved else None,
        )
    )


def test_json_lines_have_amounts_as_strings_and_null_for_what_isnt_there(db: Database) -> None:
    make_link(
        db,
        make_invoice(db, "=1", amount=150, due_date=None, buyer_email=""),
        status=LinkStatus.PAID,
        badges="disputed",
    )

    (line,) = b"".join(export_all(db, 1, format=Format.JSONL)).decode().splitlines()

    found = json.loads(line)
    assert tuple(found) == COLUMNS
    told = ("number", "buyer_email", "billing_amount", "issue_date", "due_date", "paid_at", "badges")
    assert [found[name] for name in told] == [
        *("=1", "", "1.50", "2026-10-31", None, "2026-11-02T10:30:00Z", ["disputed"]),
    ]
    assert (found["refunded_amount"], found["open_exceptions"]) == (None, [])
