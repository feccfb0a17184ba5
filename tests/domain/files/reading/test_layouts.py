"""A file of each program, with values of our own, as it comes."""

import pytest

from domain.files.import_fields import ImportedInvoice
from domain.files.reading.invoice_file import Choices, InvoiceFile, Undecided
from domain.files.reading.records import BadLine, FileUnusable, LeftOut, LeftOutBecause
from domain.files.reading.sources.content import Content
from tests.domain.files.reading.reading import items, told

XERO = """\
*ContactName,EmailAddress,*InvoiceNumber,Reference,*InvoiceDate,*DueDate,Total,InvoiceAmountDue,Description,Currency,Type,Status
Orchid Studio,ap@orchid.example,INV-0001,PO 7,13/11/2026,30/11/2026,"1,250.00","1,250.00",Design,EUR,Sales invoice,Awaiting Payment
Orchid Studio,ap@orchid.example,INV-0001,PO 7,13/11/2026,30/11/2026,"1,250.00","1,250.00",Print,EUR,Sales invoice,Awaiting Payment
Heron Ltd,,INV-0002,,01/11/2026,02/12/2026,100.00,60.00,x,GBP,Sales invoice,Authorised
Heron Ltd,,INV-0003,,01/11/2026,02/12/2026,100.00,0.00,x,GBP,Sales invoice,Paid
Heron Ltd,,INV-0004,,01/11/2026,02/12/2026,100.00,100.00,x,GBP,Sales invoice,Draft
Heron Ltd,,CN-0001,,01/11/2026,02/12/2026,100.00,100.00,x,GBP,Sales credit note,Authorised
Heron Ltd,,INV-0005,,01/11/2026,02/12/2026,100.00,100.00,x,GBP,Sales invoice,Voided
Heron Ltd,,INV-0006,,01/11/2026,02/12/2026,100.00,,x,GBP,ACCREC,Authorised
Heron Ltd,,INV-0007,,01/11/2026,02/12/2026,100.00,,x,GBP,ACCREC,Chased
"""
QUICKBOOKS = """\
Harbour Trading,,,,,,
Invoice List,,,,,,
"October 1 - November 30, 2026",,,,,,

Date,Transaction Type,Num,Name,Due Date,Amount,Open Balance
11/13/2026,Invoice,1001,Willow Bakery,12/02/2026,"1,250.00","1,250.00"
11/13/2026,Credit Memo,1002,Willow Bakery,12/02/2026,(75.50),(75.50)
11/13/2026,Invoice,1003,Willow Bakery,12/02/2026,80.00,0.00
TOTAL,,,,,"$1,254.50","$1,174.50"
"""
ZOHO = """\
Invoice Date,Invoice ID,Invoice Number,Invoice Status,Customer Name,Primary Contact EmailID,Due Date,Currency Code,Total,Balance,Item Name
2026-11-02,90001,INV-41,Sent,Kestrel & Sons,ap@kestrel.example,2026-11-30,USD,480.00,80.00,Hosting
2026-11-02,90001,INV-41,Sent,Kestrel & Sons,ap@kestrel.example,2026-11-30,USD,480.00,80.00,Support
2026-11-02,90002,INV-42,Draft,Kestrel & Sons,,2026-11-30,USD,480.00,480.00,Support
2026-11-02,90003,INV-43,Void,Kestrel & Sons,,2026-11-30,USD,480.00,480.00,Support
2026-11-02,90004,INV-44,Closed,Kestrel & Sons,,2026-11-30,USD,480.00,0.00,Support
"""
FRESHBOOKS = """\
Client Name,Invoice #,Date Issued,Invoice Status,Item Name,Line Total,Currency,Date Due
Lantern Films,0000012,2026-11-01,sent,Shoot,500.00,CAD,2026-12-01
Lantern Films,0000012,2026-11-01,sent,Edit,250.25,CAD,2026-12-01
Lantern Films,0000013,2026-11-01,draft,Edit,250.25,CAD,2026-12-01
Lantern Films,0000014,2026-11-01,sent,Edit,1.00,CAD,2026-12-01
Lantern Films,0000014,2026-11-01,sent,Edit,1.00,USD,2026-12-01
"""
ODOO = """\
"Number";"Invoice Partner Display Name";"Invoice/Bill Date";"Due Date";"Total";"Currency";"Status";"Payment Status"
"INV/2026/1";"Müller & Söhne GmbH";"2026-11-02";"2026-11-30";"1.250,00";"EUR";"Posted";"Not Paid"
"INV/2026/2";"Müller & Söhne GmbH";"2026-11-02";"2026-11-30";"99,5";"EUR";"Posted";"Paid"
"/";"Müller & Söhne GmbH";"2026-11-02";"2026-11-30";"99,5";"EUR";"Draft";"Not Paid"
"""
ODOO_GERMAN = """\
Nummer;Partner;Rechnungsdatum;Fälligkeitsdatum;Gesamt;Währung;Status;
RE/1;Ästhetik AG;02.11.2026;30.11.2026;1.250,00 €;EUR;Gebucht;
RE/2;Ästhetik AG;02.11.2026;30.11.2026;-75,50 €;EUR;Gebucht;
;;;;1.174,50;;;
"""
NINJA = """\
Invoice Number,Client,Date,Due Date,Amount,Balance,Currency,Status
0007,Harbour Dental,02/Nov/2026,30/Nov/2026,"$1,200.00","$1,100.00",USD,Sent
"""
STRIPE = """\
id,Number,Customer Name,Customer Email,Amount Due,Amount Paid,Currency,Created (UTC),Due Date (UTC),Status
in_1,ABC-1,Vale Print,pay@vale.example,1250.00,0.00,usd,2026-11-02 09:15,2026-12-02 09:15,open
in_2,ABC-2,Vale Print,pay@vale.example,15000,0,jpy,2026-11-02 09:15,,draft
in_3,ABC-3,Vale Print,pay@vale.example,15000,15000,jpy,2026-11-02 09:15,,paid
in_4,ABC-4,Vale Print,pay@vale.example,15000,0,jpy,2026-11-02 09:15,,uncollectible
"""
MONEY_FORWARD = """\
請求書番号,取引先名,請求日,お支払期限,合計金額,件名
2026-001,株式会社あおぞら,2026/11/02,2026/11/30,"110,000",開発
"""
AKAUNTING = """\
invoice_number,status,invoiced_at,due_at,amount,currency_code,contact_name,contact_email
INV-00001,sent,2026-11-02 00:00:00,2026-11-30 00:00:00,1200.5000,USD,Thistle Seeds,ap@thistle.example
INV-00002,paid,2026-11-02 00:00:00,2026-11-30 00:00:00,10.0000,USD,Thistle Seeds,
INV-00003,cancelled,2026-11-02 00:00:00,2026-11-30 00:00:00,10.0000,USD,Thistle Seeds,
"""
UNKNOWN_STATE = "state: this state isn't known: say in a map what it stands for (it says “Chased”)"
DIFFER = "number: it is in lines 5 and 6: their amounts, currencies or states differ, so none is taken"
FILES = {
    "xero": (
        XERO,
        [
            "INV-0001 EUR 1,250.00 2026-11-30",
            "INV-0002 GBP 60.00 2026-12-02",
            "INV-0003 GBP 100.00 settled 2026-12-02",
            "line 6: draft",
            "line 7: other_kind",
            "line 8: void",
            "INV-0006 GBP 100.00 2026-12-02",
            f"line 10: {UNKNOWN_STATE}",
        ],
    ),
    "zoho-books": (
        ZOHO,
        [
            "INV-41 USD 80.00 2026-11-30",
            "line 4: draft",
            "line 5: void",
            "INV-44 USD 480.00 settled 2026-11-30",
        ],
    ),
    "freshbooks": (
        FRESHBOOKS,
        ["0000012 CAD 750.25 2026-12-01", "line 4: draft", f"line 5: {DIFFER}", f"line 6: {DIFFER}"],
    ),
    "invoice-ninja": (NINJA, ["0007 USD 1,100.00 2026-11-30"]),
    "stripe-invoices": (
        STRIPE,
        ["ABC-1 USD 1,250.00 2026-12-02", "line 3: draft", "ABC-3 JPY 15,000 settled", "line 5: void"],
    ),
    "moneyforward": (MONEY_FORWARD, ["2026-001 JPY 110,000 2026-11-30"]),
    "akaunting": (
        AKAUNTING,
        ["INV-00001 USD 1,200.50 2026-11-30", "INV-00002 USD 10.00 settled 2026-11-30", "line 4: void"],
    ),
    "odoo": (
        ODOO,
        ["INV/2026/1 EUR 1,250.00 2026-11-30", "INV/2026/2 EUR 99.50 settled 2026-11-30", "line 4: draft"],
    ),
}


