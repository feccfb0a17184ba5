"""The two slash commands. Their mistakes are caught here and answered to the person alone."""

from handlers.bolt.context import Office, Work
from handlers.bolt.payload import Delivery
from handlers.features import bulk_listing, details, exceptions, type_ahead
from handlers.references import SEARCH_MOST
from handlers.views.help import INVOICE_HELP, INVOICES_HELP
from handlers.words.printing import is_printable, printable

NUMBER_MOST = 60
TOO_LONG = (
    f"That is too long for an invoice number, which has {NUMBER_MOST} characters at most. "
    "Type `/invoice` alone to search by number or buyer."
)
UNPRINTABLE = (
    "That holds characters that no invoice number has. Type `/invoice` alone to search by number or buyer."
)
SEARCH_TOO_LONG = f"A search takes {SEARCH_MOST} characters at most. Type the beginning of the number or of the buyer's name."


def invoice(office: Office, delivery: Delivery) -> str | Work:
    """`/invoice`, `/invoice NUMBER`, `/invoice exceptions`, `/invoice help`. Several words are one number: numbers may hold blanks."""
    number = typed(delivery.text)
    if number.casefold() == "help":
        return INVOICE_HELP
    if number.casefold() == "exceptions":
        return exceptions.open_list(office, delivery)
    if not number:
        return type_ahead.open_search(office, delivery)
    if len(number) > NUMBER_MOST:
        return TOO_LONG
    if not is_printable(number):
        return UNPRINTABLE
    return details.open_by_number(office, delivery, number)


def invoices(office: Office, delivery: Delivery) -> str | Work:
    """`/invoices`, `/invoices SEARCH`, `/invoices help`."""
    search = typed(delivery.text)
    if search.casefold() == "help":
        return INVOICES_HELP
    if len(search) > SEARCH_MOST:
        return SEARCH_TOO_LONG
    return bulk_listing.open_list(office, delivery, printable(search))


def typed(text: str) -> str:
    """What was typed after a command: Slack escapes three characters of it (Slack docs: formatting text)."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()
