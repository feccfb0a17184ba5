"""Electronic invoices, as XML: what each field is called in them, and what is no invoice to be paid.

``ubl`` is OASIS's, as Peppol BIS Billing 3 uses it; ``cii`` is UN/CEFACT's, as Factur-X and ZUGFeRD 2 do. Both write what
EN 16931 asks for. Which names were verified: docs/reference/layouts.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from domain.files.import_fields import (
    ImportedInvoice,
    Problem,
    RecordRefused,
    is_currency,
    read_fields,
    shown,
)
from domain.files.reading.records import Exact, FileUnusable
from domain.files.reading.values.amounts import read_amount
from domain.money import Money
from domain.reasons import BillingState

FIELDS = (
    *("number", "buyer_name", "buyer_email", "billing_amount", "currency"),
    *("issue_date", "due_date", "description", "state"),
)
MOST_BYTES = 20 << 20
"""Of one document; attachments in it are as long as they are."""
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)", re.ASCII)
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII)
_DAY_102 = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})", re.ASCII)
# Of UNTDID 1001: documents for which the buyer gets money, or has it back.
_CREDIT_NOTES = frozenset("81 83 261 262 296 308 381 396 420 458 532".split())
_ONCE = ("number", "type", "currency", "due", "total")

_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
_CII = "urn:un:unece:uncefact:data:standard"
_CUSTOMER = "cac:AccountingCustomerParty/cac:Party"
_TRADE = "rsm:SupplyChainTradeTransaction"
_BUYER = f"{_TRADE}/ram:ApplicableHeaderTradeAgreement/ram:BuyerTradeParty"
_SETTLEMENT = f"{_TRADE}/ram:ApplicableHeaderTradeSettlement"
_SUMS = f"{_SETTLEMENT}/ram:SpecifiedTradeSettlementHeaderMonetarySummation"


@dataclass(frozen=True)
class Form:
    """``paths`` are where each field may stand, the best first; ``due`` is what is still to be paid, ``total`` the whole."""

    name: str
    root: str
    credit_note: str
    namespaces: Mapping[str, str]
    paths: Mapping[str, tuple[str, ...]]


UBL = Form(
    "ubl",
    root=f"{{{_UBL}:Invoice-2}}Invoice",
    credit_note=f"{{{_UBL}:CreditNote-2}}CreditNote",
    namespaces={"cbc": f"{_UBL}:CommonBasicComponents-2", "cac": f"{_UBL}:CommonAggregateComponents-2"},
    paths={
        "number": ("cbc:ID",),
        "type": ("cbc:InvoiceTypeCode",),
        "currency": ("cbc:DocumentCurrencyCode",),
        "buyer_name": (
            f"{_CUSTOMER}/cac:PartyLegalEntity/cbc:RegistrationName",
            f"{_CUSTOMER}/cac:PartyName/cbc:Name",
        ),
        "buyer_email": (
            f"{_CUSTOMER}/cac:Contact/cbc:ElectronicMail",
            f"{_CUSTOMER}/cbc:EndpointID[@schemeID='EM']",
        ),
        "due": ("cac:LegalMonetaryTotal/cbc:PayableAmount",),
        "total": ("cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount",),
        "issue_date": ("cbc:IssueDate",),
        "due_date": ("cbc:DueDate", "cac:PaymentMeans/cbc:PaymentDueDate"),
        "description": ("cbc:Note",),
    },
)
CII = Form(
    "cii",
    root=f"{{{_CII}:CrossIndustryInvoice:100}}CrossIndustryInvoice",
    credit_note="",
    namespaces={
        "rsm": f"{_CII}:CrossIndustryInvoice:100",
        "ram": f"{_CII}:ReusableAggregateBusinessInformationEntity:100",
        "udt": f"{_CII}:UnqualifiedDataType:100",
    },
    paths={
        "number": ("rsm:ExchangedDocument/ram:ID",),
        "type": ("rsm:ExchangedDocument/ram:TypeCode",),
        "currency": (f"{_SETTLEMENT}/ram:InvoiceCurrencyCode",),
        "buyer_name": (f"{_BUYER}/ram:Name",),
        "buyer_email": (
            f"{_BUYER}/ram:DefinedTradeContact/ram:EmailURIUniversalCommunication/ram:URIID",
            f"{_BUYER}/ram:URIUniversalCommunication/ram:URIID[@schemeID='EM']",
        ),
        "due": (f"{_SUMS}/ram:DuePayableAmount",),
        "total": (f"{_SUMS}/ram:GrandTotalAmount",),
        "issue_date": ("rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString",),
        "due_date": (f"{_SETTLEMENT}/ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime/udt:DateTimeString",),
        "description": ("rsm:ExchangedDocument/ram:IncludedNote/ram:Content",),
    },
)
FORMS = {form.name: form for form in (UBL, CII)}


@dataclass(frozen=True)
class Document:
    """One document: an invoice or credit note of that form."""

    form: Form
    root: etree._Element

    @property
    def number(self) -> str:
        return _line(next(iter(self._texts("number")), ""))

    def read(self, line: int) -> ImportedInvoice:
        """Raises RecordRefused."""
        self._check()
        values = {name: self._first(name) for name in ("number", "buyer_name", "currency")}
        values["buyer_email"] = self._first("buyer_email").removeprefix("mailto:")
        values["description"] = next(iter(self._texts("description")), "")
        problems: list[Problem] = []
        for name in ("issue_date", "due_date"):
            try:
                values[name] = self._day(name)
            except RecordRefused as refused:
                problems += refused.problems
        try:
            values["billing_amount"], values["state"] = self._money(values["currency"])
        except RecordRefused as refused:
            problems += refused.problems
            values["billing_amount"], values["state"] = "0", ""
        if problems:
            try:
                read_fields(line, values)
            except RecordRefused as refused:
                problems = [*refused.problems, *problems]
            raise RecordRefused(*problems)
        return read_fields(line, values, line, [values[name] for name in FIELDS])

    def cells(self) -> list[str]:
        """What the fields say as they stand there, of one that can't be read."""
        written = {"billing_amount": "due", "state": ""}
        return [self._first(written.get(name, name)) if written.get(name, name) else "" for name in FIELDS]

    def _check(self) -> None:
        for name in _ONCE:
            if len(self._elements(name)) > 1:
                raise RecordRefused(
                    Problem(_column(name), "", "it is there several times in the document: write it once")
                )
        if self.root.tag == self.form.credit_note or self._first("type") in _CREDIT_NOTES:
            raise RecordRefused(
                Problem("", self._first("type"), "a credit note, for which nobody pays: leave it out")
            )

    def _money(self, currency: str) -> tuple[str, str]:
        """What is still to be paid, and the state; of one for which nothing is, the whole. Raises RecordRefused."""
        if not is_currency(currency):
            # What is wrong with it is told with the other fields.
            return "0", ""
        due, total = (self._amount(name, currency) for name in ("due", "total"))
        if due is None:
            raise RecordRefused(Problem("billing_amount", "", "the document doesn't say what is to be paid"))
        if due.amount == 0 and total is not None and total.amount > 0:
            return total.major_units, BillingState.SETTLED.value
        return due.major_units, BillingState.OPEN.value

    def _amount(self, name: str, currency: str) -> Money | None:
        for element in self._elements(name):
            text, said = _line(element.text or ""), element.get("currencyID", currency)
            if said != currency:
                raise RecordRefused(
                    Problem(
                        "billing_amount",
                        shown(f"{said} {text}"),
                        f"its currency isn't the document's, {currency}",
                    )
                )
            if not _DECIMAL.fullmatch(text):
                raise RecordRefused(Problem("billing_amount", shown(text), "write an amount such as 1200.50"))
            return read_amount("billing_amount", Exact(_plain(text)), ".", currency)
        return None

    def _day(self, name: str) -> str:
        """The last of several: until then the whole may be paid. Raises RecordRefused."""
        days = [_iso_day(name, element) for element in self._elements(name) if (element.text or "").strip()]
        return max(days, default="")

    def _first(self, name: str) -> str:
        return _line(next((text for text in self._texts(name) if text.strip()), ""))

    def _texts(self, name: str) -> list[str]:
        return [element.text or "" for element in self._elements(name)]

    def _elements(self, name: str) -> list[etree._Element]:
        """Those of the first path that leads to any with a text."""
        for path in self.form.paths[name]:
            found = self.root.findall(path, dict(self.form.namespaces))
            if any((element.text or "").strip() for element in found):
                return found
        return []


