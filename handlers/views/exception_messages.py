"""What the channel reads of exceptions: each once, and what became of it in the thread."""

from collections.abc import Sequence

from domain.messages.summaries import Announcement
from domain.states import AnnouncementKind, FollowUp, Settlement
from domain.summaries import ExceptionSummary, InvoiceSummary
from handlers import ids
from handlers.views.blocks import (
    Json,
    actions,
    bullets,
    button,
    moment_context,
    paragraph,
    section,
    slack_time,
)
from handlers.words import written
from handlers.words.exceptions import SETTLEMENTS, ended, resolver, what_differs, what_to_do
from handlers.words.glance import NEEDS_SOMEBODY
from handlers.words.sentences import changed_since
from handlers.words.text import counted, escaped, fit, inline, isolated

TEST_MODE = "Test mode: no money was moved."
ANSWER_UNTIL = "An answer is due by"
_WORD = f"{NEEDS_SOMEBODY} Exception"


def exception_message(announcement: Announcement) -> Json:
    """Raises ValueError for an announcement that lacks what its kind tells."""
    exception = announcement.exception
    if announcement.kind is AnnouncementKind.AMOUNTS_CHANGED and announcement.batch:
        return _amounts_changed(announcement)
    if exception is None:
        raise ValueError(announcement.kind)
    if announcement.kind is AnnouncementKind.EXCEPTION:
        return _opened(announcement, exception)
    if announcement.follow_up is FollowUp.RESOLVED:
        return _resolved(announcement, exception)
    if announcement.follow_up is FollowUp.ENDED:
        return _ended(announcement, exception)
    if announcement.follow_up is FollowUp.DEADLINE:
        return _deadline(announcement, exception)
    raise ValueError(announcement.kind)


def about(exception: ExceptionSummary, invoice: InvoiceSummary | None = None) -> str:
    """Which invoice, whose, and over how much, as far as it is known."""
    number, buyer, amount = exception.number, exception.buyer_name, exception.amount
    if invoice is not None:
        number, buyer = invoice.number, invoice.buyer_name
        amount = invoice.link.amount if invoice.link else invoice.amount
    parts = [f"invoice {isolated(fit(number, 100))}" if number else "an invoice that isn't known"]
    if buyer:
        parts[0] += f" of {inline(buyer, 300)}"
    return ", ".join([*parts, written.amount(amount)] if amount is not None else parts)


def _opened(announcement: Announcement, exception: ExceptionSummary) -> Json:
    invoice = announcement.invoice
    lines = [what_differs(exception), what_to_do(exception)]
    if not announcement.livemode:
        lines.append(TEST_MODE)
    if exception.stripe_object:
        lines.append(f"At Stripe: {exception.stripe_object}")
    if invoice is not None:
        lines += [line for line in changed_since(invoice) if line not in lines]
    return _message(f": {about(exception, invoice)}", lines, exception, due=exception.due_by is not None)


def _deadline(announcement: Announcement, exception: ExceptionSummary) -> Json:
    lines = ["The deadline is near and nothing has been answered.", what_differs(exception)]
    lines.append(what_to_do(exception))
    if not announcement.livemode:
        lines.append(TEST_MODE)
    return _message(f": {about(exception, announcement.invoice)}", lines, exception, due=True)


def _resolved(announcement: Announcement, exception: ExceptionSummary) -> Json:
    if exception.resolution is None:
        raise ValueError(announcement.kind)
    who, is_person = resolver(exception.resolution.by)
    by = f"Resolved by <@{who}>" if is_person else f"Resolved by {who}"
    rest = f"Exception of {about(exception, announcement.invoice)}: {ended(exception.resolution)}"
    blocks: list[Json] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": by, "verbatim": True}},
        section(fit(rest, 2900)),
    ]
    return {"text": f"{by}. {escaped(fit(rest, 1500))}", "blocks": blocks}


def _ended(announcement: Announcement, exception: ExceptionSummary) -> Json:
    how = SETTLEMENTS[Settlement(exception.facts.ended)]
    rest = f": {about(exception, announcement.invoice)}"
    return _message(rest, [f"It has ended: {how}."], exception, due=False)


def _amounts_changed(announcement: Announcement) -> Json:
    size, shown = announcement.batch_size, announcement.batch
    rest = f": an import changed {counted(size, 'invoice')} whose payment link waits for payment and stays as it is."
    lines = [_changed(each) for each in shown]
    if size > len(shown):
        lines.append(f"and {size - len(shown):,} more")
    after = ["Tell the buyers, and deactivate each link that isn't to be paid in the Stripe Dashboard."]
    if not announcement.livemode:
        after.append(TEST_MODE)
    blocks = [paragraph(_WORD, rest), *bullets(lines), section("\n".join(after))]
    blocks.append(actions([button("Exceptions", ids.EXCEPTIONS)], block_id="exceptions"))
    return {"text": escaped("\n".join([_WORD + rest, *lines, *after])), "blocks": blocks}


def _changed(exception: ExceptionSummary) -> str:
    return f"{isolated(fit(exception.number or '', 60))}: {what_differs(exception)}"


def _message(rest: str, lines: Sequence[str], exception: ExceptionSummary, *, due: bool) -> Json:
    if exception.invoice_id is not None:
        beside = button("View Invoice", ids.VIEW_INVOICE, str(exception.invoice_id))
    else:
        beside = button("Exceptions", ids.EXCEPTIONS)
    blocks = [paragraph(_WORD, rest), section("\n".join(lines), accessory=beside)]
    text = escaped("\n".join([_WORD + rest, *lines]))
    if due and exception.due_by is not None:
        blocks.append(moment_context(ANSWER_UNTIL, exception.due_by))
        text += f"\n{ANSWER_UNTIL} {slack_time(exception.due_by)}"
    return {"text": text, "blocks": blocks}
