"""The details modal, and the copy view that stands on it."""

import hashlib
import json
from collections.abc import Sequence
from datetime import date

from domain.invoices.eligibility import amount_doubt
from domain.overview.summaries import Recheck
from domain.reasons import Reason
from domain.states import ExceptionKind, LinkStatus, Right
from domain.summaries import ExceptionSummary, InvoiceSummary, LinkSummary, OrganisationSummary, StripeState
from handlers import ids
from handlers.references import HistoryReference, SeenInvoice
from handlers.views.blocks import (
    HEADER_MOST,
    Json,
    actions,
    alert,
    button,
    context,
    divider,
    field,
    fields,
    header,
    in_dashboard,
    modal,
    moment_context,
    notice,
    own_field,
    paragraph,
    preformatted,
    section,
    slack_time,
    url_button,
)
from handlers.views.exceptions import of_invoice
from handlers.words.exceptions import DEACTIVATED, USED
from handlers.words.glance import due_in, sign, stopped, unheard
from handlers.words.rights import NO_CREATOR
from handlers.words.sentences import (
    BADGES,
    DOUBTS,
    REASONS,
    STATUSES,
    changed_since,
    late,
    paused,
    refused_with,
)
from handlers.words.text import escaped, fit, inline, isolated, length, mention_of, unbroken
from handlers.words.written import amount, day

HEADER = "Billing Invoice Details"
URL_MOST = 3000

# What the ids of blocks begin with; the invoice's id follows the first.
_OF_INVOICE = "of-invoice-"
_CHECKED = "checked-"
_BESIDE = ("notice", _CHECKED)
# What closes a link although its invoice isn't paid.
_USED = frozenset(
    {ExceptionKind.AMOUNT_DIFFERS, ExceptionKind.CURRENCY_DIFFERS, ExceptionKind.COMPLETED_UNPAID}
)


def details(
    invoice: InvoiceSummary,
    organisation: OrganisationSummary,
    stripe: StripeState,
    *,
    exceptions: Sequence[ExceptionSummary] = (),
    resolved: Sequence[ExceptionSummary] = (),
    today: date,
    said: str | None = None,
    creating: bool = False,
    rights: frozenset[Right] = frozenset(Right),
) -> Json:
    """One invoice with what can be done about it. ``creating``: its link was asked for with the last click.

    ``today`` is what is overdue or not. ``rights``: what the reader may do.
    """
    creating = (creating and invoice.eligible) or invoice.being_created
    blocks = [header(HEADER)]
    if said is not None:
        blocks.append(notice(said))
    blocks += _glance(invoice, today, creating=creating, doubtful=bool(exceptions))
    if invoice.link is not None:
        blocks += _about_link(invoice, invoice.link, exceptions)
    blocks += _while_creating(stripe) if creating else _remarks(invoice, organisation, stripe, rights)
    blocks.append(actions(_buttons(invoice, organisation, stripe, creating, rights), block_id="invoice"))
    blocks += of_invoice(exceptions, resolved, resolvable=Right.RESOLVE in rights)
    blocks.append(divider())
    blocks.append(_labelled(invoice, stripe) | {"block_id": f"{_OF_INVOICE}{invoice.id}"})
    if invoice.description:
        blocks.append(paragraph("Description ", fit(invoice.description, 1000)))
    waits = invoice.status is LinkStatus.PENDING_PAYMENT
    checked = last_checked(stripe, waits=waits)
    if organisation.channel is None or organisation.channel_problem:
        checked.append(context(f"⚠ {unheard(organisation.channel_problem)}"))
        blocks.append(alert(unheard(organisation.channel_problem)))
    blocks += [block | {"block_id": f"{_CHECKED}{n}"} for n, block in enumerate(checked)]
    return modal("Paylink", blocks, callback_id=ids.DETAILS_VIEW, private_metadata=str(invoice.id))


