"""A bulk run while it goes on and when it is done, in a modal and as the requester's direct message."""

from collections.abc import Iterator

from domain.states import Outcome, Right
from domain.summaries import BulkItem, BulkResult
from handlers import ids
from handlers.references import FailedReference
from handlers.views.blocks import (
    Json,
    actions,
    bullets,
    button,
    caption,
    header,
    modal,
    notice,
    preformatted,
    section,
    small,
)
from handlers.views.confirmation import copy_select
from handlers.words.sentences import REASONS, refused_with
from handlers.words.text import counted, escaped, fit, isolated

COUNTS = {
    Outcome.CREATED: "Created",
    Outcome.SKIPPED: "Skipped",
    Outcome.FAILED: "Failed",
    Outcome.BEING_CREATED: "Being created",
}
SIGNS = {Outcome.CREATED: "✅", Outcome.SKIPPED: "➖", Outcome.FAILED: "🔴", Outcome.BEING_CREATED: "⏳"}
BAR = 20
"""Characters of the bar of progress."""
_TOLD_IN_MESSAGE = 20
FOR_GOOD = "Trying again can't mend it: change the invoice's amount or currency."


def result(run: BulkResult, *, said: str | None = None) -> Json:
    blocks = [header("Online Payment Links")]
    if said is not None:
        blocks.append(notice(said))
    blocks.append(section(_summary(run), block_id="summary"))
    blocks.append(small(count_lines(run), block_id="counts"))
    if not run.final:
        blocks.append(
            section(
                "The links are being created. You can close this: it goes on by itself, and a direct message tells "
                "you when it is done."
            )
        )
    blocks.append(actions(list(_buttons(run)), block_id="run"))
    blocks += _listed(run, Outcome.FAILED)
    blocks += _created(run)
    blocks += _listed(run, Outcome.SKIPPED)
    if not run.final:
        blocks += _listed(run, Outcome.BEING_CREATED)
    return modal("Bulk Run", blocks, callback_id=ids.RESULT_VIEW, private_metadata=str(run.id))


def result_message(run: BulkResult) -> Json:
    """``text`` and ``blocks`` of the direct message: the counts, what failed, and the way to the whole result."""
    counts = count_lines(run)
    failed = [_line(item) for item in run.items if item.outcome is Outcome.FAILED]
    told = failed[:_TOLD_IN_MESSAGE]
    more = [f"and {len(failed) - len(told)} more"] if len(failed) > len(told) else []
    title = f"Bulk run of {counted(len(run.items), 'invoice')}"
    text = [f"{title}: {', '.join(counts)}.", *(f"• {line}" for line in told), *more]
    blocks = [section("\n".join([title, *counts]))]
    if told:
        blocks += [caption("Failed"), *bullets([*told, *more])]
    blocks.append(actions([button("Show Result", ids.SHOW_RESULT, str(run.id))], block_id="run"))
    return {"text": fit(escaped("\n".join(text)), 4000), "blocks": blocks}


def _summary(run: BulkResult) -> str:
    """What came of it so far, and how far it is."""
    said = " · ".join(
        f"{SIGNS[outcome]} {run.count(outcome)} {COUNTS[outcome].lower()}"
        for outcome in COUNTS
        if run.count(outcome)
    )
    return said if run.final else f"{_bar(run)}\n{said}"


def _bar(run: BulkResult) -> str:
    everything = len(run.items)
    done = everything - run.count(Outcome.BEING_CREATED)
    full = done * BAR // everything
    return f"{'█' * full}{'░' * (BAR - full)} {done} of {everything}"


def count_lines(run: BulkResult) -> list[str]:
    """``Created: 7`` and so on, letter for letter as outside tests find them."""
    return [f"{label}: {run.count(outcome)}" for outcome, label in COUNTS.items()]


def _buttons(run: BulkResult) -> Iterator[Json]:
    failed = sum(item.outcome is Outcome.FAILED and not item.refused_for_good for item in run.items)
    if failed and Right.CREATE in run.rights:
        yield button("Retry Failed", ids.RETRY_FAILED, str(FailedReference(run.id, failed)), primary=True)
    yield button("Download", ids.RESULT_DOWNLOAD, str(run.id))


def _created(run: BulkResult) -> list[Json]:
    created = [item for item in run.items if item.outcome is Outcome.CREATED and item.url]
    if not created:
        return []
    return [
        caption("Created: invoice number and payment link URL"),
        *preformatted(f"{item.number}\t{item.url}" for item in created),
        *copy_select([(item.invoice_id, item.number) for item in created]),
    ]


def _listed(run: BulkResult, outcome: Outcome) -> list[Json]:
    items = [item for item in run.items if item.outcome is outcome]
    return [caption(COUNTS[outcome]), *bullets(_line(item) for item in items)] if items else []


def _line(item: BulkItem) -> str:
    number = isolated(item.number)
    if item.outcome is Outcome.FAILED:
        said = f"{number}: Stripe refused it: {fit(refused_with(item.refusal), 120)}"
        return f"{said.removesuffix('.')}. {FOR_GOOD}" if item.refused_for_good else said
    if item.outcome is Outcome.SKIPPED and item.reason is not None:
        return f"{number}: {REASONS[item.reason]}"
    return number