@pytest.mark.parametrize("layout", FILES)
def test_a_programs_file_is_taken_as_it_comes(layout: str) -> None:
    data, expected = FILES[layout]
    with Content.of_bytes(data.encode(), "invoices.csv") as content:
        assert InvoiceFile(content).layout == layout
    assert told(data) == expected


@pytest.mark.parametrize("layout", FILES)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_encodings_separators_and_line_ends_of_other_systems_change_nothing(
    layout: str, encoding: str, separator: str
) -> None:
    data, expected = FILES[layout]
    rows = [one.cells for one in items(data) if isinstance(one, ImportedInvoice)]
    was = ";" if layout == "odoo" else ","
    heading = data.splitlines()[0].replace(was, separator)
    quoted = [separator.join(f'"{cell}"' for cell in cells) for cells in rows]
    again = "\r\n".join([heading, *quoted]).encode(encoding)
    taken = [line for line in expected if not line.startswith("line ")]
    found = told(again)
    assert [line.split()[0] for line in found] == [line.split()[0] for line in taken]
    if layout != "freshbooks":  # of its sum one item is left
        assert found == taken


def test_quickbooks_has_no_currency_and_it_is_asked_for() -> None:
    with pytest.raises(Undecided) as asked:
        told(QUICKBOOKS)
    assert asked.value.questions.missing == ("currency",)
    assert told(QUICKBOOKS, Choices(currency="USD")) == [
        "1001 USD 1,250.00 2026-12-02",
        "line 7: other_kind",
        "1003 USD 80.00 settled 2026-12-02",
        "line 9: totals",
    ]


