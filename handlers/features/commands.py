"""The two slash commands. Their mistakes are caught here and answered to the person alone."""

import re

from handlers.bolt.context import Office, Work
from handlers.bolt.payload import Delivery
from handlers.features import bulk_listing, details, exceptions, importing, type_ahead
from handlers.features.setting_up import steps
from handlers.references import SEARCH_MOST
from handlers.views.help import INVOICE_HELP, INVOICES_HELP
from handlers.words.printing import is_printable

NUMBER_MOST = 60
_REFERENCE = re.compile(r"<[@#!][^<>]*>")
IMPORT = "import"
TOO_LONG = (
    f"That is too long for an invoice number, which has {NUMBER_MOST} characters at most. "
    "Type `/invoice` alone to search by number or buyer."
)
UNPRINTABLE = (
    "That holds characters that no invoice number has. Type `/invoice` alone to search by number or buyer."
)
UNPRINTABLE_SEARCH = "That holds characters that nothing can be searched by. Type the beginning of the number or of the buyer's name."
SEARCH_TOO_LONG = f"A search takes {SEARCH_MOST} characters at most. Type the beginning of the number or of the buyer's name."


# What people type for what another command does, or in other programs.
HELP = frozenset(
    """
    help ? ?? -h --help /help hilfe aide ayuda ajuda aiuto hulp hjälp hjælp hjelp apua pomoc yardım помощь допомога βοήθεια
    帮助 幫助 ヘルプ 도움말
    """.split()
)
EXCEPTIONS = frozenset({"exceptions", "exception"})
LIST = frozenset({"list", "all", "invoices", "/invoices", "bulk"})


def invoice(office: Office, delivery: Delivery) -> str | Work:
    """`/invoice`, `/invoice NUMBER`, `/invoice exceptions`, `/invoice help`. Several words are one number: numbers may hold blanks."""
    number = typed(delivery.text)
    word = number.casefold()
    if word in HELP:
        return INVOICE_HELP
    if word in EXCEPTIONS:
        return exceptions.open_list(office, delivery)
    if word == IMPORT:
        return importing.open_form(office, delivery)
    if word in LIST:
        return bulk_listing.open_list(office, delivery)
    if not number:
        return _tried(office, delivery, type_ahead.open_search(office, delivery))
    # Behind a number there may be words, and Stripe's URLs and ids are longer than any number.
    if len(number) > (SEARCH_MOST if set(number) & set(" /_") else NUMBER_MOST):
        return TOO_LONG
    if not is_printable(number):
        return UNPRINTABLE
    return _tried(office, delivery, details.open_by_number(office, delivery, number))


async def _tried(office: Office, delivery: Delivery, work: Work) -> None:
    """The last step of setting up is done with it."""
    await work
    await steps.note_tried(office, delivery.actor)


def invoices(office: Office, delivery: Delivery) -> str | Work:
    """`/invoices`, `/invoices SEARCH`, `/invoices import`, `/invoices help`."""
    search = typed(delivery.text)
    if search.casefold() in HELP:
        return INVOICES_HELP
    if search.casefold() == "exceptions":
        return exceptions.open_list(office, delivery)
    if search.casefold() == IMPORT:
        return importing.open_form(office, delivery)
    if len(search) > SEARCH_MOST:
        return SEARCH_TOO_LONG
    if not is_printable(search):
        return UNPRINTABLE_SEARCH
    return bulk_listing.open_list(office, delivery, search)


def renamed(office: Office, delivery: Delivery) -> str | Work:
    """A command under a name that a workspace gave it: one that is called for several is the list."""
    return (invoices if delivery.command.endswith("s") else invoice)(office, delivery)


def typed(text: str) -> str:
    """What was typed after a command: Slack escapes three characters of it (Slack docs: formatting text), and writes people,
    channels and groups as references where an app is set up so, which are passed over."""
    return _REFERENCE.sub(" ", text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()
