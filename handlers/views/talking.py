"""What Paylink says when somebody speaks to it, and to whoever sees it for the first time."""

from handlers import ids
from handlers.views.blocks import Json, actions, button
from handlers.words.text import escaped

ABLE = "I create online payment links for your company's billing invoices, and tell a channel when they are paid."
TRY = (
    "• `/invoice 1003` shows one invoice, by its number or the end of it, and creates its link.",
    "• `/invoices` lists invoices and creates up to 100 links at once.",
    "• `/invoice exceptions` lists what needs somebody.",
)
WHOM = (
    "Questions? Ask whoever runs Paylink in your company: they connected it to your invoices and to Stripe. "
    "`/invoice help` explains the command, and your Home tab shows how things stand."
)


def able() -> Json:
    """``text`` and ``blocks`` of an answer to whoever spoke to Paylink."""
    return _message("\n".join([f"*Here is what I can do.* {ABLE}", *TRY]))


def welcome(channel: str | None) -> Json:
    """``channel``: where payments are announced; None while there is none."""
    told = f" Payments are announced in <#{escaped(channel)}>." if channel else ""
    return _message("\n".join([f"*Welcome to Paylink.* {ABLE}{told}", "Three things to try:", *TRY, WHOM]))


def _message(words: str) -> Json:
    block: Json = {"type": "section", "text": {"type": "mrkdwn", "text": words, "verbatim": True}}
    buttons = [
        button("Find Invoice", ids.FIND_INVOICE, primary=True),
        button("Billing Invoices", ids.BILLING_INVOICES),
    ]
    return {"text": words, "blocks": [block, actions(buttons, block_id="ways")]}
