"""The list of exceptions, the view in which one is resolved, and what the details of an invoice show of them."""

from collections.abc import Sequence
from datetime import datetime

from domain.states import Right
from domain.summaries import ExceptionPage, ExceptionSummary, Resolution
from handlers import ids
from handlers.references import ExceptionsReference, ResolveReference
from handlers.views.blocks import (
    Json,
    actions,
    button,
    context,
    divider,
    field,
    header,
    markup_context,
    modal,
    notice,
    section,
    slack_time,
)
from handlers.views.exception_messages import ANSWER_UNTIL, about
from handlers.words.exceptions import TITLES, ended, resolver, what_differs, what_to_do
from handlers.words.text import counted, escaped, fit

HEADER = "Exceptions"
RESOLVE_HEADER = "Resolve Exception"
NOTHING = "Nothing needs attention."
REASON_MOST = 500


def exceptions(page: ExceptionPage, *, said: str | None = None) -> Json:
    """Twenty a page. The number of the page stands in every block id: nothing is kept from another page."""
    blocks = [header(HEADER)]
    if said is not None:
        blocks.append(notice(said))
    if not page.exceptions:
        blocks.append(section(NOTHING))
    for one in page.exceptions:
        blocks += [divider(), *_row(one, resolvable=Right.RESOLVE in page.rights)]
    if page.total > len(page.exceptions):
        blocks += [divider(), context(f"{counted(page.total, 'exception')} in all"), *_pages(page)]
    reference = str(ExceptionsReference(page.page))
    return modal("Paylink", blocks, callback_id=ids.EXCEPTIONS_VIEW, private_metadata=reference)


def resolving(exception: ExceptionSummary, reference: ResolveReference, *, said: str | None = None) -> Json:
    """Where a reason is asked for; of one that has ended, who was first and why."""
    blocks = [header(RESOLVE_HEADER)]
    if said is not None:
        blocks.append(notice(said))
    blocks.append(section(f"{_first_upper(about(exception))}\n{what_differs(exception)}"))
    if exception.resolution is not None:
        blocks += _ended(exception.resolution)
        return modal(RESOLVE_HEADER, blocks, callback_id=ids.RESOLVE_VIEW, private_metadata=str(reference))
    element: Json = {
        "type": "plain_text_input",
        "action_id": ids.REASON,
        "multiline": True,
        "min_length": 1,
        "max_length": REASON_MOST,
        "focus_on_load": True,
    }
    blocks.append(
        field(
            "Reason",
            element,
            block_id=ids.REASON,
            hint="How it was dealt with. It is kept with your name, and told in the thread of the exception's message.",
            optional=False,
        )
    )
    return modal(
        RESOLVE_HEADER,
        blocks,
        callback_id=ids.RESOLVE_VIEW,
        submit="Resolve",
        close="Back",
        private_metadata=str(reference),
    )


def of_invoice(
    opens: Sequence[ExceptionSummary], resolved: Sequence[ExceptionSummary], *, resolvable: bool = True
) -> list[Json]:
    """What the details of an invoice show: each open one, with its Resolve for those who may, the resolved ones in a line each."""
    blocks: list[Json] = []
    for one in opens:
        words = f"Exception: {what_differs(one)} {what_to_do(one)}"
        resolve = button("Resolve", ids.RESOLVE, str(one.id)) if resolvable else None
        blocks.append(section(words, accessory=resolve, block_id=f"exception-{one.id}"))
        blocks.append(_since(one))
    blocks += [_ended_line(one, one.resolution) for one in resolved if one.resolution is not None]
    return blocks


def _row(one: ExceptionSummary, *, resolvable: bool) -> list[Json]:
    words = [_first_upper(about(one)), what_differs(one), what_to_do(one)]
    buttons = []
    if one.invoice_id is not None:
        buttons.append(button("Details", ids.EXCEPTION_DETAILS, str(one.invoice_id)))
    if resolvable:
        buttons.append(button("Resolve", ids.RESOLVE, str(one.id)))
    ways = [actions(buttons, block_id=f"exception-{one.id}")] if buttons else []
    return [section("\n".join(words)), _since(one), *ways]


def _since(one: ExceptionSummary) -> Json:
    text = f"Since {slack_time(one.seen_at)}"
    if one.due_by is not None:
        text += f" · {ANSWER_UNTIL} {slack_time(one.due_by)}"
    return markup_context(text)


def _pages(page: ExceptionPage) -> list[Json]:
    """Each button says to which page it leads: what has changed meanwhile moves nobody further."""
    buttons = []
    if page.page > 0:
        buttons.append(button("Previous Page", f"{ids.EXCEPTIONS_PAGE}_previous", str(page.page - 1)))
    if page.has_next:
        buttons.append(button("Next Page", f"{ids.EXCEPTIONS_PAGE}_next", str(page.page + 1)))
    return [actions(buttons, block_id=f"pages-{page.page}")] if buttons else []


def _ended(resolution: Resolution) -> list[Json]:
    return [
        markup_context(f"It was resolved by {_who(resolution)} {slack_time(resolution.at)}"),
        section(fit(_first_upper(ended(resolution)), 1000)),
    ]


def _ended_line(one: ExceptionSummary, resolution: Resolution) -> Json:
    why = escaped(fit(ended(resolution), 500))
    return markup_context(f"{TITLES[one.kind]}: resolved by {_who(resolution)} {_day(resolution.at)} · {why}")


def _who(resolution: Resolution) -> str:
    who, is_person = resolver(resolution.by)
    return f"<@{who}>" if is_person else who


def _day(moment: datetime) -> str:
    return f"<!date^{int(moment.timestamp())}^{{date_short}}|{moment:%Y-%m-%d}>"


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
