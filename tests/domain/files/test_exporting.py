import csv
import io
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
from domain.models import (
    AuditEntry,
    BulkRun,
    BulkRunItem,
)
from domain.organisations import entering
from domain.organisations.entering import Entered
from domain.rights.door import Door
from domain.rights.people import AllMembers
from domain.scope import Scope
from domain.states import LinkStatus
from domain.stripe.accounts import Accounts
from domain.summaries import Actor
from tests.domain.factories import NOW, TEAM, make_invoice, make_ledger, make_link, make_organisation

ADA = Actor(TEAM, "U0ADA")


def export(db: Database, ledger_id: int) -> Export:
    """Of whichever workspace asks."""

    def enter(session: Session, team_id: str) -> tuple[Scope, Entered]:
        entered = entering.enter(session, team_id)
        return Scope(entered.organisation.id, ledger_id, livemode=False), entered

    accounts = cast(Accounts, SimpleNamespace(enter=enter, get_scope=lambda *asked: enter(*asked)[0]))
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