def _glance(invoice: InvoiceSummary, today: date, *, creating: bool, doubtful: bool) -> list[Json]:
    """What one must see before anything else, in the largest letters that a modal has."""
    first = f"{inline(invoice.number, 62)} · {amount(invoice.amount_by_status)} · "
    buyer = inline(unbroken(invoice.buyer_name), HEADER_MOST - length(first))
    status = f"{sign(invoice, doubtful=doubtful)} {status_line(invoice, creating=creating)}"
    due = day(invoice.due_date) if invoice.due_date else "—"
    if how_far := due_in(invoice, today):
        due += f" · {how_far}"
    return [header(first + buyer), fields([("Online Payment Link", status), ("Due date", due)])]


def find_invoice_id(view: Json) -> int | None:
    """The invoice whose details the view shows; None for any other view."""
    names = (str(block.get("block_id", "")) for block in view["blocks"])
    shown = next((name for name in names if name.startswith(_OF_INVOICE)), None)
    return None if shown is None else int(shown.removeprefix(_OF_INVOICE))


def digest(view: Json) -> str:
    """The same for two views that show the same of an invoice, whatever was said beside it and whenever it was checked."""
    blocks = [block for block in view["blocks"] if not str(block.get("block_id", "")).startswith(_BESIDE)]
    return hashlib.sha256(json.dumps(blocks, sort_keys=True).encode()).hexdigest()[:16]


def came_of(recheck: Recheck) -> str:
    """What is said after Stripe was asked again."""
    before, after = recheck.before, recheck.after
    was, is_ = status_line(before.invoice), status_line(after.invoice)
    if was != is_:
        return f"Stripe says something else now: it was {was}, it is {is_}."
    if before.exceptions != after.exceptions:
        return "Stripe says something else now: see the exceptions."
    return "Stripe says the same."


def copying(invoice: InvoiceSummary, link: LinkSummary) -> Json:
    """The URL in a focused input: select all, copy. Its submit changes nothing."""
    element: Json = {
        "type": "url_text_input",
        "action_id": ids.COPY_URL,
        "initial_value": link.url[:URL_MOST],
        "focus_on_load": True,
    }
    blocks = [
        section(f"Online payment link of invoice {isolated(invoice.number)}: {amount(link.amount)}"),
        *map(section, changed_since(invoice)),
        field(
            "Payment link URL",
            element,
            block_id=ids.COPY_URL,
            hint="Press Ctrl+C or ⌘C. If it isn't selected, select all of it first. Changing it here changes nothing.",
        ),
    ]
    return modal("Copy Link URL", blocks, callback_id=ids.COPY_VIEW, submit="Done", close="Back")


def status_line(invoice: InvoiceSummary, *, creating: bool = False) -> str:
    """The Online Payment Link status with what stands beside it."""
    beside = []
    if creating or invoice.being_created:
        beside.append("Being created")
    beside += [BADGES[badge] for badge in invoice.badges]
    if invoice.link is not None and invoice.link.exception:
        beside.append("Exception")
    return " · ".join([STATUSES[invoice.status], *beside])


def last_checked(stripe: StripeState, *, waits: bool) -> list[Json]:
    """When Stripe was last asked about payments, and in which mode; ``waits``: a link waits for payment."""
    mode = "" if stripe.livemode else " · Test mode"
    if stripe.last_checked_at is None:
        return [context(f"Last checked with Stripe: not yet{mode}")]
    told = moment_context("Last checked with Stripe", stripe.last_checked_at, mode)
    return [told, context(f"⚠ {late(stripe.paused)}")] if stripe.is_late(waits=waits) else [told]


