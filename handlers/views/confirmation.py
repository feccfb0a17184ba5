"""The confirmation of a bulk run: what Create would do, and what it would not."""

from domain.lists.summaries import Confirmation
from domain.summaries import InvoiceSummary
from handlers import ids
from handlers.references import ConfirmedReference
from handlers.views.blocks import (
    Json,
    bullets,
    caption,
    context,
    header,
    modal,
    notice,
    option,
    section,
    static_select,
)
from handlers.words.sentences import REASONS, changed_amounts, changed_since, doubtful
from handlers.words.text import counted, fit, inline, isolated
from handlers.words.written import amount

HEADER = "Create Invoice Online Payment Links"


def confirmation(shown: Confirmation, *, said: str | None = None) -> Json:
    blocks = [header(HEADER)]
    said = changed_amounts(shown.changed) if shown.changed else said
    if said is not None:
        blocks.append(notice(said))
    blocks += [context("Live mode" if shown.livemode else "Test mode"), caption("Target Billing Invoices")]
    # What must be read before Create stands above what may be long.
    blocks += _summary(shown)
    if shown.skipped:
        blocks.append(caption(f"{counted(len(shown.skipped), 'invoice')} will be skipped"))
        blocks += bullets(_skipped(invoice) for invoice in shown.skipped)
        linked = [
            (invoice.id, invoice.number)
            for invoice in shown.skipped
            if invoice.link is not None and not invoice.deactivated
        ]
        blocks += copy_select(linked)
    if shown.targets:
        blocks.append(caption("Links will be created for"))
        blocks += bullets(_target(invoice) for invoice in shown.targets)
    return modal(
        "Create Payment Links",
        blocks,
        callback_id=ids.CONFIRMATION_VIEW,
        submit="Create" if shown.targets else None,
        close="Back",
        private_metadata=str(ConfirmedReference(shown.selection_id, shown.seal)),
    )


def copy_select(invoices: list[tuple[int, str]]) -> list[Json]:
    """A select that leads to the copy view, of invoices with a link given as (id, number)."""
    if not invoices:
        return []
    options = [option(fit(number, 75), str(invoice_id)) for invoice_id, number in invoices[:100]]
    element = static_select(ids.CHOOSE_COPY, "Choose an invoice", options)
    return [section("Copy Payment Link URL", accessory=element, block_id=ids.CHOOSE_COPY)]


def _summary(shown: Confirmation) -> list[Json]:
    if not shown.targets:
        return [section("No link can be created for any of the ticked invoices.")]
    lines = [counted(len(shown.targets), "invoice"), *(f"Total: {amount(total)}" for total in shown.totals)]
    return [
        section("\n".join(lines)),
        *(section(f"⚠ {words}") for words in doubtful(shown.targets)),
        section(
            f"Create {counted(len(shown.targets), 'link')}? Online payment links can't be withdrawn, deleted or changed "
            "once they are created."
        ),
    ]


def _target(invoice: InvoiceSummary) -> str:
    return f"{isolated(invoice.number)} · {inline(invoice.buyer_name, 60)} · {amount(invoice.amount)}"


def _skipped(invoice: InvoiceSummary) -> str:
    reason = REASONS[invoice.reason] if invoice.reason is not None else ""
    return " ".join(
        [f"{isolated(invoice.number)} · {amount(invoice.amount)}: {reason}", *changed_since(invoice)]
    )
