"""The layouts of other programs. What is known of each, and how well: docs/reference/layouts.md."""

from domain.files.reading.layouts.layout import Layout, keys
from domain.files.reading.repeated import Repeats

XERO = Layout(
    "xero",
    signs=(
        keys("InvoiceNumber"),
        keys("ContactName", "Contact"),
        keys("Total", "InvoiceAmountDue", "InvoiceTotal"),
    ),
    columns={
        "number": keys("InvoiceNumber"),
        "buyer_name": keys("ContactName", "Contact"),
        "buyer_email": keys("EmailAddress", "Email"),
        "amount_due": keys("InvoiceAmountDue", "AmountDue"),
        "billing_amount": keys("Total", "InvoiceTotal"),
        "currency": keys("Currency", "CurrencyCode"),
        "issue_date": keys("InvoiceDate", "Date"),
        "due_date": keys("DueDate"),
        "description": keys("Reference", "InvoiceReference"),
        "state": keys("Status", "InvoiceStatus"),
    },
    keep={
        keys("Type", "InvoiceType"): (
            "ACCREC",
            "Sales invoice",
            "Sales invoices",
            "Sales",
            "Sale",
            "Invoice",
        )
    },
)
QUICKBOOKS = Layout(
    "quickbooks-online",
    signs=(
        keys("Transaction Type", "Type"),
        keys("Num", "No.", "Invoice No."),
        keys("Name", "Customer", "Customer full name"),
        keys("Amount", "Open Balance", "Total"),
    ),
    columns={
        "number": keys("Num", "No.", "Number", "Invoice No."),
        "buyer_name": keys("Customer full name", "Customer", "Name"),
        "buyer_email": keys("Email", "Customer Email", "Billing Email", "Bill Email"),
        "amount_due": keys("Open Balance", "Balance", "Balance Due"),
        "billing_amount": keys("Amount", "Total", "Total Amount"),
        "currency": keys("Currency", "Transaction Currency"),
        "issue_date": keys("Date", "Transaction Date", "Invoice Date"),
        "due_date": keys("Due Date"),
        "description": keys("Memo/Description", "Memo", "Description"),
        "state": keys("Status", "A/R Paid"),
    },
    keep={keys("Transaction Type", "Type"): ("Invoice", "Invoices")},
)
ZOHO = Layout(
    "zoho-books",
    signs=(keys("Invoice Number"), keys("Customer Name"), keys("Total", "Balance")),
    columns={
        "number": keys("Invoice Number"),
        "buyer_name": keys("Customer Name"),
        "buyer_email": keys(
            "Primary Contact EmailID", "Customer Email", "Contact Email", "Email", "EmailID", "Email Address"
        ),
        "amount_due": keys("Balance", "Balance Due"),
        "billing_amount": keys("Total", "Invoice Total"),
        "currency": keys("Currency Code", "Currency"),
        "issue_date": keys("Invoice Date", "Date"),
        "due_date": keys("Due Date"),
        "description": keys("Subject", "Reference Number", "PurchaseOrder"),
        "state": keys("Invoice Status", "Status"),
    },
)
FRESHBOOKS = Layout(
    "freshbooks",
    signs=(keys("Invoice #", "Invoice Number"), keys("Client Name", "Client"), keys("Line Total")),
    columns={
        "number": keys("Invoice #", "Invoice Number"),
        "buyer_name": keys("Client Name", "Client"),
        "buyer_email": keys("Client Email", "Email"),
        "billing_amount": keys("Line Total"),
        "currency": keys("Currency", "Currency Code"),
        "issue_date": keys("Date Issued", "Issue Date", "Invoice Date"),
        "due_date": keys("Date Due", "Due Date"),
        "state": keys("Invoice Status", "Status"),
    },
    repeats=Repeats.SUM,
)
AKAUNTING = Layout(
    "akaunting",
    signs=(
        keys("invoice_number", "document_number"),
        keys("invoiced_at", "issued_at"),
        keys("amount"),
        keys("contact_name"),
    ),
    columns={
        "number": keys("invoice_number", "document_number"),
        "buyer_name": keys("contact_name"),
        "buyer_email": keys("contact_email"),
        "amount_due": keys("amount_due"),
        "billing_amount": keys("amount"),
        "currency": keys("currency_code"),
        "issue_date": keys("invoiced_at", "issued_at"),
        "due_date": keys("due_at"),
        "description": keys("order_number"),
        "state": keys("status"),
    },
    keep={keys("type"): ("invoice",)},
)
STRIPE = Layout(
    "stripe-invoices",
    signs=(
        keys("Number", "Invoice Number"),
        keys("Customer Name", "Customer Email", "Customer", "Customer Description"),
        keys("Amount Due", "Amount Remaining", "Total"),
        keys(
            *("Date (UTC)", "Due Date (UTC)", "Created (UTC)", "Created", "Amount Remaining", "Amount Paid"),
            *("Subscription", "Customer ID", "Hosted Invoice URL", "Billing", "Finalized At (UTC)", "id"),
        ),
    ),
    columns={
        "number": keys("Number", "Invoice Number"),
        "buyer_name": keys("Customer Name", "Customer Description", "Customer Email", "Customer"),
        "buyer_email": keys("Customer Email", "Email"),
        "amount_due": keys("Amount Remaining", "Amount Due"),
        "billing_amount": keys("Total", "Amount Due", "Amount"),
        "currency": keys("Currency"),
        "issue_date": keys(
            "Date (UTC)",
            "Finalized At (UTC)",
            "Created (UTC)",
            "Created",
            "Date",
            "Invoice Date",
            "Created Date (UTC)",
        ),
        "due_date": keys("Due Date (UTC)", "Due Date", "Due"),
        "description": keys("Description", "Memo"),
        "state": keys("Status"),
    },
)
MONEYFORWARD = Layout(
    "moneyforward",
    signs=(
        keys("請求書番号"),
        keys("取引先名", "取引先名称", "取引先", "顧客名"),
        keys("合計金額", "請求金額", "合計"),
    ),
    columns={
        "number": keys("請求書番号"),
        "buyer_name": keys("取引先名", "取引先名称", "取引先", "顧客名"),
        "buyer_email": keys("メールアドレス", "取引先メールアドレス", "取引先担当者メールアドレス", "メール"),
        "billing_amount": keys("合計金額", "請求金額", "合計"),
        "currency": keys("通貨"),
        "issue_date": keys("請求日", "発行日"),
        "due_date": keys("お支払期限", "支払期限", "お支払い期限", "支払期日", "入金期日"),
        "description": keys("件名"),
        "state": keys("入金ステータス", "入金状況", "ステータス"),
    },
    currency="JPY",
    decimal_sign=".",
    date_order="ymd",
)