def _labelled(invoice: InvoiceSummary, stripe: StripeState) -> Json:
    labelled = [
        ("Invoice number", invoice.number),
        ("Buyer", fit(unbroken(invoice.buyer_name), 500)),
        ("E-mail", fit(invoice.buyer_email, 300) or "—"),
        ("Billing amount", amount(invoice.amount)),
    ]
    block, link = fields(labelled), invoice.link
    if link is None:
        return block
    if invoice.status is LinkStatus.PAID:
        block["fields"] += [
            own_field("Paid on", slack_time(link.paid_at) if link.paid_at else "—"),
            own_field("Amount received", amount(link.amount_received) if link.amount_received else "—"),
            own_field("Stripe payment", in_dashboard(link.stripe_payment, livemode=stripe.livemode)),
        ]
    by = f" by {_who(link.created_by)}" if link.created_by else ""
    block["fields"].append(own_field("Link created", f"{slack_time(link.created_at)}{by}"))
    return block


def _who(created_by: str) -> str:
    """A person is named as Slack names them, who is no mention in a modal."""
    return mention_of(created_by) or escaped(created_by)


def _about_link(
    invoice: InvoiceSummary, link: LinkSummary, exceptions: Sequence[ExceptionSummary]
) -> list[Json]:
    used = any(one.kind in _USED or one.facts.used for one in exceptions)
    off = section(USED if used else DEACTIVATED)
    blocks = [off] if invoice.deactivated else preformatted([link.url])
    blocks += [section(words) for words in changed_since(invoice)]
    if invoice.status is LinkStatus.PENDING_PAYMENT and (doubt := amount_doubt(link.amount)) is not None:
        blocks.append(section(f"{amount(link.amount)} {DOUBTS[doubt]}"))
    return blocks


def _while_creating(stripe: StripeState) -> list[Json]:
    """What to expect while the link is being created."""
    if stripe.paused:
        return [alert(stopped(stripe.paused)), section(f"⚠ {paused(stripe.paused)}")]
    return [
        section(
            "The link is being created, by itself. If it doesn't show here within a minute, look the invoice up again."
        )
    ]


def _remarks(
    invoice: InvoiceSummary,
    organisation: OrganisationSummary,
    stripe: StripeState,
    rights: frozenset[Right],
) -> list[Json]:
    """Why there is no button, and what to know before pressing it."""
    if invoice.link is not None:
        return []
    blocks = []
    if invoice.refusal is not None:
        blocks.append(
            section(
                f"Stripe refused to create a link the last time: {fit(refused_with(invoice.refusal), 1000)}"
            )
        )
    if invoice.reason is not None:
        blocks.append(section(f"No link can be created. {REASONS[invoice.reason]}"))
    elif (doubt := amount_doubt(invoice.amount)) is not None:
        blocks.append(section(f"{amount(invoice.amount)} {DOUBTS[doubt]}"))
    if not organisation.add_on:
        blocks.append(section(REASONS[Reason.ADD_ON_MISSING]))
    if not stripe.connected:
        blocks.append(section(REASONS[Reason.NOT_CONNECTED]))
    if invoice.eligible and Right.CREATE not in rights:
        blocks.append(section(NO_CREATOR))
    return blocks


def _buttons(
    invoice: InvoiceSummary,
    organisation: OrganisationSummary,
    stripe: StripeState,
    creating: bool,
    rights: frozenset[Right],
) -> list[Json]:
    past = button("History", ids.HISTORY, str(HistoryReference(invoice.id)))
    if invoice.link is not None:
        if invoice.deactivated:
            return [button("Recheck Now", ids.RECHECK, str(invoice.id)), past]
        return [
            button(
                "Copy Link URL", ids.COPY_LINK, str(invoice.id), primary=invoice.status is not LinkStatus.PAID
            ),
            url_button("Open Link", ids.OPEN_LINK, invoice.link.url[:URL_MOST]),
            button("Recheck Now", ids.RECHECK, str(invoice.id)),
            past,
        ]
    may_create = Right.CREATE in rights and organisation.add_on and stripe.connected
    if invoice.eligible and may_create and not creating:
        seen = SeenInvoice(invoice.id, invoice.amount, stripe.livemode)
        return [button("Create Payment Link", ids.CREATE_LINK, str(seen), primary=True), past]
    return [past]
