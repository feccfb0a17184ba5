"""The Home tab: how things stand, and the way into everything."""

from datetime import date

from domain.import_results import ImportStanding
from domain.overview.summaries import HomeSummary, Tally
from domain.states import Due, ImportState, LinkStatus, Right
from domain.summaries import ExceptionSummary, InvoiceSummary
from handlers import ids
from handlers.views.blocks import (
    Json,
    actions,
    button,
    caption,
    context,
    divider,
    header,
    moment_context,
    section,
)
from handlers.views.details import last_checked, status_line
from handlers.views.import_result import count_lines
from handlers.views.setting_up import steps
from handlers.words import written
from handlers.words.exceptions import TITLES
from handlers.words.glance import NEEDS_SOMEBODY, due
from handlers.words.sentences import ADD_ON, FILTERS, STATUSES, changed_since, channel_problem, paused
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
    ]
    if Right.IMPORT in shown.rights:
        buttons.append(button("Import Invoices", ids.IMPORT_INVOICES))
    administers = Right.SETTINGS in shown.rights
    if administers:
        buttons.append(button("Settings", ids.SETTINGS))
    blocks = [header("Paylink"), context(HOW_TO), actions(buttons, block_id="ways")]
    if shown.steps is not None:
        blocks += [*steps(shown.steps, may=administers, ask=shown.ask), divider()]
    blocks += [*_needs(shown), divider(), *_owed(shown), divider(), *_paid(shown), divider(), *_done(shown)]
    return {"type": "home", "blocks": blocks}


def unavailable(sentence: str) -> Json:
    """What Home says when there is nothing to show: not set up, or not at hand right now."""
    return {"type": "home", "blocks": [header("Paylink"), section(sentence)]}


def _needs(shown: HomeSummary) -> list[Json]:
    """What needs somebody. Nobody has to look further where there is nothing."""
    blocks = [header("Needs somebody")]
    blocks += [section(f"⚠ {problem}") for problem in _problems(shown)]
    open_ones = f"Exceptions: {shown.exceptions}"
    if shown.exceptions:
        kinds = " · ".join(f"{TITLES[kind]}: {number:,}" for kind, number in shown.kinds)
        more = button("Show Exceptions", ids.EXCEPTIONS)
        blocks.append(
            section(f"{open_ones}\n{NEEDS_SOMEBODY} {kinds}", block_id="exceptions", accessory=more)
        )
    for exception in shown.deadlines:
        blocks += _deadline(exception)
    for run in shown.failed_runs:
        failed = f"{NEEDS_SOMEBODY} Bulk run: Stripe refused {run.failed} of {counted(run.invoices, 'link')}."
        blocks.append(section(failed, accessory=button("Show Result", ids.SHOW_RESULT, str(run.id))))
        blocks.append(moment_context("Begun", run.requested_at))
    if len(blocks) == 1:
        blocks.append(section("✅ Nothing right now."))
    return blocks if shown.exceptions else [*blocks, context(open_ones)]


def _deadline(exception: ExceptionSummary) -> list[Json]:
    parts = [TITLES[exception.kind]]
    if exception.number:
        parts.append(isolated(exception.number))
    if exception.buyer_name:
        parts.append(inline(exception.buyer_name, 100))
    if exception.amount:
        parts.append(written.amount(exception.amount))
    way = None
    if exception.invoice_id is not None:
        way = button("View Invoice", ids.VIEW_INVOICE, str(exception.invoice_id))
    blocks = [section(f"⏰ {' · '.join(parts)}", accessory=way)]
    return (
        blocks if exception.due_by is None else [*blocks, moment_context("Answer due by", exception.due_by)]
    )


def _owed(shown: HomeSummary) -> list[Json]:
    blocks, owed = [header("Owed")], shown.owed
    pending = f"{STATUSES[LinkStatus.PENDING_PAYMENT]}: {shown.pending}"
    if owed is None:
        blocks += [section(pending), context("What is owed is being counted, once after an upgrade.")]
    else:
        blocks += [
            *_figure(LinkStatus.NOT_CREATED, owed.not_created),
            *_figure(LinkStatus.PENDING_PAYMENT, owed.pending),
            *_figure(Due.OVERDUE, owed.overdue),
        ]
    blocks.append(caption("Waiting for payment, the oldest due first"))
    return [*blocks, *_rows(shown.waiting, "Nothing waits for payment.", shown.today)]


