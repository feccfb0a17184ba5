"""The history of one invoice: its entries of the audit, the newest first. It stands on the details."""

from domain.audit.history import History
from domain.summaries import InvoiceSummary
from handlers import ids
from handlers.references import HistoryReference
from handlers.views.blocks import Json, actions, button, context, header, modal, section, slack_time
from handlers.words.history import told
from handlers.words.text import fit, isolated

HEADER = "History"
NOTHING = "Nothing is written down about this invoice yet."
# Slack takes 3,000 characters of a section, escapes included, which no entry's words come near.
WORDS_MOST = 600


def history(invoice: InvoiceSummary, shown: History) -> Json:
    blocks = [header(HEADER), section(f"Invoice {isolated(invoice.number)}, the newest first")]
    for entry in shown.entries:
        text = f"{slack_time(entry.at)} · {fit(told(entry), WORDS_MOST)}"
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}})
    if not shown.entries:
        blocks.append(context(NOTHING))
    buttons = []
    if shown.page > 0:
        back = HistoryReference(invoice.id, shown.page - 1)
        buttons.append(button("Previous Page", f"{ids.HISTORY_PAGE}_previous", str(back)))
    if shown.has_next:
        on = HistoryReference(invoice.id, shown.page + 1)
        buttons.append(button("Next Page", f"{ids.HISTORY_PAGE}_next", str(on)))
    if buttons:
        blocks.append(actions(buttons, block_id=f"pages-{shown.page}"))
    return modal("History", blocks, callback_id=ids.HISTORY_VIEW, close="Back")
