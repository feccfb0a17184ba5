import csv
import io
import json
import secrets
from collections.abc import AsyncIterator
from datetime import date
from types import SimpleNamespace
from typing import cast

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.errors import LedgerChanged, OrganisationUnknown, RunNotFound
from domain.files import exporting
from domain.files.exporting import Export, export_all
from domain.files.exports import Format
from domain.files.exports.rows import COLUMNS
from domain.models import (
    AuditEntry,
    BulkRun,
    BulkRunItem,
    Invoice,
    Link,
    Payment,
    PaymentException,
    Reversal,
)
from domain.organisations import organisations
from domain.rights.door import Door
from domain.rights.people import AllMembers
from domain.scope import Scope
from domain.states import ExceptionKind, LinkState, LinkStatus, Verdict
from domain.stripe.accounts import Accounts
from domain.summaries import Actor
from tests.domain.factories import NOW, TEAM, make_invoice, make_ledger, make_link, make_organisation

ADA = Actor(TEAM, "U0ADA")


def export(db: Database, ledger_id: int) -> Export:
    """Of whichever workspace asks."""

    def get_scope(session: Session, team_id: str) -> Scope:
        return Scope(organisations.get_row(session, team_id).id, ledger_id, livemode=False)

    accounts = cast(Accounts, SimpleNamespace(get_scope=get_scope))
    return Export(db, Door(db, accounts, AllMembers(), lambda: NOW), lambda: NOW)


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


CSV = Format.CSV


async def collected(pieces: AsyncIterator[bytes]) -> list[dict[str, str]]:
    return rows(b"".join([piece async for piece in pieces]))


def make_run(db: Database, organisation_id: int, ledger_id: int, invoices: list[int]) -> int:
    def add(session: Session) -> int:
        run = BulkRun(
            organisation_id=organisation_id,
            ledger_id=ledger_id,
            submission=f"submission-{organisation_id}",
            requested_by="U0ADA",
            requested_at=NOW,
        )
        session.add(run)
        session.flush()
        for ordinal, invoice_id in enumerate(invoices):
            session.add(
                BulkRunItem(
                    run_id=run.id, ordinal=ordinal, invoice_id=invoice_id, outcome="skipped", reason="paid"
                )
            )
        return run.id

    return db.run(add)


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


def test_a_byte_order_mark_is_written_only_where_it_is_asked_for(db: Database) -> None:
    make_organisation(db)
    assert b"".join(export_all(db, 1, bom=True)) == b"\xef\xbb\xbf" + b"".join(export_all(db, 1))


async def test_people_get_csv_that_excel_reads_right_and_workbooks(db: Database) -> None:
    organisation, ledger = make_organisation(db), make_ledger(db)
    run = make_run(db, organisation, ledger, [make_invoice(db, "Ä-1")])
    out = export(db, ledger)

    for kind, begins in ((Format.CSV, b"\xef\xbb\xbfnumber"), (Format.XLSX, b"PK")):
        listed = out.export_list(ADA, filter=None, search="", format=kind)
        of_run = out.export_run(ADA, run, format=kind)
        pieces = b"".join([piece async for piece in listed])
        assert pieces.startswith(begins)
        assert pieces == b"".join([piece async for piece in of_run])


