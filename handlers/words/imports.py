"""The words of imports: fields, layouts, how values are written."""

FIELDS: dict[str, str] = {
    "number": "Invoice number",
    "buyer_name": "Buyer",
    "billing_amount": "Billing amount",
    "currency": "Currency",
    "due_date": "Due date",
    "issue_date": "Issue date",
    "buyer_email": "E-mail",
    "description": "Description",
    "amount_due": "Billing amount, as far as it is due",
    "state": "State",
}
"""By the names of the plain dialect, in the order in which people are asked for them."""

ASKED = (
    "number",
    "buyer_name",
    "billing_amount",
    "currency",
    "due_date",
    "issue_date",
    "buyer_email",
    "description",
)
NEEDED = frozenset(ASKED[:4])

LAYOUTS: dict[str, str] = {
    "plain": "Paylink's own columns",
    "export": "an export of Paylink's",
    "json-lines": "JSON Lines",
    "xero": "Xero",
    "quickbooks-online": "QuickBooks Online",
    "zoho-books": "Zoho Books",
    "freshbooks": "FreshBooks",
    "odoo": "Odoo",
    "invoice-ninja": "Invoice Ninja",
    "akaunting": "Akaunting",
    "stripe-invoices": "Stripe's invoices",
    "moneyforward": "Money Forward",
    "ubl": "UBL (Peppol)",
    "cii": "CII (Factur-X, ZUGFeRD)",
}
AS_SAID = "columns that somebody of your organisation chose"

DECIMAL_SIGNS = {".": "Point", ",": "Comma"}
DATE_ORDERS = {"dmy": "Day first", "mdy": "Month first", "ymd": "Year first"}

CHANGES: dict[str, str] = {
    "number": "Invoice number",
    "buyer_name": "Buyer",
    "buyer_email": "E-mail",
    "issue_date": "Issue date",
    "due_date": "Due date",
    "description": "Description",
    "billing_state": "State",
}
"""What a changed invoice may differ in, besides its amount."""
