"""One invoice for each number, however a file writes it; and no guess where a version before kept two."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.files.import_fields import RecordRefused, read_fields
from domain.files.importing import ImportResult, take
from domain.files.reading.invoice_file import open_path
from domain.files.reading.records import BadLine
from domain.invoices import invoices
from domain.invoices.numbers import folding
from domain.invoices.numbers.keys import number_key, written_key
from domain.models import Invoice
from domain.organisations import organisations
from domain.scope import Scope
from domain.summaries import OrganisationSummary
from tests.domain.factories import NOW, TEAM, make_invoice, make_ledger, make_organisation
from tests.domain.files.test_importing import check_derived, line, search

INV_1 = ["INV-1", "INV-1\u200b", "INV\u20111", "INV-\u00ad1", "ＩＮＶ－１", " inv–1"]
A_1 = ["Ä-1", "A\u0308-1"]


@pytest.fixture
def organisation(db: Database) -> OrganisationSummary:
    make_organisation(db)
    make_ledger(db)
    return db.run(organisations.get_by_team, TEAM)


def numbers(db: Database) -> list[tuple[str, int]]:
    query = sa.select(Invoice.number, Invoice.amount).order_by(Invoice.id)
    return db.run(lambda session: [(number, amount) for number, amount in session.execute(query)])


def found(db: Database, organisation: OrganisationSummary, number: str) -> list[str]:
    scope = Scope(organisation.id, 1, livemode=False)
    return db.run(lambda s: [one.number for one in invoices.list_by_number(s, scope, number)])


def before(db: Database, number: str, **values: Any) -> int:
    """As a version before kept it."""
    invoice_id = make_invoice(db, number, **values)

    def forget(session: Session) -> None:
        session.execute(sa.update(Invoice).where(Invoice.id == invoice_id).values(identity=None))

    db.run(forget)
    return invoice_id


@pytest.mark.parametrize("forms", [INV_1, A_1])
def test_forms_of_one_number_are_one_invoice_that_each_finds(
    db: Database, organisation: OrganisationSummary, forms: list[str]
) -> None:
    for amount, form in enumerate(forms, 1):
        result = take(db, organisation, [line(form.strip(), amount=amount)], now=NOW)
        assert result == (ImportResult(new=1) if amount == 1 else ImportResult(updated=1))

    # Shown as it was written first, over what was said last.
    assert numbers(db) == [(forms[0], len(forms))]
    check_derived(db)
    for form in forms:
        assert found(db, organisation, form) == [forms[0]]
        assert search(db, form) == [forms[0]]


@pytest.mark.parametrize("first", INV_1[1:])
def test_whichever_form_came_first_each_finds_it(
    db: Database, organisation: OrganisationSummary, first: str
) -> None:
    first = first.strip()
    take(db, organisation, [line(first)], now=NOW)

    assert take(db, organisation, [line("INV-1", buyer_name="Blue Heron")], now=NOW) == ImportResult(
        updated=1
    )
    assert [found(db, organisation, form) for form in INV_1] == [[first]] * len(INV_1)
    check_derived(db)


def test_forms_of_one_number_in_one_file_are_one_number(tmp_path: Path) -> None:
    text = "".join(f"{form},A,{amount}.00,USD\n" for amount, form in enumerate(INV_1))
    (tmp_path / "a.csv").write_text("number,buyer_name,billing_amount,currency\n" + text, encoding="utf-8")

    with open_path(tmp_path / "a.csv") as file:
        read = list(file.read())

    assert [type(one) for one in read] == [BadLine] * len(INV_1)


def test_another_organisations_number_is_another_one(db: Database, organisation: OrganisationSummary) -> None:
    make_invoice(db, "INV\u20111", organisation_id=make_organisation(db, "T0OTHER"))

    assert take(db, organisation, [line("INV-1")], now=NOW) == ImportResult(new=1)
    assert found(db, organisation, "INV\u20111") == ["INV-1"]


@pytest.mark.parametrize("number", ["\u200b", "\u3164\ufeff", "\u00ad"])
def test_a_number_that_nobody_can_see_is_refused(number: str) -> None:
    names = "buyer_name buyer_email billing_amount currency issue_date due_date description".split()
    values = dict.fromkeys(names, "") | {"buyer_name": "A", "billing_amount": "1.00", "currency": "USD"}

    with pytest.raises(
        RecordRefused, match="number: write the invoice's number in characters that can be seen"
    ):
        read_fields(2, values | {"number": number})


@pytest.mark.parametrize("form", INV_1[1:-1])
def test_what_a_version_before_kept_is_found_and_updated(
    db: Database, organisation: OrganisationSummary, form: str
) -> None:
    before(db, form)

    assert found(db, organisation, form) == [form]
    assert take(db, organisation, [line("INV-1", amount=7)], now=NOW) == ImportResult(updated=1)

    assert numbers(db) == [(form, 7)]
    assert found(db, organisation, "INV-1") == [form]


def test_two_that_a_version_before_kept_stay_two_and_both_are_found(
    db: Database, organisation: OrganisationSummary
) -> None:
    before(db, "INV-1", amount=100)
    before(db, "INV\u20111", amount=200)
    before(db, "INV\u20131", amount=300)
    assert db.run(folding.fold_some) == 2

    for form in INV_1:
        assert found(db, organisation, form) == ["INV-1", "INV\u20111", "INV\u20131"]


def test_of_two_the_one_that_is_written_so_is_updated_and_else_none(
    db: Database, organisation: OrganisationSummary
) -> None:
    before(db, "INV-1", amount=100)
    before(db, "INV\u20111", amount=200)
    told: list[BadLine] = []

    for number, amount in (("inv-1", 1), ("INV\u20111", 2), ("INV\u20141", 3)):
        take(db, organisation, [line(number, amount=amount)], now=NOW, on_bad=told.append)

    assert numbers(db) == [("INV-1", 1), ("INV\u20111", 2)]
    assert [one.reason for one in told] == [
        "number: 'INV-1' and 'INV\\u20111': several invoices have this number, write it exactly as one of them is written "
        "(it says “'INV\\u20141'”)"
    ]


def test_a_dry_run_says_what_an_import_would_do(db: Database, organisation: OrganisationSummary) -> None:
    make_invoice(db, "INV\u20111")

    assert take(db, organisation, [line("INV-1", amount=7)], now=NOW, dry_run=True) == ImportResult(updated=1)
    assert numbers(db) == [("INV\u20111", 120_050)]


def test_what_the_version_before_writes_meanwhile_is_found_by_the_next_chunk(
    db: Database, organisation: OrganisationSummary
) -> None:
    take(db, organisation, [line("INV-2")], now=NOW)
    before(db, "ＩＮＶ－１")

    assert take(db, organisation, [line("INV-1", amount=7)], now=NOW) == ImportResult(updated=1)


def test_a_plain_twin_that_the_version_before_writes_is_marked(
    db: Database, organisation: OrganisationSummary
) -> None:
    make_invoice(db, "INV\u20111")
    make_invoice(db, "INV\u20112")
    before(db, "INV-1")

    def mark(session: Session) -> None:
        after: str | None = ""
        while after is not None:
            after = folding.mark_twins(session, organisation.id, after)

    db.run(mark)
    db.run(mark)

    def identities(session: Session) -> list[str | None]:
        return list(session.scalars(sa.select(Invoice.identity).order_by(Invoice.id)))

    first, second, plain = db.run(identities)
    assert (first, second, plain) == ("\ninv-1\n1", "inv-2", None)
    assert found(db, organisation, "INV-1") == ["INV-1", "INV\u20111"]


def test_many_are_folded_in_short_transactions(
    db: Database, organisation: OrganisationSummary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "AT_ONCE", 4)
    other = make_organisation(db, "T0OTHER")
    for n in range(10):
        before(db, f"Ä\u2011{n}", organisation_id=other if n % 3 == 0 else organisation.id)
        before(db, f"ä-{n}", organisation_id=other if n % 3 == 0 else organisation.id)

    assert db.run(folding.fold_some) == 4
    assert folding.fold_all(db) == 16
    assert folding.fold_all(db) == 0

    kept = db.run(lambda s: [(i.number_key, i.identity, i.id) for i in s.scalars(sa.select(Invoice))])
    for key, identity, invoice_id in kept:
        expected = number_key(key)
        assert identity == (expected if "\u2011" in key else f"\n{expected}\n{invoice_id}")
        assert key == written_key(key)


def test_a_twins_line_keeps_its_number_in_the_list(db: Database, organisation: OrganisationSummary) -> None:
    """The place in list order is that of the number as it was written first."""
    take(db, organisation, [line("INV\u20111")], now=NOW)
    take(db, organisation, [replace(line("INV-1"), due_date=None)], now=NOW)

    check_derived(db)