@pytest.mark.parametrize(
    ("filter", "search", "numbers"),
    [
        (None, "", ["INV-1", "INV-2", "INV-3", "INV-4"]),
        (LinkStatus.NOT_CREATED, "", ["INV-1", "INV-4"]),
        (LinkStatus.PENDING_PAYMENT, "", ["INV-2"]),
        (LinkStatus.PAID, "", ["INV-3"]),
        (None, "blue", ["INV-4"]),
        (LinkStatus.PAID, "blue", []),
    ],
)
async def test_what_the_list_shows_is_exported_over_all_pages(
    db: Database,
    monkeypatch: pytest.MonkeyPatch,
    filter: LinkStatus | None,
    search: str,
    numbers: list[str],
) -> None:
    monkeypatch.setattr(exporting, "PAGE", 2)
    make_organisation(db)
    ledger = make_ledger(db)
    make_organisation(db, "T0OTHER")
    ids = [make_invoice(db, f"INV-{n}", due_date=date(2026, 12, 9 - n)) for n in (3, 1, 2)]
    make_invoice(db, "INV-4", buyer_name="Blue Heron")
    make_invoice(db, "INV-5", organisation_id=2)
    make_link(db, ids[2])
    make_link(db, ids[0], status=LinkStatus.PAID)

    found = await collected(export(db, ledger).export_list(ADA, filter=filter, search=search, format=CSV))

    assert [row["number"] for row in found] == numbers
    assert rows(b"".join(export_all(db, 1, filter=filter, search=search))) == found


async def test_an_invoice_that_is_paid_meanwhile_comes_once(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE", 1)
    make_organisation(db)
    first = make_invoice(db, "INV-1")
    make_invoice(db, "INV-2")
    pieces = export(db, make_ledger(db)).export_list(ADA, filter=None, search="", format=CSV)
    begun = [await anext(pieces), await anext(pieces)]
    make_link(db, first)

    found = rows(b"".join(begun + [piece async for piece in pieces]))

    assert [row["number"] for row in found] == ["INV-1", "INV-2"]


async def test_only_links_of_the_ledger_in_use_are_shown(db: Database) -> None:
    invoice = make_invoice(db, "INV-1")
    make_ledger(db)
    live = make_ledger(db, livemode=True, current=False)
    make_link(db, invoice, ledger_id=live)

    (row,) = rows(b"".join(export_all(db, 1)))
    assert (row["status"], row["payment_link_url"]) == ("Not Created", "")
    (row,) = await collected(export(db, live).export_list(ADA, filter=None, search="", format=CSV))
    assert row["payment_link_url"].startswith("https://")


async def test_a_run_is_exported_in_its_order(db: Database) -> None:
    organisation, ledger = make_organisation(db), make_ledger(db)
    ids = [make_invoice(db, f"INV-{n}") for n in range(3)]
    run = make_run(db, organisation, ledger, [ids[2], ids[0]])

    found = await collected(export(db, ledger).export_run(ADA, run, format=CSV))

    assert [row["number"] for row in found] == ["INV-2", "INV-0"]


async def test_another_organisations_run_is_refused_and_audited(db: Database) -> None:
    make_organisation(db)
    ledger, other = make_ledger(db), make_organisation(db, "T0OTHER")
    run = make_run(db, other, ledger, [make_invoice(db, organisation_id=other)])

    with pytest.raises(RunNotFound):
        await collected(export(db, ledger).export_run(ADA, run, format=CSV))

    entry = db.run(
        lambda session: session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id).limit(1)).one()
    )
    assert (entry.actor, entry.action, entry.subject) == ("U0ADA", "id.refused", f"bulk run {run}")


async def test_an_unknown_organisation_gets_nothing(db: Database) -> None:
    with pytest.raises(OrganisationUnknown):
        await collected(export(db, make_ledger(db)).export_list(ADA, filter=None, search="", format=CSV))


def test_hostile_fields_are_inert_and_amounts_stay_numbers(db: Database) -> None:
    make_invoice(db, "=1", buyer_name="@SUM(A1)", buyer_email="+x@y.example", amount=-100)

    (row,) = rows(b"".join(export_all(db, 1)))

    assert (row["number"], row["buyer_name"], row["buyer_email"]) == ("'=1", "'@SUM(A1)", "'+x@y.example")
    assert row["billing_amount"] == "-1.00"


def test_links_of_the_other_mode_are_not_exported(db: Database) -> None:
    make_organisation(db)
    make_ledger(db)
    assert list(export_all(db, 1, livemode=False))
    with pytest.raises(LedgerChanged):
        list(export_all(db, 1, livemode=True))
