"""The Home tab: how things stand, and the way into everything."""

from domain.overview.summaries import HomeSummary
from domain.states import LinkStatus
from domain.summaries import InvoiceSummary
from handlers import ids
from handlers.views.blocks import Json, actions, button, caption, context, header, moment_context, section
from handlers.views.details import last_checked, status_line
from handlers.words.sentences import ADD_ON, STATUSES, changed_since, channel_problem, paused
from handlers.words.text import counted, inline, isolated

HOW_TO = (
    "/invoice shows one billing invoice and creates its online payment link; /invoices creates up to 100 at once. "
    "Commands don't run in threads: there use the shortcuts or these buttons."
)


def home(shown: HomeSummary) -> Json:
    buttons = [
        button("Find Invoice", ids.FIND_INVOICE, primary=True),
        button("Billing Invoices", ids.BILLING_INVOICES),
        button("Exceptions", ids.EXCEPTIONS),
        button("Import Invoices", ids.IMPORT_INVOICES),
    ]
    blocks = [header("Paylink"), context(HOW_TO), actions(buttons, block_id="ways")]
    blocks += [section(f"⚠ {problem}") for problem in _problems(shown)]
    blocks += [
        section(
            f"{STATUSES[LinkStatus.PENDING_PAYMENT]}: {shown.pending}\n{STATUSES[LinkStatus.PAID]}: {shown.paid}\n"
            f"Exceptions: {shown.exceptions}",
            block_id="counts",
        ),
        caption("Waiting for payment"),
        *_rows(shown.waiting, "Nothing waits for payment."),
        caption("Lately paid"),
        *_rows(shown.lately_paid, "Nothing has been paid yet."),
        *last_checked(shown.stripe, waits=shown.pending > 0),
        _last_import(shown),
    ]
    return {"type": "home", "blocks": blocks}


def unavailable(sentence: str) -> Json:
    """What Home says when there is nothing to show: not set up, or not at hand right now."""
    return {"type": "home", "blocks": [header("Paylink"), section(sentence)]}


def _problems(shown: HomeSummary) -> list[str]:
    organisation = shown.organisation
    problems = []
    if shown.stripe.paused:
        problems.append(paused(shown.stripe.paused))
    if organisation.channel is None:
        problems.append(
            "There is no notification channel, so payments aren't announced: announcements wait. "
            "Ask whoever runs Paylink to set one."
        )
    elif organisation.channel_problem:
        problem = channel_problem(organisation.channel_problem)
        problems.append(f"Paylink can't post to the notification channel {organisation.channel}. {problem}")
    if not organisation.add_on:
        problems.append(f"Your organisation doesn't have the {ADD_ON}: links can be viewed, not created.")
    if shown.undelivered:
        problems.append(f"{counted(shown.undelivered, 'announcement')} waiting to be posted.")
    if shown.dead:
        problems.append(
            f"{counted(shown.dead, 'announcement')} given up, because Slack refused or never answered{_codes(shown)}. "
            "Whoever runs Paylink can look at them and send them again."
        )
    return problems


def _codes(shown: HomeSummary) -> str:
    return f" ({', '.join(shown.dead_because)})" if shown.dead_because else ""


def _rows(invoices: tuple[InvoiceSummary, ...], otherwise: str) -> list[Json]:
    return [_row(invoice) for invoice in invoices[:10]] or [section(otherwise)]


def _row(invoice: InvoiceSummary) -> Json:
    amount = invoice.link.amount if invoice.link else invoice.amount
    when = ""
    if invoice.status is LinkStatus.PAID and invoice.link and invoice.link.paid_at:
        when = f" · {invoice.link.paid_at:%Y-%m-%d}"
    elif invoice.due_date:
        when = f" · due {invoice.due_date.isoformat()}"
    number = isolated(invoice.number)
    first = f"{number} · {inline(invoice.buyer_name, 100)} · {amount}{when}"
    text = "\n".join([first, status_line(invoice), *changed_since(invoice)])
    return section(text, accessory=button("View Invoice", ids.VIEW_INVOICE, str(invoice.id)))


def _last_import(shown: HomeSummary) -> Json:
    moment = shown.organisation.last_imported_at
    if moment is None:
        return context("Invoices last imported: not yet")
    return moment_context("Invoices last imported", moment)
