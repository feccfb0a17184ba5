"""The layouts of other programs: by which columns each is recognised, and what its columns become.

Names are compared as ``heading_key`` folds them. What is known of each layout, and how well: docs/reference/layouts.md.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from domain.files.reading.repeated import Repeats

PLAIN = "plain"
EXPORT = "export"
SEVERAL = frozenset({"buyer_name", "state"})
"""Fields that several columns say: the first that isn't blank, or for a state, whatever any of them says."""


@lru_cache(maxsize=10_000)
def heading_key(name: str) -> str:
    """Letters, digits and #, in one case and width: programs' versions differ in blanks, marks and capitals."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(char for char in folded if char == "#" or unicodedata.category(char)[0] in "LMN")


def _keys(*names: str) -> tuple[str, ...]:
    return tuple(map(heading_key, names))


@dataclass(frozen=True)
class Layout:
    """``columns``: for each field the names that its column may have, the best first.

    A heading is recognised if it has a name of each group in ``signs``.
    """

    name: str
    signs: tuple[tuple[str, ...], ...]
    columns: Mapping[str, tuple[str, ...]]
    keep: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    """By the names that the column may have, where it is there: the values of records that are invoices."""
    repeats: Repeats = Repeats.SAME
    currency: str = ""
    decimal_sign: str = ""
    date_order: str = ""

    def matches(self, heading: Sequence[str]) -> bool:
        keys = {heading_key(name) for name in heading}
        return all(keys.intersection(group) for group in self.signs)

    def find_columns(self, heading: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The heading's names for each field that it has; one column is one field only."""
        by_key: dict[str, str] = {}
        for name in heading:
            by_key.setdefault(heading_key(name), name)
        found: dict[str, tuple[str, ...]] = {}
        for one, keys in self.columns.items():
            names = (
                list(dict.fromkeys(by_key.pop(key) for key in keys if key in by_key))
                if one in SEVERAL
                else []
            )
            if one not in SEVERAL and (best := next((key for key in keys if key in by_key), None)):
                names = [by_key.pop(best)]
            if names:
                found[one] = tuple(names)
        return found

    def find_kept(self, heading: Sequence[str]) -> dict[str, tuple[str, ...]]:
        by_key = {heading_key(name): name for name in reversed(heading)}
        return {
            by_key[key]: values
            for names, values in self.keep.items()
            if (key := next((name for name in names if name in by_key), None)) is not None
        }


_PLAIN_COLUMNS = {
    name: (heading_key(name),)
    for name in (
        *("number", "buyer_name", "buyer_email", "billing_amount", "currency"),
        *("issue_date", "due_date", "description", "state"),
    )
}

