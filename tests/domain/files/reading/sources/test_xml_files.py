"""Electronic invoices: one document, or a zip of them, from anybody."""

from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.files.import_fields import ImportedInvoice
from domain.files.reading.invoice_file import Choices, InvoiceFile, open_path
from domain.files.reading.records import BadLine, FileUnusable, Item
from domain.files.reading.sources.content import Content

SAMPLES = Path(__file__).parents[5] / "docs" / "samples"
UBL = (SAMPLES / "peppol-invoice.xml").read_text("utf-8")
CII = (SAMPLES / "factur-x-invoice.xml").read_text("utf-8")
Changed = tuple[str, str]


def read(data: bytes | str, name: str = "invoice.xml", layout: str = "") -> list[Item]:
    with Content.of_bytes(data.encode() if isinstance(data, str) else data, name) as content:
        return list(InvoiceFile(content, Choices(layout=layout)).read())


def one(document: str, *changes: Changed) -> Item:
    """What becomes of the document after each text of the changes was put in place of the other."""
    for before, after in changes:
        assert before in document
        document = document.replace(before, after)
    [item] = read(document)
    return item


def refused(document: str, *changes: Changed) -> str:
    item = one(document, *changes)
    assert isinstance(item, BadLine)
    return item.reason


def unusable(data: bytes | str, name: str = "invoice.xml", layout: str = "") -> str:
    with pytest.raises(FileUnusable) as raised:
        read(data, name, layout)
    return str(raised.value)


def test_an_invoice_of_peppol_is_taken_with_what_is_still_due() -> None:
    with open_path(SAMPLES / "peppol-invoice.xml") as file:
        assert file.layout == "ubl"
        [found] = file.read()
    assert found == ImportedInvoice(
        line=1,
        number="PEP-2026-041",
        number_key="pep-2026-041",
        buyer_name="Kestrel Theatre NV",
        buyer_email="accounts@kestrel-theatre.example",
        amount=100_000,
        currency="EUR",
        issue_date=date(2026, 10, 31),
        due_date=date(2026, 11, 30),
        description="Stage lighting, October",
    )


def test_an_invoice_of_factur_x_is_taken_with_what_is_still_due() -> None:
    with open_path(SAMPLES / "factur-x-invoice.xml") as file:
        assert file.layout == "cii"
        [found] = file.read()
    assert found == ImportedInvoice(
        line=1,
        number="FX-2026-118",
        number_key="fx-2026-118",
        buyer_name="Gärtnerei Ulmenhof",
        buyer_email="buero@ulmenhof.example",
        amount=30_000,
        currency="EUR",
        issue_date=date(2026, 10, 31),
        due_date=date(2026, 11, 30),
        description="Seeds for spring",
    )


@pytest.mark.parametrize(
    ("document", "before", "total"),
    [
        (UBL, '<cbc:PayableAmount currencyID="EUR">1000.00', 121_000),
        (CII, "<ram:DuePayableAmount>300.00", 42_800),
    ],
)
def test_what_is_prepaid_whole_is_settled(document: str, before: str, total: int) -> None:
    item = one(document, (before, before[: before.rindex(">") + 1] + "0.00"))
    assert isinstance(item, ImportedInvoice)
    assert (item.billing_state, item.amount) == ("settled", total)


@pytest.mark.parametrize(
    ("document", "change"),
    [
        (UBL, ("<cbc:InvoiceTypeCode>380", "<cbc:InvoiceTypeCode>381")),
        (CII, ("<ram:TypeCode>380", "<ram:TypeCode>381")),
        (CII, ("<ram:TypeCode>380", "<ram:TypeCode>261")),
        (UBL.replace("</Invoice>", "</CreditNote>"), ("<Invoice ", "<CreditNote ")),
    ],
)
def test_credit_notes_are_refused_with_that_reason(document: str, change: Changed) -> None:
    changes = [change, ("xsd:Invoice-2", "xsd:CreditNote-2")] if "CreditNote" in change[1] else [change]
    assert "a credit note, for which nobody pays" in refused(document, *changes)


