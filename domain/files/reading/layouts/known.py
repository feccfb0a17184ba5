"""All layouts that are recognised."""

from domain.files.reading.layouts.invoice_ninja import INVOICE_NINJA
from domain.files.reading.layouts.layout import Layout, heading_key, keys
from domain.files.reading.layouts.odoo import ODOO
from domain.files.reading.layouts.programs import (
    AKAUNTING,
    FRESHBOOKS,
    MONEYFORWARD,
    QUICKBOOKS,
    STRIPE,
    XERO,
    ZOHO,
)
from domain.files.reading.repeated import Repeats

PLAIN = "plain"
EXPORT = "export"

PLAIN_COLUMNS = {
    name: (heading_key(name),)
    for name in (
        *("number", "buyer_name", "buyer_email", "billing_amount", "currency"),
        *("issue_date", "due_date", "description", "state"),
    )
}

LAYOUTS = (
    Layout(
        EXPORT,
        signs=(
            *((name,) for name in keys("number", "buyer_name", "billing_amount", "currency")),
            *((name,) for name in keys("payment_link_url", "amount_received", "stripe_payment")),
        ),
        columns=PLAIN_COLUMNS,
        repeats=Repeats.ONE,
        decimal_sign=".",
        date_order="ymd",
    ),
    Layout(
        PLAIN,
        signs=tuple((name,) for name in keys("number", "buyer_name", "billing_amount", "currency")),
        columns=PLAIN_COLUMNS,
        repeats=Repeats.ONE,
        decimal_sign=".",
        date_order="ymd",
    ),
    MONEYFORWARD,
    AKAUNTING,
    FRESHBOOKS,
    XERO,
    ZOHO,
    QUICKBOOKS,
    STRIPE,
    INVOICE_NINJA,
    ODOO,
)
BY_NAME = {layout.name: layout for layout in LAYOUTS}