def read_document(data: bytes, name: str) -> Document:
    """Raises FileUnusable for what is no electronic invoice. Nothing outside the document is read, nothing in it replaced."""
    if len(data) > MOST_BYTES:
        raise FileUnusable(f"{name} is larger than {MOST_BYTES >> 20} MB: leave its attachments out")
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        place = f" in line {line:,}" if line else ""
        raise FileUnusable(f"{name} isn't well-formed XML{place}: export it again") from None
    if root.getroottree().docinfo.doctype:
        raise FileUnusable(
            f"{name} declares a document type (DTD), which no electronic invoice does: export it again"
        )
    for form in FORMS.values():
        if root.tag in (form.root, form.credit_note):
            return Document(form, root)
    raise FileUnusable(_unknown(name, etree.QName(root)))


def _unknown(name: str, root: etree.QName) -> str:
    if root.localname == "CrossIndustryDocument":
        return f"{name} is a ZUGFeRD invoice of version 1: export it as ZUGFeRD 2 or Factur-X"
    return (
        f"{name} is XML, but no UBL or CII invoice (Peppol, Factur-X, ZUGFeRD): it begins with {shown(root.localname)!r}; "
        "export the invoices as one of these, CSV or .xlsx"
    )


def _iso_day(name: str, element: etree._Element) -> str:
    text, form = (element.text or "").strip(), element.get("format")
    match = _DAY.fullmatch(text) if form is None else None
    if match is not None:
        return match[1]
    if form == "102" and (match := _DAY_102.fullmatch(text)):
        return "-".join(match.groups())
    wanted = "write a date such as 2026-11-30, or in CII such as 20261130 in the format 102"
    raise RecordRefused(Problem(name, shown(text), wanted))


def _plain(text: str) -> str:
    """An xs:decimal as ``-1200.50``."""
    sign = "-" if text.startswith("-") else ""
    whole, _, decimals = text.lstrip("+-").partition(".")
    return f"{sign}{whole or '0'}{f'.{decimals}' if decimals else ''}"


def _column(name: str) -> str:
    return {"due": "billing_amount", "total": "billing_amount", "type": ""}.get(name, name)


def _line(text: str) -> str:
    return " ".join(text.split())