_XERO = Layout(
    "xero",
    signs=(
        _keys("InvoiceNumber"),
        _keys("ContactName", "Contact"),
        _keys("Total", "InvoiceAmountDue", "InvoiceTotal"),
    ),
    columns={
        "number": _keys("InvoiceNumber"),
        "buyer_name": _keys("ContactName", "Contact"),
        "buyer_email": _keys("EmailAddress", "Email"),
        "amount_due": _keys("InvoiceAmountDue", "AmountDue"),
        "billing_amount": _keys("Total", "InvoiceTotal"),
        "currency": _keys("Currency", "CurrencyCode"),
        "issue_date": _keys("InvoiceDate", "Date"),
        "due_date": _keys("DueDate"),
        "description": _keys("Reference", "InvoiceReference"),
        "state": _keys("Status", "InvoiceStatus"),
    },
    keep={
        _keys("Type", "InvoiceType"): (
            "ACCREC",
            "Sales invoice",
            "Sales invoices",
            "Sales",
            "Sale",
            "Invoice",
        )
    },
)
_QUICKBOOKS = Layout(
    "quickbooks-online",
    signs=(
        _keys("Transaction Type", "Type"),
        _keys("Num", "No.", "Invoice No."),
        _keys("Name", "Customer", "Customer full name"),
        _keys("Amount", "Open Balance", "Total"),
    ),
    columns={
        "number": _keys("Num", "No.", "Number", "Invoice No."),
        "buyer_name": _keys("Customer full name", "Customer", "Name"),
        "buyer_email": _keys("Email", "Customer Email", "Billing Email", "Bill Email"),
        "amount_due": _keys("Open Balance", "Balance", "Balance Due"),
        "billing_amount": _keys("Amount", "Total", "Total Amount"),
        "currency": _keys("Currency", "Transaction Currency"),
        "issue_date": _keys("Date", "Transaction Date", "Invoice Date"),
        "due_date": _keys("Due Date"),
        "description": _keys("Memo/Description", "Memo", "Description"),
        "state": _keys("Status", "A/R Paid"),
    },
    keep={_keys("Transaction Type", "Type"): ("Invoice", "Invoices")},
)
_ZOHO = Layout(
    "zoho-books",
    signs=(_keys("Invoice Number"), _keys("Customer Name"), _keys("Total", "Balance")),
    columns={
        "number": _keys("Invoice Number"),
        "buyer_name": _keys("Customer Name"),
        "buyer_email": _keys(
            "Primary Contact EmailID", "Customer Email", "Contact Email", "Email", "EmailID", "Email Address"
        ),
        "amount_due": _keys("Balance", "Balance Due"),
        "billing_amount": _keys("Total", "Invoice Total"),
        "currency": _keys("Currency Code", "Currency"),
        "issue_date": _keys("Invoice Date", "Date"),
        "due_date": _keys("Due Date"),
        "description": _keys("Subject", "Reference Number", "PurchaseOrder"),
        "state": _keys("Invoice Status", "Status"),
    },
)
_FRESHBOOKS = Layout(
    "freshbooks",
    signs=(_keys("Invoice #", "Invoice Number"), _keys("Client Name", "Client"), _keys("Line Total")),
    columns={
        "number": _keys("Invoice #", "Invoice Number"),
        "buyer_name": _keys("Client Name", "Client"),
        "buyer_email": _keys("Client Email", "Email"),
        "billing_amount": _keys("Line Total"),
        "currency": _keys("Currency", "Currency Code"),
        "issue_date": _keys("Date Issued", "Issue Date", "Invoice Date"),
        "due_date": _keys("Date Due", "Due Date"),
        "state": _keys("Invoice Status", "Status"),
    },
    repeats=Repeats.SUM,
)
_NUMBERS = _keys("Number", "Nummer", "Rechnungsnummer", "Numéro", "Número", "Numero", "Factuurnummer")
_CLIENTS = _keys("Client", "Kunde", "Client Name", "Invoice Client", "Client ID", "Cliente", "Klant")
_INVOICE_NINJA = Layout(
    "invoice-ninja",
    signs=(
        (*_keys("Invoice Number", "Invoice Invoice Number"), *_NUMBERS),
        _CLIENTS,
        _keys("Amount", "Invoice Amount", "Betrag", "Montant", "Importe", "Bedrag", "Importo"),
    ),
    columns={
        "number": (*_keys("Invoice Number", "Invoice Invoice Number"), *_NUMBERS),
        "buyer_name": (
            *_keys("Client Name", "Client", "Kunde", "Invoice Client", "Cliente", "Klant"),
            *_CLIENTS,
        ),
        "buyer_email": _keys("Client Email", "Email", "E-Mail", "Contact Email"),
        "amount_due": _keys("Balance", "Invoice Balance", "Balance Due", "Saldo", "Offener Betrag", "Solde"),
        "billing_amount": _keys(
            "Amount", "Invoice Amount", "Betrag", "Montant", "Importe", "Bedrag", "Importo"
        ),
        "currency": _keys(
            "Currency",
            "Currency ID",
            "Currency Code",
            "Invoice Currency",
            "Währung",
            "Devise",
            "Moneda",
            "Valuta",
        ),
        "issue_date": _keys(
            "Date", "Invoice Date", "Invoice Invoice Date", "Datum", "Rechnungsdatum", "Fecha", "Data"
        ),
        "due_date": _keys(
            *("Due Date", "Invoice Due Date", "Fälligkeitsdatum", "Fällig am", "Date limite"),
            *("Fecha de vencimiento", "Vervaldatum", "Date d'échéance"),
        ),
        "description": _keys("PO Number", "Public Notes"),
        "state": _keys("Status", "Invoice Status", "Statut", "Estado", "Status ID"),
    },
)
_AKAUNTING = Layout(
    "akaunting",
    signs=(
        _keys("invoice_number", "document_number"),
        _keys("invoiced_at", "issued_at"),
        _keys("amount"),
        _keys("contact_name"),
    ),
    columns={
        "number": _keys("invoice_number", "document_number"),
        "buyer_name": _keys("contact_name"),
        "buyer_email": _keys("contact_email"),
        "amount_due": _keys("amount_due"),
        "billing_amount": _keys("amount"),
        "currency": _keys("currency_code"),
        "issue_date": _keys("invoiced_at", "issued_at"),
        "due_date": _keys("due_at"),
        "description": _keys("order_number"),
        "state": _keys("status"),
    },
    keep={_keys("type"): ("invoice",)},
)
_STRIPE = Layout(
    "stripe-invoices",
    signs=(
        _keys("Number", "Invoice Number"),
        _keys("Customer Name", "Customer Email", "Customer", "Customer Description"),
        _keys("Amount Due", "Amount Remaining", "Total"),
        _keys(
            *("Date (UTC)", "Due Date (UTC)", "Created (UTC)", "Created", "Amount Remaining", "Amount Paid"),
            *("Subscription", "Customer ID", "Hosted Invoice URL", "Billing", "Finalized At (UTC)", "id"),
        ),
    ),
    columns={
        "number": _keys("Number", "Invoice Number"),
        "buyer_name": _keys("Customer Name", "Customer Description", "Customer Email", "Customer"),
        "buyer_email": _keys("Customer Email", "Email"),
        "amount_due": _keys("Amount Remaining", "Amount Due"),
        "billing_amount": _keys("Total", "Amount Due", "Amount"),
        "currency": _keys("Currency"),
        "issue_date": _keys(
            "Date (UTC)",
            "Finalized At (UTC)",
            "Created (UTC)",
            "Created",
            "Date",
            "Invoice Date",
            "Created Date (UTC)",
        ),
        "due_date": _keys("Due Date (UTC)", "Due Date", "Due"),
        "description": _keys("Description", "Memo"),
        "state": _keys("Status"),
    },
)
_MONEYFORWARD = Layout(
    "moneyforward",
    signs=(
        _keys("請求書番号"),
        _keys("取引先名", "取引先名称", "取引先", "顧客名"),
        _keys("合計金額", "請求金額", "合計"),
    ),
    columns={
        "number": _keys("請求書番号"),
        "buyer_name": _keys("取引先名", "取引先名称", "取引先", "顧客名"),
        "buyer_email": _keys(
            "メールアドレス", "取引先メールアドレス", "取引先担当者メールアドレス", "メール"
        ),
        "billing_amount": _keys("合計金額", "請求金額", "合計"),
        "currency": _keys("通貨"),
        "issue_date": _keys("請求日", "発行日"),
        "due_date": _keys("お支払期限", "支払期限", "お支払い期限", "支払期日", "入金期日"),
        "description": _keys("件名"),
        "state": _keys("入金ステータス", "入金状況", "ステータス"),
    },
    currency="JPY",
    decimal_sign=".",
    date_order="ymd",
)
_PARTNERS = _keys(
    *("Invoice Partner Display Name", "Partner", "Customer", "Partner/Display Name", "Partner/Name"),
    *(
        "Anzeigename des Rechnungspartners",
        "Anzeigename des Partners der Rechnung",
        "Geschäftspartner",
        "Kunde",
    ),
    *(
        "Nom d'affichage du partenaire de la facture",
        "Partenaire",
        "Client",
        "Invoice Partner",
        "Relatie",
        "Klant",
    ),
    *("Empresa", "Cliente", "invoice_partner_display_name", "partner_id"),
)
_TOTALS = _keys(
    *("Total in Currency", "Total in Currency Signed", "Total", "Gesamt", "Gesamtbetrag", "Summe", "Totaal"),
    *("amount_total", "Totale", "Total en devise"),
)
_ODOO = Layout(
    "odoo",
    signs=((*_NUMBERS, *_keys("name")), _PARTNERS, _TOTALS),
    columns={
        "number": (*_NUMBERS, *_keys("name")),
        "buyer_name": _PARTNERS,
        "buyer_email": _keys("Partner/Email", "Email", "E-Mail", "Customer/Email", "partner_id/email"),
        "amount_due": _keys(
            *("Amount Due", "Amount Due in Currency", "Offener Betrag", "Fälliger Betrag", "Montant dû"),
            *("Importe adeudado", "amount_residual"),
        ),
        "billing_amount": _TOTALS,
        "currency": _keys("Currency", "Währung", "Devise", "Moneda", "Valuta", "currency_id"),
        "issue_date": _keys(
            *(
                "Invoice/Bill Date",
                "Invoice Date",
                "Rechnungsdatum",
                "Date de facturation",
                "Bill Date",
                "Date",
            ),
            *("Rechnungs-/Belegdatum", "Rechnungsdatum/Datum der Lieferantenrechnung", "Fecha de factura"),
            *("Factuurdatum", "invoice_date"),
        ),
        "due_date": _keys(
            *("Due Date", "Fälligkeitsdatum", "Fälligkeit", "Date d'échéance", "Fecha de vencimiento"),
            *("Vervaldatum", "Date Due", "invoice_date_due"),
        ),
        "description": _keys("Reference", "Referenz", "Référence", "Source", "Payment Reference", "ref"),
        "state": _keys(
            "Payment Status",
            "Zahlungsstatus",
            "Statut du paiement",
            "Status",
            "Statut",
            "État",
            "Estado",
            "state",
        ),
    },
    keep={
        _keys("Type", "Typ", "move_type"): (
            *(
                "Customer Invoice",
                "Kundenrechnung",
                "Ausgangsrechnung",
                "Facture client",
                "out_invoice",
                "Invoice",
            ),
        )
    },
)