@pytest.mark.parametrize(
    ("document", "change", "words"),
    [
        (
            UBL,
            ('<cbc:PayableAmount currencyID="EUR"', '<cbc:PayableAmount currencyID="USD"'),
            "isn't the document's, EUR",
        ),
        (
            CII,
            ("<ram:DuePayableAmount>", '<ram:DuePayableAmount currencyID="USD">'),
            "isn't the document's, EUR",
        ),
        (UBL, (">1000.00</cbc:PayableAmount>", ">1e3</cbc:PayableAmount>"), "write an amount"),
        (UBL, (">1000.00</cbc:PayableAmount>", ">1,000.00</cbc:PayableAmount>"), "write an amount"),
        (UBL, (">1000.00</cbc:PayableAmount>", ">10.001</cbc:PayableAmount>"), "decimals"),
        (UBL, (">1000.00</cbc:PayableAmount>", "/>"), "doesn't say what is to be paid"),
        (UBL, ("<cbc:DueDate>2026-11-30", "<cbc:DueDate>30.11.2026"), "due_date"),
        (UBL, ("<cbc:IssueDate>2026-10-31", "<cbc:IssueDate>2026-02-30"), "issue_date"),
        (CII, ('format="102">20261130', 'format="203">202611301200'), "due_date"),
        (CII, ('format="102">20261031', 'format="102">20261301'), "issue_date"),
        (CII, ("<ram:Name>Gärtnerei Ulmenhof</ram:Name>", ""), "buyer_name"),
        (UBL, ("<cbc:ID>PEP-2026-041</cbc:ID>", ""), "number"),
        (UBL, ("<cbc:DocumentCurrencyCode>EUR", "<cbc:DocumentCurrencyCode>XYZ"), "currency"),
        (UBL, ("<cbc:ID>PEP", "<cbc:ID>PEP-1</cbc:ID><cbc:ID>PEP"), "several times"),
        (UBL, ("accounts@kestrel", "accounts kestrel"), "buyer_email"),
    ],
)
def test_what_is_wrong_is_told_with_its_field(document: str, change: Changed, words: str) -> None:
    assert words in refused(document, change)


def test_all_that_is_wrong_is_told_at_once() -> None:
    told = refused(
        UBL,
        ("2026-11-30", "soon"),
        ("PEP-2026-041", "x" * 61),
        (">1000.00</cbc:PayableAmount>", ">x</cbc:PayableAmount>"),
    )
    assert all(name in told for name in ("due_date", "number", "billing_amount"))


@pytest.mark.parametrize(
    ("document", "change", "name", "value"),
    [
        (UBL, ("<cbc:DueDate>2026-11-30</cbc:DueDate>", ""), "due_date", None),
        (UBL, ("<cbc:DueDate>2026-11-30", "<cbc:DueDate>2026-11-30+01:00"), "due_date", date(2026, 11, 30)),
        (
            UBL,
            ("<cbc:RegistrationName>Kestrel Theatre NV</cbc:RegistrationName>", ""),
            "buyer_name",
            "Kestrel",
        ),
        (UBL, (">1000.00</cbc:PayableAmount>", ">+1000.0000</cbc:PayableAmount>"), "amount", 100_000),
        (UBL, (">1000.00</cbc:PayableAmount>", ">-5.5</cbc:PayableAmount>"), "amount", -550),
        (
            UBL,
            ("Kestrel Theatre NV", "Kestrel\n   <!-- x -->Theatre &amp; Sons"),
            "buyer_name",
            "Kestrel Theatre & Sons",
        ),
        (UBL, ("Kestrel Theatre NV", "<![CDATA[=1+1]]>"), "buyer_name", "=1+1"),
        (CII, ("buero@", "mailto:buero@"), "buyer_email", "buero@ulmenhof.example"),
        (UBL, ("accounts@kestrel-theatre.example", " "), "buyer_email", ""),
        (
            UBL,
            ('schemeID="0208">0123456789', 'schemeID="EM">a@b.example'),
            "buyer_email",
            "accounts@kestrel-theatre.example",
        ),
        (CII, ("<ram:DuePayableAmount>", '<ram:DuePayableAmount currencyID="EUR">'), "amount", 30_000),
    ],
)
def test_the_forms_that_the_standards_allow_are_taken(
    document: str, change: Changed, name: str, value: object
) -> None:
    assert getattr(one(document, change), name) == value


