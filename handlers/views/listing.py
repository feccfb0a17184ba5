"""The list modal: a page of invoices, what is ticked on it, and everything that changes either."""

from collections.abc import Iterator, Sequence
from datetime import date
from zlib import crc32

from domain.lists.page_shape import MOST_TICKED, PageShape
from domain.lists.summaries import InvoiceList, SelectionSummary
from domain.reasons import Reason
from domain.states import WRITTEN, Due, LinkStatus, ListFilter, Right
from domain.summaries import InvoiceSummary
from handlers import ids
from handlers.references import SEARCH_MOST, ListReference
from handlers.views.blocks import (
    BLOCKS_OF_VIEW,
    Json,
    actions,
    button,
    caption,
    context,
    field,
    header,
    modal,
    notice,
    option,
    plain,
    section,
    static_select,
)
from handlers.views.details import status_line
from handlers.words.glance import due, due_in, sign
from handlers.words.rights import NO_CREATOR
from handlers.words.sentences import FILTERS, REASONS, changed_since
from handlers.words.text import counted, fit, inline, isolated, length
from handlers.words.written import amount, amounts

HEADER = "Billing Invoices"
GROUP = 10
_FIXED = 11
"""Header, notice, add-on, search, filter, buttons, count; the caption of the rows, the pages' buttons, details; and one to spare."""
PAGE = PageShape(rows=BLOCKS_OF_VIEW - _FIXED, ticks_in_row=GROUP, invoices=100)
_ALL = "All"


def listing(page: InvoiceList, *, said: str | None = None) -> Json:
    """The revision stands in every block id: a page rendered anew forgets what Slack kept of the one before."""
    selection = page.selection
    mark = str(selection.revision)
    eligible = [invoice for invoice in page.invoices if invoice.eligible]
    others = [invoice for invoice in page.invoices if not invoice.eligible]
    blocks = [header(HEADER)]
    if said is not None:
        blocks.append(notice(said))
    if not page.organisation.add_on:
        blocks.append(section(REASONS[Reason.ADD_ON_MISSING]))
    elif Right.CREATE not in page.rights:
        blocks.append(section(NO_CREATOR))
    blocks += [_search(selection, mark), _filter(selection, mark), _buttons(page, mark), _count(page)]
    if not page.invoices:
        blocks.append(section("No billing invoice fits this filter and search."))
    if Right.CREATE in page.rights:
        blocks += _groups(eligible, page, mark)
    else:
        blocks += _untickable(eligible, page.today)
    if others:
        blocks.append(caption("These can't be ticked"))
        blocks += [_row(invoice, page.today) for invoice in others]
    # What leads away from the page stands where one has read it.
    if turns := _turns(page):
        blocks.append(actions(turns, block_id=f"turn-{mark}"))
    if page.invoices:
        blocks.append(_details(page.invoices, mark))
    return modal(
        "Paylink",
        blocks,
        callback_id=ids.LIST_VIEW,
        # A modal with inputs must have a submit (Slack docs: view object).
        submit="Create Payment Link" if _can_create(page) else "Search",
        private_metadata=str(ListReference(selection.id, selection.revision, selection.search)),
    )


def read_filter(value: str | None) -> ListFilter | None:
    """The status behind a choice of the filter; None is All. Raises ValueError for what the filter doesn't offer."""
    if value is None or value == _ALL:
        return None
    if value == Due.OVERDUE:
        return Due.OVERDUE
    # Lists that a version before drew carry the words.
    return next((status for status, word in WRITTEN.items() if word == value), None) or LinkStatus(value)


def _search(selection: SelectionSummary, mark: str) -> Json:
    element: Json = {
        "type": "plain_text_input",
        "action_id": ids.LIST_SEARCH,
        "placeholder": plain("Invoice number or buyer, then Enter"),
        "max_length": SEARCH_MOST,
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
    }
    if selection.search:
        element["initial_value"] = fit(selection.search, SEARCH_MOST)
    return field("Search", element, block_id=f"{ids.SEARCH_BLOCK}-{mark}", dispatch=True)


def _filter(selection: SelectionSummary, mark: str) -> Json:
    options = {one: option(word, _ALL if one is None else one.value) for one, word in FILTERS.items()}
    chosen = options[selection.filter]
    element = static_select(ids.LIST_FILTER, "Status", list(options.values()), chosen)
    return field("Online Payment Link", element, block_id=f"filter-{mark}", dispatch=True)


def _can_create(page: InvoiceList) -> bool:
    """Something is ticked, or can be."""
    return Right.CREATE in page.rights and bool(
        page.selection.ticked or any(invoice.eligible for invoice in page.invoices)
    )


