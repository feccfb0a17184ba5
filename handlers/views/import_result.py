"""An import while it goes on and when it is done, in a modal and as a direct message."""

from domain.import_results import ImportCounts, ImportStanding
from domain.states import ImportState
from handlers import ids
from handlers.views.blocks import Json, header, modal, section
from handlers.words.text import counted, escaped, inline

COUNTS = (
    ("New", "new"),
    ("Changed", "changed"),
    ("Unchanged", "unchanged"),
    ("Refused", "refused"),
    ("Left out", "left_out"),
)
BROKE_OFF = (
    "The import broke off again and again. What was taken so far stays, and bringing the same file in again is safe. "
    "If it breaks off again, ask whoever runs Paylink to look into the log."
)

WAITS = "Another import is under way: this one begins when it has ended."


def count_lines(counts: ImportCounts) -> list[str]:
    """``New: 12`` and so on, letter for letter as outside tests find them."""
    return [f"{label}: {getattr(counts, name):,}" for label, name in COUNTS]


def progress(standing: ImportStanding) -> Json:
    blocks = [header("Import Invoices"), section(inline(standing.name, 300))]
    counts = section("\n".join(count_lines(standing.counts)), block_id="counts")
    if standing.state is ImportState.FAILED:
        blocks += [section(f"⚠ {BROKE_OFF}"), counts]
    elif standing.final:
        blocks += [section("The import is done."), counts, *_differs(standing)]
    else:
        done, total = standing.counts.total, standing.previewed.total
        how = WAITS if standing.waits else "The invoices are being imported."
        close = "You can close this: it goes on by itself, and a direct message tells you when it is done."
        blocks += [
            section(f"{_bar(done, total)} {done:,} of {counted(total, 'record')}"),
            counts,
            section(f"{how} {close}"),
        ]
    return modal(
        "Import", blocks, callback_id=ids.IMPORT_RESULT_VIEW, private_metadata=str(standing.import_id)
    )


def import_message(standing: ImportStanding, *, with_file: bool) -> Json:
    """``text`` and ``blocks`` of the direct message. Of what comes with a file, Slack shows the text alone."""
    name = inline(standing.name, 300)
    first = f"Import of {name}"
    if standing.state is ImportState.FAILED:
        lines = [first, *count_lines(standing.counts), BROKE_OFF]
    else:
        lines = [first, *count_lines(standing.counts), *_difference(standing)]
        if with_file:
            lines.append(
                "The file has what was refused, as it was, and why: correct it there, and import that file."
            )
        elif standing.counts.refused:
            lines.append("Import the same file again to see what was refused, and why.")
    text = "\n".join(lines)
    return {"text": escaped(text), "blocks": [section(text)]}


def _differs(standing: ImportStanding) -> list[Json]:
    return [section(f"⚠ {line}") for line in _difference(standing)]


def _difference(standing: ImportStanding) -> list[str]:
    if standing.as_previewed:
        return []
    previewed = ", ".join(count_lines(standing.previewed))
    return [f"Invoices were changed by somebody else since the preview, which said {previewed}."]


def _bar(done: int, total: int) -> str:
    filled = min(10 * done // total, 10) if total else 0
    return "▰" * filled + "▱" * (10 - filled)