def _figure(shows: LinkStatus | Due, tally: Tally) -> list[Json]:
    way = button("Show", ids.SHOW_OWED, shows.value) if tally.invoices else None
    line = f"{FILTERS[shows]}: {tally.invoices}"
    return [section(line, block_id=shows.value, accessory=way), *_sums(tally)]


def _sums(tally: Tally) -> list[Json]:
    return [context(" · ".join(written.amounts(tally.sums)))] if tally.sums else []


def _paid(shown: HomeSummary) -> list[Json]:
    lately = shown.paid_lately
    told = [
        f"{STATUSES[LinkStatus.PAID]}: {shown.paid}",
        f"In the last seven days: {counted(lately.invoices, 'invoice')}",
    ]
    return [
        header("Lately paid"),
        section("\n".join(told), block_id="paid"),
        *_sums(lately),
        *_rows(shown.lately_paid, "Nothing has been paid yet.", shown.today),
    ]


def _done(shown: HomeSummary) -> list[Json]:
    blocks = []
    if shown.runs:
        blocks.append(caption("Your bulk runs"))
    for run in shown.runs:
        far = "" if run.final else " · being created"
        failed = f" · Failed: {run.failed}" if run.failed else ""
        text = f"{counted(run.invoices, 'invoice')} · Created: {run.created}{failed}{far}"
        blocks.append(section(text, accessory=button("Show Result", ids.SHOW_RESULT, str(run.id))))
        blocks.append(moment_context("Begun", run.requested_at))
    if shown.imports:
        blocks.append(caption("Your imports"))
    blocks += [section(_imported(one)) for one in shown.imports]
    return [*blocks, *last_checked(shown.stripe, waits=shown.pending > 0), _last_import(shown)]


def _imported(one: ImportStanding) -> str:
    name = inline(one.name, 200)
    if one.state is ImportState.FAILED:
        return (
            f"{NEEDS_SOMEBODY} {name}: broke off again and again after {counted(one.counts.taken, 'record')}"
        )
    far = "" if one.final else " · waiting for another import" if one.waits else " · being imported"
    return f"{name} · {' · '.join(count_lines(one.counts))}{far}"


def _problems(shown: HomeSummary) -> list[str]:
    organisation = shown.organisation
    problems = []
    if shown.stripe.paused:
        problems.append(paused(shown.stripe.paused))
    if organisation.channel is None:
        problems.append(
            "There is no notification channel, so payments aren't announced: announcements wait. "
            "An administrator chooses one under Settings."
        )
    elif organisation.channel_problem:
        problem = channel_problem(organisation.channel_problem)
        problems.append(f"Paylink can't post to the notification channel {organisation.channel}. {problem}")
    if not organisation.add_on:
        problems.append(f"Your organisation doesn't have the {ADD_ON}: links can be viewed, not created.")
    if shown.undelivered:
        problems.append(
            f"{counted(shown.undelivered, 'announcement')} waiting to be posted{_codes(shown.undelivered_because)}."
        )
    if shown.dead:
        problems.append(
            f"{counted(shown.dead, 'announcement')} given up, because Slack refused or never answered{_codes(shown.dead_because)}. "
            "Whoever runs Paylink can look at them and send them again."
        )
    return problems


def _codes(because: tuple[str, ...]) -> str:
    return f" ({', '.join(because)})" if because else ""


def _rows(invoices: tuple[InvoiceSummary, ...], otherwise: str, today: date | None) -> list[Json]:
    return [_row(invoice, today) for invoice in invoices] or [section(otherwise)]


def _row(invoice: InvoiceSummary, today: date | None) -> Json:
    amount = invoice.link.amount if invoice.link else invoice.amount
    when = ""
    if invoice.status is LinkStatus.PAID and invoice.link and invoice.link.paid_at:
        when = f" · {written.day(invoice.link.paid_at.date())}"
    elif invoice.due_date:
        when = f" · {due(invoice, today)}"
    number = isolated(invoice.number)
    first = f"{number} · {inline(invoice.buyer_name, 100)} · {written.amount(amount)}{when}"
    # What stands above the rows says the status; it is told where there is more to it.
    status = status_line(invoice)
    more = [] if status == STATUSES[invoice.status] else [status]
    text = "\n".join([first, *more, *changed_since(invoice)])
    return section(text, accessory=button("View Invoice", ids.VIEW_INVOICE, str(invoice.id)))


def _last_import(shown: HomeSummary) -> Json:
    moment = shown.organisation.last_imported_at
    if moment is None:
        return context("Invoices last imported: not yet")
    return moment_context("Invoices last imported", moment)
