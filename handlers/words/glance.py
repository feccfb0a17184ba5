"""What is seen of an invoice or of Paylink before anything is read: signs, what is due, and what stands still."""

from datetime import date

from domain.states import Badge, LinkStatus, PauseReason
from domain.summaries import InvoiceSummary, Pause
from handlers.words.text import counted
from handlers.words.written import day

SIGNS: dict[LinkStatus, str] = {
    LinkStatus.NOT_CREATED: "⚪",
    LinkStatus.PENDING_PAYMENT: "🟡",
    LinkStatus.PAID: "🟢",
}
NEEDS_SOMEBODY = "🔴"
_NEEDS = frozenset({Badge.DISPUTED, Badge.INQUIRY, Badge.LINK_DEACTIVATED})
_DONE = frozenset({Badge.SETTLED_ELSEWHERE, Badge.VOID})

_STOPPED: dict[PauseReason, str] = {
    PauseReason.STRIPE_AWAY: "Stripe can't be reached: links wait.",
    PauseReason.KEY_REFUSED: "Stripe refuses the API key: links wait.",
    PauseReason.PERMISSION_LACKING: "The Stripe key lacks a permission: links wait.",
}


def sign(invoice: InvoiceSummary, *, doubtful: bool = False) -> str:
    """The sign of its status; another for what needs somebody. ``doubtful``: it has open exceptions."""
    if doubtful or (invoice.link is not None and invoice.link.exception) or _NEEDS & set(invoice.badges):
        return NEEDS_SOMEBODY
    return SIGNS[invoice.status]


def due_in(invoice: InvoiceSummary, today: date) -> str:
    """How far its due date is away, while it is owed; empty where nothing is due."""
    if invoice.due_date is None or invoice.status is LinkStatus.PAID or _DONE & set(invoice.badges):
        return ""
    days = (invoice.due_date - today).days
    if days == 0:
        return "due today"
    return f"due in {counted(days, 'day')}" if days > 0 else f"{counted(-days, 'day')} overdue"


def due(invoice: InvoiceSummary, today: date | None) -> str:
    """When it is due, or how long it has been overdue. ``today``: None where nobody knows which day the reader has."""
    if invoice.due_date is None:
        return "no due date"
    if today is not None and invoice.due_date < today and (how_far := due_in(invoice, today)):
        return f"⚠ {how_far}"
    return f"due {day(invoice.due_date)}"


def stopped(pause: Pause) -> str:
    return _STOPPED[pause.reason]


def unheard(channel_problem: str | None) -> str:
    """Why nobody hears of payments. ``channel_problem``: Slack's code, None where there is no channel at all."""
    if channel_problem is None:
        return "There is no notification channel: payments are announced nowhere until one is set."
    return "Paylink can't post to the notification channel: announcements wait. Home says why."
