from __future__ import annotations

import re
from collections import Counter
from datetime import date
from decimal import Decimal

from sandbox.samples import paid_numbers, pending_numbers, sample_rows

TODAY = date(2026, 3, 14)
COLUMNS = [
    "number",
    "buyer_name",
    "buyer_email",
    "billing_amount",
    "currency",
    "issue_date",
    "due_date",
    "description",
]
DECIMALS = {"JPY": 0, "ISK": 0, "KWD": 3}
STRIPE_MOST = {"KWD": Decimal("99999.999"), "JPY": Decimal(99_999_999)}


def _amounts() -> list[tuple[str, str, Decimal]]:
    return [(row["number"], row["currency"], Decimal(row["billing_amount"])) for row in sample_rows(TODAY)]


def _takeable(currency: str, amount: Decimal) -> bool:
    whole_cents = currency != "KWD" or (amount * 100) % 1 == 0
    return 0 < amount <= STRIPE_MOST.get(currency, Decimal("999999.99")) and whole_cents


def test_the_same_day_gives_the_same_rows_in_the_import_columns() -> None:
    rows = sample_rows(TODAY)
    assert rows == sample_rows(TODAY)
    assert all(list(row) == COLUMNS for row in rows)


def test_there_are_300_invoices_with_distinct_numbers() -> None:
    numbers = [row["number"] for row in sample_rows(TODAY)]
    assert len(numbers) == len(set(numbers)) == 300


def test_at_least_200_stay_eligible_after_the_paid_and_the_pending_ones() -> None:
    linked = {*paid_numbers(), *pending_numbers()}
    eligible = [
        number
        for number, currency, amount in _amounts()
        if _takeable(currency, amount) and number not in linked
    ]
    assert len(eligible) >= 200
    assert "INV-1001" in eligible


def test_paid_and_pending_are_different_invoices_that_stripe_takes() -> None:
    paid, pending = set(paid_numbers()), set(pending_numbers())
    takeable = {number for number, currency, amount in _amounts() if _takeable(currency, amount)}
    assert not paid & pending
    assert (len(paid), len(pending)) == (3, 15)
    assert paid | pending <= takeable


def test_the_first_invoice_is_the_ordinary_one_of_the_documents() -> None:
    first = sample_rows(TODAY)[0]
    assert (first["number"], first["currency"], first["billing_amount"]) == ("INV-1001", "USD", "1200.50")


def test_every_kind_of_amount_is_there() -> None:
    amounts = _amounts()
    assert any(amount == 0 for _, _, amount in amounts)
    assert any(amount < 0 for _, _, amount in amounts)
    assert any(amount > STRIPE_MOST.get(currency, Decimal("999999.99")) for _, currency, amount in amounts)
    assert any(currency == "KWD" and (amount * 100) % 1 for _, currency, amount in amounts)
    assert any(currency == "GBP" and 0 < amount < Decimal("0.30") for _, currency, amount in amounts)


def test_us_dollars_lead_several_currencies() -> None:
    counts = Counter(currency for _, currency, _ in _amounts())
    assert counts.most_common(1)[0][0] == "USD"
    assert {"USD", "EUR", "GBP", "JPY", "KWD", "ISK", "HUF"} <= counts.keys()


def test_amounts_are_written_with_the_decimals_of_their_currency_and_no_grouping() -> None:
    for row in sample_rows(TODAY):
        decimals = DECIMALS.get(row["currency"], 2)
        pattern = rf"-?\d+\.\d{{{decimals}}}" if decimals else r"-?\d+"
        assert re.fullmatch(pattern, row["billing_amount"]), row


def test_due_dates_lie_around_today_and_no_invoice_is_issued_later_than_today_or_than_due() -> None:
    dues = [date.fromisoformat(row["due_date"]) for row in sample_rows(TODAY)]
    assert min(dues) < TODAY < max(dues)
    for row, due in zip(sample_rows(TODAY), dues, strict=True):
        assert date.fromisoformat(row["issue_date"]) <= min(TODAY, due)


def test_buyers_are_from_many_places_and_some_are_hostile() -> None:
    names = {row["buyer_name"] for row in sample_rows(TODAY)}
    assert len(names) >= 30
    assert "O'Neil & Sons <Bakery>" in names
    assert any("<!channel>" in name and "=HYPERLINK" in name for name in names)
    assert any("\u202e" in name for name in names)
    assert any(re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", name) for name in names)


def test_no_e_mail_leads_to_a_real_domain() -> None:
    assert all(
        re.fullmatch(r"[^@]+@example\.(com|org|net)", row["buyer_email"]) for row in sample_rows(TODAY)
    )