def _buttons(page: InvoiceList, mark: str) -> Json:
    buttons = []
    if Right.CREATE in page.rights and any(invoice.eligible for invoice in page.invoices):
        buttons.append(button("Select All on This Page", ids.LIST_SELECT_PAGE))
    if _can_create(page):
        buttons.append(button("Remove All Selections", ids.LIST_CLEAR))
    buttons.append(button("Download", ids.LIST_DOWNLOAD))
    return actions(buttons, block_id=f"page-{mark}")


def _turns(page: InvoiceList) -> list[Json]:
    turns = []
    if page.has_previous:
        turns.append(button("Previous Page", ids.LIST_PREVIOUS))
    if page.has_next:
        turns.append(button("Next Page", ids.LIST_NEXT))
    return turns


def _count(page: InvoiceList) -> Json:
    lines = [_place(page)]
    ticked = page.selection.ticked
    if ticked:
        sums = [f"{len(ticked)} of at most {MOST_TICKED} ticked", *amounts(page.totals)]
        elsewhere = len(ticked - {invoice.id for invoice in page.invoices})
        if elsewhere:
            sums.append(f"{elsewhere} of them not shown here")
        lines.append(" · ".join(sums))
    return context("\n".join(lines))


def _place(page: InvoiceList) -> str:
    """Which page it is, of how many, as far as they were counted."""
    extent = page.extent
    if extent is None:
        return f"Page {page.page_number}" + (" · more follow" if page.has_next else "")
    if extent.pages is None:
        return f"Page {page.page_number} · more than {counted(extent.invoices, 'invoice')}"
    # What came or went meanwhile has moved the pages.
    pages = max(extent.pages, page.page_number + page.has_next)
    return f"Page {page.page_number} of {pages} · {counted(extent.invoices, 'invoice')}"


def _groups(eligible: Sequence[InvoiceSummary], page: InvoiceList, mark: str) -> Iterator[Json]:
    """Checkboxes stand in actions blocks: an input block would call each group "(optional)"."""
    for start in range(0, len(eligible), GROUP):
        options = {invoice.id: _tick(invoice, page.today) for invoice in eligible[start : start + GROUP]}
        element: Json = {
            "type": "checkboxes",
            "action_id": ids.LIST_TICKS,
            "options": list(options.values()),
        }
        initial = [each for invoice_id, each in options.items() if invoice_id in page.selection.ticked]
        if initial:
            element["initial_options"] = initial
        # Slack keeps the ticks of a block that it knows, at their places: where others stand by now it must be another block.
        stands = crc32(",".join(map(str, options)).encode())
        yield actions([element], block_id=f"{ids.TICKS_BLOCK}-{mark}-{start // GROUP}-{stands:08x}")


def _untickable(eligible: Sequence[InvoiceSummary], today: date) -> Iterator[Json]:
    """As many in a block as where they can be ticked."""
    for start in range(0, len(eligible), GROUP):
        group = eligible[start : start + GROUP]
        yield section(
            "\n".join(
                f"{isolated(one.number)} · {inline(one.buyer_name, 100)} · {amount(one.amount)} · {due(one, today)}"
                for one in group
            )
        )


def _tick(invoice: InvoiceSummary, today: date) -> Json:
    rest = f" · {amount(invoice.amount)} · {due(invoice, today)}"
    number = fit(invoice.number, 75)
    return option(number, str(invoice.id), inline(invoice.buyer_name, 75 - length(rest)) + rest)


def _row(invoice: InvoiceSummary, today: date) -> Json:
    assert invoice.reason is not None
    copy = None
    if invoice.link is not None and not invoice.deactivated:
        copy = button("Copy Payment Link URL", ids.COPY_LINK, str(invoice.id))
    buyer = inline(invoice.buyer_name, 150)
    status = f"{sign(invoice)} {status_line(invoice)}"
    first = f"{isolated(invoice.number)} · {buyer} · {amount(invoice.amount_by_status)} · {status}"
    if invoice.due_date is not None and invoice.due_date < today and due_in(invoice, today):
        first += f" · {due(invoice, today)}"
    lines = [first, REASONS[invoice.reason]]
    lines += changed_since(invoice)
    return section("\n".join(lines), accessory=copy)


def _details(invoices: Sequence[InvoiceSummary], mark: str) -> Json:
    options = [option(fit(invoice.number, 75), str(invoice.id)) for invoice in invoices[:100]]
    element = static_select(ids.LIST_DETAILS, "Choose an invoice of this page", options)
    return field("Details", element, block_id=f"details-{mark}", dispatch=True)
