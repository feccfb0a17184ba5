import json
from datetime import date

import pytest

from domain.files.import_fields import COLUMNS, ImportedInvoice
from tests.domain.files.reading.plain_files import GOOD, Write, outcomes, read, write

__all__ = ["write"]


def test_json_lines_are_read_by_name(write: Write) -> None:
    full = dict(zip(COLUMNS, GOOD.split(","), strict=True))
    short = {
        "number": "INV-2",
        "buyer_name": "Acme",
        "billing_amount": "5",
        "currency": "USD",
        "due_date": None,
    }
    content = f"{json.dumps(full)}\n\n{json.dumps(short)}\n  \t"
    for name in ("invoices.jsonl", "invoices.ndjson", "invoices.csv", "invoices"):
        first, second = read(write(content, heading="", name=name))
        assert isinstance(first, ImportedInvoice)
        assert isinstance(second, ImportedInvoice)
        assert (first.number, first.amount, first.due_date) == ("INV-1", 120_050, date(2026, 11, 30))
        assert (second.line, second.buyer_email, second.due_date) == (3, "", None)


def test_numbers_in_json_keep_every_digit(write: Write) -> None:
    content = '{"number": 7, "buyer_name": "x", "billing_amount": 9007199254740.93, "currency": "USD"}'
    (taken,) = read(write(content, heading=""))
    assert isinstance(taken, ImportedInvoice)
    assert (taken.number, taken.amount) == ("7", 900_719_925_474_093)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1]", "write one JSON object a line"),
        ("nonsense", "write one JSON object a line"),
        ('{"number": "1"', "write one JSON object a line"),
        ("[" * 50_000, "write one JSON object a line"),
        ('{"number": "1", "number": "2"}', "number: it is there twice"),
        ('{"Number": "1"}', "there is no 'Number'"),
        ('{"number": "1"}', "buyer_name, billing_amount, currency missing"),
        ('{"number": ["1"], "buyer_name": "x"}', "number: write it as a string"),
        ('{"number": true}', "number: write it as a string"),
        ('{"number":"1","buyer_name":"\\ud800","billing_amount":"1","currency":"USD"}', "buyer_name: write"),
        ('{"number":"1","buyer_name":"x","billing_amount":1e3,"currency":"USD"}', "billing_amount: write"),
        ('{"number":"1","buyer_name":"x","billing_amount":NaN,"currency":"USD"}', "billing_amount: write"),
    ],
)
def test_a_bad_line_of_json_is_refused_with_its_reason(write: Write, line: str, reason: str) -> None:
    good = '{"number": "A", "buyer_name": "x", "billing_amount": "1", "currency": "USD"}'
    first, bad, last = outcomes(write(f"{good}\n{line}\n{good}", heading=""))
    assert (first, last) == ("A", "A")
    assert bad.startswith("2: ")
    assert reason in bad