def test_names_of_columns_may_differ_in_capitals_blanks_and_marks() -> None:
    heading = ' INVOICE NUMBER ;"Contact Name";invoice_date;DUE-DATE;total;Notes;currency'
    assert told(f"{heading}\nA-1;Heron;2026-11-02;2026-11-30;5;x;EUR\n") == ["A-1 EUR 5.00 2026-11-30"]


def test_rows_of_one_invoice_that_differ_in_the_amount_are_refused_all() -> None:
    changed = XERO.replace('"1,250.00","1,250.00",Print', '"1,250.00","1,350.00",Print')
    why = "number: it is in lines 2 and 3: their amounts, currencies or states differ, so none is taken"
    assert told(changed)[:2] == [f"line 2: {why}", f"line 3: {why}"]


def test_a_sign_of_another_currency_is_refused() -> None:
    [bad] = told(NINJA.replace(",USD,", ",EUR,"))
    assert "its sign isn't that of the currency, which is EUR" in bad


def test_the_layout_that_is_named_is_the_one_that_is_taken() -> None:
    with pytest.raises(FileUnusable, match="hasn't the heading of zoho-books"):
        told(XERO, Choices(layout="zoho-books"))
    with pytest.raises(FileUnusable, match=r"no layout 'sap'.*moneyforward"):
        told(XERO, Choices(layout="sap"))


def test_the_address_that_stands_in_for_a_name_is_still_the_address() -> None:
    heading = "Number,Customer Name,Customer Email,Currency,Amount Due,Amount Remaining,Status\n"
    data = heading + "S-1,Acme,ap@acme.example,usd,5.00,5.00,open\nS-2,,b@b.example,usd,5.00,5.00,open\n"
    buyers = [(one.buyer_name, one.buyer_email) for one in items(data) if isinstance(one, ImportedInvoice)]
    assert buyers == [("Acme", "ap@acme.example"), ("b@b.example", "b@b.example")]


def test_of_an_invoice_with_items_that_are_drafts_nothing_is_taken() -> None:
    heading, *_ = FRESHBOOKS.splitlines()
    row = "Lantern Films,{},2026-11-01,{},Shoot,500.00,CAD,2026-12-01"
    said = [
        ("1", "draft"),
        ("1", "sent"),
        ("2", "void"),
        ("2", "draft"),
        ("3", "Chased"),
        ("3", "draft"),
        ("4", "sent"),
    ]
    data = "\n".join([heading, *(row.format(*one) for one in said)])
    differ = "number: it is in lines 2 and 3: their amounts, currencies or states differ, so none is taken"
    bad = "number: it is in lines 6 and 7: one of them is bad, so none is taken"
    expected = [
        *(f"line 2: {differ}", f"line 3: {differ}", "line 4: void", "line 5: draft"),
        *(f"line 6: {UNKNOWN_STATE}", f"line 7: {bad}", "4 CAD 500.00 2026-12-01"),
    ]
    assert told(data) == expected
    # What is refused can be corrected by itself, since all of the invoice is there.
    refused = [one.cells[1] for one in items(data) if isinstance(one, BadLine)]
    assert refused == ["1", "1", "3", "3"]