LAYOUTS = (
    Layout(
        EXPORT,
        signs=(
            *((name,) for name in _keys("number", "buyer_name", "billing_amount", "currency")),
            *((name,) for name in _keys("payment_link_url", "amount_received", "stripe_payment")),
        ),
        columns=_PLAIN_COLUMNS,
        repeats=Repeats.ONE,
        decimal_sign=".",
        date_order="ymd",
    ),
    Layout(
        PLAIN,
        signs=tuple((name,) for name in _keys("number", "buyer_name", "billing_amount", "currency")),
        columns=_PLAIN_COLUMNS,
        repeats=Repeats.ONE,
        decimal_sign=".",
        date_order="ymd",
    ),
    _MONEYFORWARD,
    _AKAUNTING,
    _FRESHBOOKS,
    _XERO,
    _ZOHO,
    _QUICKBOOKS,
    _STRIPE,
    _INVOICE_NINJA,
    _ODOO,
)
BY_NAME = {layout.name: layout for layout in LAYOUTS}

_LEFT_OUT = "draft|entwurf|brouillon|borrador|bozza|concept|下書き|pendingapproval|awaitingapproval|submitted|proforma"
_VOID = (
    "void|voided|cancelled|canceled|deleted|writtenoff|uncollectible|reversed|declined|rejected|storniert|abgebrochen|"
    "annulé|annulée|cancelado|geannuleerd|キャンセル|無効|取消"
)
_SETTLED = "paid|closed|settled|inpayment|bezahlt|inzahlung|payé|payée|enpaiement|pagado|betaald|入金済|入金済み|completed|autopaid"
_OPEN = (
    "open|authorised|authorized|awaitingpayment|approved|sent|viewed|overdue|pastdue|due|unpaid|partiallypaid|partialpaid|"
    "partial|partpaid|paymentpending|outstanding|posted|notpaid|issued|finalized|emailed|unsent|"
    "gebucht|nichtbezahlt|offen|gesendet|versendet|überfällig|teilweisebezahlt|teilbezahlt|comptabilisé|comptabilisée|"
    "nonpayé|nonpayée|partiellementpayé|envoyé|envoyée|publicado|geboekt|nietbetaald|未入金|未設定|一部入金|送付済|送付済み|"
    "printed|未払い"
)
STATES = {
    heading_key(word): state
    for state, words in (("draft", _LEFT_OUT), ("void", _VOID), ("settled", _SETTLED), ("open", _OPEN))
    for word in words.split("|")
}
"""What the programs' words for an invoice's state stand for."""
