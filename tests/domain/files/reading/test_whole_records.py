"""What stands within a field is never read as a record of its own."""

import csv
import io
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.files.import_fields import COLUMNS, ImportedInvoice
from domain.files.reading import records
from domain.files.reading.plain import HEADING
from domain.files.reading.records import FileUnusable
from domain.files.reading.sources.text import RECORD_LENGTH
from tests.domain.files.reading.reading import items, told

INNER = "INV-9,Big Customer,,0.01,USD,,,"
XERO = "InvoiceNumber,ContactName,Total,Currency,Reference"


def plain(*lines: str) -> str:
    return "\n".join([HEADING, *lines]) + "\n"


def test_a_refused_record_is_refused_with_all_its_lines() -> None:
    assert told(plain('INV-4,Acme,,100.00,USD,,,"Credit for', INNER, 'thanks",')) == [
        "lines 2 to 4: 9 fields instead of 8: put a field that holds a comma in quotation marks"
    ]


@pytest.mark.parametrize(
    "begins",
    [
        'INV-4,"Acme',  # a break where only the description may have one
        'INV-4,Acme,,1,USD,,, "Credit',  # a blank before the mark
        'INV-4,Acme,,1,USD,,,\t"Credit',
        'INV-4,Acme,,1,USD,,,"Credit ""for""',
    ],
)
@pytest.mark.parametrize("ends", ['"', '" and more', '"x"y', '",,,', '",1,USD,,,'])
def test_whatever_else_is_wrong_the_inside_is_no_record(begins: str, ends: str) -> None:
    found = told(plain(begins, INNER, INNER, f"thanks{ends}", "INV-5,Acme,,5.00,USD,,,"))
    assert not [line for line in found if line.startswith("INV-9")]
    assert found[-1] == "INV-5 USD 5.00"
    assert found[0].startswith(("lines 2 to 5: ", "INV-4"))
    assert len(found) == 2


def test_one_far_too_long_is_still_one() -> None:
    inside = "\n".join([INNER] * (RECORD_LENGTH // 20))
    found = told(plain(f'INV-4,Acme,,1.00,USD,,,"{inside}"', "INV-5,Acme,,5.00,USD,,,"))
    assert found == [
        f"lines 2 to {RECORD_LENGTH // 20 + 1:,}: write the record in at most 100,000 characters",
        "INV-5 USD 5.00",
    ]


def test_a_mark_that_is_never_closed_costs_its_line_alone() -> None:
    unclosed = "a quotation mark opens a field here and is never closed"
    found = told(plain('INV-4,Acme,,1.00,USD,,,"x', "INV-5,Acme,,5.00,USD,,,"))
    assert found == [f"line 2: {unclosed}", "INV-5 USD 5.00"]


@pytest.mark.parametrize("name", ["xero", "plain"])
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60))
@example(text=f"Credit for\n{INNER}\nthanks")
@example(text='"\nINV-9,Big Customer,0.01,USD,\n"')
@example(text='x",\r\nINV-9,Big Customer,0.01,USD,"')
def test_no_text_within_a_field_changes_another_invoice(name: str, text: str) -> None:
    data = io.StringIO()
    writer = csv.writer(data)
    writer.writerow(COLUMNS if name == "plain" else XERO.split(","))
    for number, said in (("INV-9", "5000.00"), ("INV-4", "1.00"), ("INV-5", "2.00")):
        inside = text if number == "INV-4" else "x"
        writer.writerow(
            [number, "Acme", "", said, "USD", "", "", inside]
            if name == "plain"
            else [number, f"A{inside}" if number == "INV-4" else "Acme", said, "USD", inside]
        )
    taken = {
        one.number: (one.amount, one.buyer_name)
        for one in items(data.getvalue())
        if isinstance(one, ImportedInvoice)
    }
    assert taken.pop("INV-4", (100, ""))[0] == 100
    assert taken == {"INV-9": (500_000, "Acme"), "INV-5": (200, "Acme")}


@pytest.mark.parametrize(
    "content",
    [
        '"' * 10_000_000,
        '""\n' * 20_000,
        '"a"b"c,"\n' * 20_000,
        'x,"a""\n' * 20_000,
        "," * 10_000_000,
        "x" * 10_000_000,
        '"\n' * 20_000,
    ],
    ids=["marks", "doubled", "never closed", "pairs", "columns", "one line", "lines of a mark"],
)
def test_what_is_made_to_take_long_takes_seconds(content: str) -> None:
    began = time.process_time()
    items(f"{HEADING}\n{content}")
    assert time.process_time() - began < 20


def test_a_heading_of_a_million_columns_is_a_sentence() -> None:
    with pytest.raises(FileUnusable):
        items("a," * 1_000_000 + "\n1,2\n")


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (HEADING + '\n"\n"' * 60, "write all fields"),
        (HEADING + '\na"b' * 60, "double those in them"),
        ("{}\n" * 60, "missing"),
        (XERO + f"\n{'x,' * 20_001}" * 60, "fields"),
    ],
    ids=["lines of a mark", "marks within", "JSON", "columns"],
)
def test_of_what_is_no_table_not_every_line_is_told(
    file: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MOST_UNREADABLE", 50)
    with pytest.raises(FileUnusable, match=f"no table of invoices.*{why}"):
        items(file)


def test_where_a_tenth_is_good_each_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MOST_UNREADABLE", 50)
    rows = [f"INV-{at},Acme,,1.00,USD,,," if at % 9 == 0 else "x" for at in range(450)]
    assert sum(line.startswith("line") for line in told(plain(*rows))) == 400


@pytest.mark.parametrize("blank", ["\n", "\t\n"])
def test_a_heading_far_down_is_looked_for_no_further(blank: str) -> None:
    """Each look at the heading would go through all of it: one for each encoding and separator."""
    with pytest.raises(FileUnusable, match="holds no text in its first 1,000 lines"):
        items(blank * 300_000 + HEADING)
    assert told(blank * 900 + plain("INV-4,Acme,,1.00,USD,,,")) == ["INV-4 USD 1.00"]