def test_how_many_is_no_amount() -> None:
    with pytest.raises(FileUnusable, match="its columns are Número, Cliente, Cantidad"):
        told("Número,Cliente,Cantidad,Moneda\n1,Acme,3,EUR\n")


def test_of_two_states_one_that_isnt_known_keeps_an_invoice_from_being_taken() -> None:
    posted = (
        '"INV/2026/1";"Müller & Söhne GmbH";"2026-11-02";"2026-11-30";"1.250,00";"EUR";"Posted";"Not Paid"'
    )
    unknown = ODOO.replace(posted, posted.replace("Not Paid", "Zaplaceno"))
    assert told(unknown)[0] == f"line 2: {UNKNOWN_STATE.replace('Chased', 'Zaplaceno')}"


@pytest.mark.parametrize(
    ("due", "taken"),
    [
        (";Amount Due", ["INV/1 EUR 400.00 2026-11-30"]),
        (
            "",
            [
                "line 2: billing_amount: a part of it is paid, and nothing says what is still due: write that in a column of "
                "its own (it says “1.000,00”)"
            ],
        ),
    ],
)
def test_of_what_is_partly_paid_the_total_is_never_asked_for(due: str, taken: list[str]) -> None:
    heading = "Number;Partner;Invoice Date;Due Date;Total;Currency;Status;Payment Status" + due
    row = "INV/1;Acme;2026-11-02;2026-11-30;1.000,00;EUR;Posted;Partially Paid" + (";400,00" if due else "")
    assert told(f"{heading}\n{row}\n") == taken


def test_what_totals_are_called_is_no_invoice() -> None:
    heading = "InvoiceNumber,ContactName,Total,Currency\n"
    rows = "INV-1,Heron Ltd,10.00,GBP\nTotal,,10.00,\n,Grand Total,10.00,\nTotal for Heron Ltd,,10.00,\nINV-2,,1.00,GBP\n"
    taken, *others = items(heading + rows)
    assert isinstance(taken, ImportedInvoice)
    assert [one.because for one in others[:3] if isinstance(one, LeftOut)] == [LeftOutBecause.TOTALS] * 3
    assert isinstance(others[3], BadLine)
    [nameless] = items(f"{heading},Total Formation SA,10.00,EUR\n")
    assert isinstance(nameless, BadLine)


def states_taken(said: list[str]) -> list[str]:
    """What an invoice is taken as whose state is said so; blank if it is refused."""
    rows = [f'10/15/2026,Invoice,{n},Heron,10.00,USD,"{text}"' for n, text in enumerate(said)]
    found = items("\n".join(["Date,Type,No.,Customer,Amount,Currency,Status", *rows]))
    return [one.billing_state if isinstance(one, ImportedInvoice) else "" for one in found]


def test_a_state_may_say_when() -> None:
    when = ["10/30/2026", "2026-10-30", "30.10.2026", "30 Oct 2026", "Oct 30, 2026"]
    assert states_taken([f"Overdue on {day}" for day in when]) == ["open"] * 5
    assert states_taken([f"Paid {day}" for day in when]) == ["settled"] * 5
    assert states_taken(["Due in 5 days", "Due in 1 day", "Overdue 5 days"]) == ["open"] * 3


def test_a_state_that_says_how_much_isnt_known() -> None:
    paid = [
        "Paid 50%",
        "Paid 0%",
        "Paid (0)",
        "Paid 400.00 of 1000.00",
        "Paid 20261030",
        "Paid 400.00 on 10/30/2026",
    ]
    assert states_taken([*paid, "Outstanding 400.00", "Unpaid 400.00", "Open 5"]) == [""] * 9


def test_the_yen_sign_of_shift_jis_is_one() -> None:
    [found] = items('請求書番号,取引先名,合計金額\nA-1,見本,"\\110,000"\n'.encode("cp932"))
    assert isinstance(found, ImportedInvoice)
    assert (found.amount, found.currency) == (110_000, "JPY")