def test_of_several_terms_the_last_day_counts() -> None:
    begin, end = CII.index("<ram:SpecifiedTradePaymentTerms>"), CII.index("</ram:SpecifiedTradePaymentTerms>")
    terms = CII[begin : end + len("</ram:SpecifiedTradePaymentTerms>")]
    item = one(CII, (terms, terms + terms.replace("20261130", "20261110")))
    assert isinstance(item, ImportedInvoice)
    assert item.due_date == date(2026, 11, 30)


def test_utf_16_is_xml_too() -> None:
    [item] = read(UBL.replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"))
    assert isinstance(item, ImportedInvoice)


LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    "declared",
    [
        '<!DOCTYPE Invoice SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE Invoice [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE Invoice [<!ENTITY x SYSTEM "http://127.0.0.1:9/">]>',
        '<!DOCTYPE Invoice [<!ENTITY % x SYSTEM "http://127.0.0.1:9/"> %x;]>',
        f'<!DOCTYPE Invoice [<!ENTITY a0 "ha">{LAUGHS}<!ENTITY x "&a11;">]>',
    ],
)
@pytest.mark.parametrize("place", ["PEP-2026-041", 'EUR">1000.00</cbc:Payable'])
def test_a_document_type_is_refused_and_nothing_is_read_for_it(declared: str, place: str) -> None:
    document = UBL.replace("<Invoice ", f"{declared}<Invoice ", 1)
    # In a text, and in an attribute.
    text = "&x;" if place.startswith("PEP") else '&x;">1000.00</cbc:Payable'
    document = document.replace(place, text) if "ENTITY x" in declared else document
    words = unusable(document)
    assert "document type" in words or "well-formed" in words
    assert "root:" not in words


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("<a>", "isn't well-formed XML in line 1"),
        ("<a/>", "begins with 'a'"),
        ('<x:Invoice xmlns:x="urn:other"/>', "no UBL or CII invoice"),
        (
            '<r:CrossIndustryDocument xmlns:r="urn:ferd:CrossIndustryDocument:invoice:1p0"/>',
            "ZUGFeRD invoice of version 1",
        ),
        ("<a>" * 100_000, "well-formed"),
        ("<a b='" + "x" * 11_000_000 + "'/>", "well-formed"),
        ("<" + "a" * 21_000_000, "larger than 20 MB"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "well-formed"),
        ("<\x00a/>", "well-formed"),
    ],
)
def test_what_is_no_invoice_is_a_sentence(data: str, words: str) -> None:
    assert words in unusable(data)


@pytest.mark.parametrize(("layout", "words"), [("cii", "in ubl, not in cii"), ("xero", "not in xero")])
def test_a_layout_that_it_isnt_is_told(layout: str, words: str) -> None:
    assert words in unusable(UBL, layout=layout)
    assert len(read(UBL, layout="ubl")) == 1


def test_a_table_is_no_xml() -> None:
    assert "isn't XML, as ubl is" in unusable("number,buyer_name\n", "a.csv", "ubl")


# Zips


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_no_text_in_a_document_breaks_the_reader(text: str) -> None:
    with suppress(FileUnusable):
        read(UBL.replace("Stage lighting, October", text).replace("PEP-2026-041", text))
