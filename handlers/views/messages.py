"""What is posted to channels and people. ``text`` holds the whole message: screen readers read nothing else."""

from domain.states import AnnouncementKind, LinkStatus
from domain.summaries import Announcement, InvoiceSummary
from handlers import ids
from handlers.views.blocks import Json, actions, button, paragraph, section
from handlers.views.exception_messages import exception_message
from handlers.views.import_result import import_message
from handlers.views.result import result_message
from handlers.words.sentences import STATUSES, changed_since, channel_problem, settled_before
from handlers.words.text import escaped, inline, isolated


def announcement_message(announcement: Announcement) -> Json:
    """``text`` and ``blocks`` for any announcement. Raises ValueError for one that lacks what its kind tells."""
    if announcement.kind is AnnouncementKind.BULK_RESULT and announcement.bulk is not None:
        return result_message(announcement.bulk)
    if announcement.kind is AnnouncementKind.IMPORT_RESULT and announcement.imported is not None:
        return import_message(announcement.imported, with_file=announcement.file is not None)
    if announcement.kind is AnnouncementKind.CHANNEL_LOST:
        return _channel_lost(announcement.channel, announcement.problem)
    if announcement.kind is not AnnouncementKind.PAID:
        return exception_message(announcement)
    if announcement.invoice is None:
        raise ValueError(announcement.kind)
    return _paid(announcement, announcement.invoice)


def _paid(announcement: Announcement, invoice: InvoiceSummary) -> Json:
    amount = announcement.received or (invoice.link.amount if invoice.link else invoice.amount)
    mode = "" if announcement.livemode else " · Test mode"
    rest = f": invoice {isolated(invoice.number)} of {inline(invoice.buyer_name, 300)}, {amount}{mode}"
    word = STATUSES[LinkStatus.PAID]
    lines = [*changed_since(invoice), *settled_before(invoice)]
    blocks = [paragraph(word, rest), *([section("\n".join(lines))] if lines else [])]
    blocks.append(actions([button("View Invoice", ids.VIEW_INVOICE, str(invoice.id))], block_id="invoice"))
    return {"text": escaped("\n".join([word + rest, *lines])), "blocks": blocks}


def _channel_lost(channel: str | None, problem: str | None) -> Json:
    """``problem``: Slack's error code; None if it has been mended by now."""
    name = (
        "the notification channel" if channel is None else f"the notification channel <#{escaped(channel)}>"
    )
    if problem is None:
        words = f"Paylink couldn't post to {name} for a while. What had to wait is being posted now."
    else:
        words = (
            f"Paylink can't post to {name}. {escaped(channel_problem(problem))} "
            "Nothing is lost: what is to be announced waits until then."
        )
    block: Json = {"type": "section", "text": {"type": "mrkdwn", "text": words, "verbatim": True}}
    return {"text": words, "blocks": [block]}
