"""What becomes of a file's records, in few words."""

from domain.files.import_fields import ImportedInvoice
from domain.files.reading.invoice_file import NO_CHOICES, Choices, InvoiceFile
from domain.files.reading.records import BadLine, Item
from domain.files.reading.sources.content import Content
from domain.money import Money


def items(data: bytes | str, choices: Choices = NO_CHOICES, name: str = "invoices.csv") -> list[Item]:
    with Content.of_bytes(data.encode() if isinstance(data, str) else data, name) as content:
        return list(InvoiceFile(content, choices).read())


def told(data: bytes | str, choices: Choices = NO_CHOICES, name: str = "invoices.csv") -> list[str]:
    """A line for each record: number, amount, state and due date of one that is taken, else why it isn't."""
    return [_told(item) for item in items(data, choices, name)]


def _told(item: Item) -> str:
    if isinstance(item, ImportedInvoice):
        state = "" if item.billing_state == "open" else f" {item.billing_state}"
        due = "" if item.due_date is None else f" {item.due_date}"
        return f"{item.number} {Money(item.amount, item.currency)}{state}{due}"
    if isinstance(item, BadLine):
        return f"{item.where}: {item.reason}"
    return f"line {item.line}: {item.because}"
