"""What is posted to channels and people. ``text`` holds the whole message: screen readers read nothing else."""

from collections.abc import Sequence

from domain.messages.summaries import Announcement
from domain.money import Money, sums
from domain.states import AnnouncementKind, LinkStatus
from domain.summaries import InvoiceSummary
from handlers import ids
from handlers.views.blocks import Json, button, markup_context, section
from handlers.views.exception_messages import exception_message
from handlers.views.import_result import import_message
from handlers.views.result import result_message
from handlers.words.glance import SIGNS
from handlers.words.sentences import STATUSES, changed_since, channel_problem, settled_before
from handlers.words.text import counted, escaped, inline, isolated, mention_of
from handlers.words.written import amount, amounts

_WORD, _SIGN = STATUSES[LinkStatus.PAID], SIGNS[LinkStatus.PAID]


def announcement_message(announcement: Announcement, *, mentions: bool = True) -> Json:
    """``text`` and ``blocks`` for any announcement. Raises ValueError for one that lacks what its kind tells.

    ``mentions``: whether a paid message names whoever asked for the link.
    """
    if announcement.kind is AnnouncementKind.BULK_RESULT and announcement.bulk is not None:
        return result_message(announcement.bulk)
    if announcement.kind is AnnouncementKind.IMPORT_RESULT and announcement.imported is not None:
        return import_message(announcement.imported, with_file=announcement.file is not None)
    if announcement.kind is AnnouncementKind.CHANNEL_LOST:
        return _channel_lost(announcement.channel, announcement.problem)
    if announcement.kind is not AnnouncementKind.PAID:
        return exception_message(announcement)
    return _paid(announcement, mentions=mentions)


def _paid(announcement: Announcement, *, mentions: bool) -> Json:
    told = (announcement, *announcement.together)
    if len(told) > 1:
        return _paid_together(told, mentions=mentions)
    line = f"{_SIGN} {_WORD}: {_what_was_paid(announcement)}"
    asked = _asked_by(told) if mentions else ""
    blocks = [section(line, accessory=_view(announcement))]
    blocks += [markup_context(asked)] if asked else []
    return {"text": "\n".join(filter(None, [escaped(line), asked])), "blocks": blocks}


def _paid_together(told: Sequence[Announcement], *, mentions: bool) -> Json:
    """One message for all that waited: nobody counts rows of equal boxes."""
    received = " · ".join(amounts(sums(_received(one) for one in told)))
    title = f"{_SIGN} {_WORD}: {counted(len(told), 'invoice')}, {received}"
    lines = [_what_was_paid(one) for one in told]
    asked = _asked_by(told) if mentions else ""
    blocks = [section(title)]
    blocks += [section(line, accessory=_view(one)) for one, line in zip(told, lines, strict=True)]
    blocks += [markup_context(asked)] if asked else []
    text = "\n".join(filter(None, [escaped("\n".join([title, *(f"• {line}" for line in lines)])), asked]))
    return {"text": text, "blocks": blocks}


def _what_was_paid(announcement: Announcement) -> str:
    invoice = _invoice_of(announcement)
    mode = "" if announcement.livemode else " · Test mode"
    first = f"invoice {isolated(invoice.number)} of {inline(invoice.buyer_name, 300)}, {amount(_received(announcement))}{mode}"
    return "\n".join([first, *changed_since(invoice), *settled_before(invoice)])


def _received(announcement: Announcement) -> Money:
    invoice = _invoice_of(announcement)
    return announcement.received or (invoice.link.amount if invoice.link else invoice.amount)


def _view(announcement: Announcement) -> Json:
    return button("View Invoice", ids.VIEW_INVOICE, str(_invoice_of(announcement).id))


def _invoice_of(announcement: Announcement) -> InvoiceSummary:
    if announcement.invoice is None:
        raise ValueError(announcement.kind)
    return announcement.invoice


def _asked_by(told: Sequence[Announcement]) -> str:
    """Whose links they are, named so that Slack tells them; empty where no person asked for any."""
    links = (_invoice_of(one).link for one in told)
    people = dict.fromkeys(mention for link in links if link and (mention := mention_of(link.created_by)))
    if not people:
        return ""
    return f"{'Links' if len(told) > 1 else 'Link'} by {', '.join(people)}"


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
