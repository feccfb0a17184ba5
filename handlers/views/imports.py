"""Bringing a file in: the file, what must be said of it, and what importing it would do."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from domain.imports.summaries import FileColumn, ImportDoubt, ImportPreview, ImportQuestion, InvoiceChange
from domain.money import SUPPORTED, Money
from handlers import ids
from handlers.views.blocks import (
    Json,
    actions,
    bullets,
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
)
from handlers.views.import_result import count_lines
from handlers.words import written
from handlers.words.imports import (
    AS_SAID,
    ASKED,
    CHANGES,
    DATE_ORDERS,
    DECIMAL_SIGNS,
    FIELDS,
    LAYOUTS,
    NEEDED,
)
from handlers.words.text import fit, inline, isolated, one_line

if TYPE_CHECKING:
    # What reads files is loaded with the first one.
    from domain.files.import_fields import Problem
    from domain.files.reading.records import BadLine

TITLE = "Import Invoices"
PREVIEW = "Import Preview"
FIXED = "="
"""Before the currency of all invoices, where an option isn't a column."""
_COMMON = (
    "USD",
    "EUR",
    "GBP",
    "JPY",
    "CHF",
    "CAD",
    "AUD",
    "CNY",
    "INR",
    "SGD",
    "HKD",
    "SEK",
    "NOK",
    "DKK",
    "PLN",
)
_OPTIONS = 100
_VALUE = 160
"""Characters of a value before or after a change."""


def form(*, said: str | None = None) -> Json:
    """The file. ``said``: why the one before wasn't taken."""
    element: Json = {"type": "file_input", "action_id": ids.IMPORT_FILE, "max_files": 1}
    blocks = [
        header(TITLE),
        *([notice(said)] if said else []),
        section(
            "CSV or an Excel workbook, as your invoicing program exports it: Xero, QuickBooks, Zoho Books, FreshBooks, Odoo and "
            "others are recognised, of others Paylink asks which column is what. You see what would happen before anything does."
        ),
        field("File", element, block_id=ids.IMPORT_FILE, hint="10 MB at most.", optional=False),
    ]
    return modal("Paylink", blocks, callback_id=ids.IMPORT_VIEW, submit="Preview", close="Cancel")


def reading(name: str) -> Json:
    """While the file is fetched and read: Slack doesn't wait for that."""
    words = f"Reading {inline(name, 300)}… A large file takes half a minute." if name else "Reading the file…"
    return modal("Paylink", [header(TITLE), section(words)], callback_id=ids.NOTE_VIEW)


def question(asked: ImportQuestion, *, said: str | None = None) -> Json:
    blocks = [header(PREVIEW), section(inline(asked.name, 300))]
    if said:
        blocks.append(notice(said))
    if asked.asks_columns:
        blocks.append(
            section(
                "Paylink doesn't know this heading. Say which column is what; it is remembered for the next file with this heading."
            )
        )
        blocks += [_column_select(asked, name) for name in ASKED]
    elif asked.asks_currency:
        blocks.append(
            section("No column says the currency: choose the one that all of these invoices are in.")
        )
        blocks.append(_currency_select(asked, []))
    blocks += _doubts(asked)
    return modal(
        "Paylink",
        blocks,
        callback_id=ids.IMPORT_COLUMNS_VIEW,
        submit="Preview",
        close="Cancel",
        private_metadata=str(asked.import_id),
    )


def preview(shown: ImportPreview, *, said: str | None = None) -> Json:
    counts = shown.counts
    layout = LAYOUTS.get(shown.layout, shown.layout) if shown.layout else AS_SAID
    blocks = [header(PREVIEW)]
    if said:
        blocks.append(notice(said))
    blocks.append(section(f"{inline(shown.name, 300)}\nRecognised: {layout}"))
    blocks.append(section("\n".join(count_lines(counts)), block_id="counts"))
    if shown.totals:
        blocks.append(section(f"Total by currency: {', '.join(written.amounts(shown.totals[:30]))}"))
    if not counts.taken:
        blocks.append(section("Nothing can be imported from this file."))
    elif not counts.new + counts.changed:
        blocks.append(
            section("All of these invoices are known as they are: importing the file changes nothing.")
        )
    blocks += _changed(shown)
    blocks += _refused(shown)
    blocks += _columns(shown)
    return modal(
        "Paylink",
        blocks,
        callback_id=ids.IMPORT_PREVIEW_VIEW,
        submit="Import" if counts.taken else None,
        close="Cancel",
        private_metadata=str(shown.import_id),
    )


def _column_select(asked: ImportQuestion, name: str) -> Json:
    if name == "currency":
        return _currency_select(asked, [_column_option(column) for column in asked.columns])
    options = [_column_option(column) for column in asked.columns]
    return _select(asked, name, {"options": options}, _guess(asked, name, options))


def _currency_select(asked: ImportQuestion, columns: list[Json]) -> Json:
    codes = [*asked.currencies, *_COMMON, *sorted(SUPPORTED)]
    fixed = [option(f"All are in {code}", FIXED + code) for code in list(dict.fromkeys(codes))[:_OPTIONS]]
    groups = [{"label": plain("The same for all"), "options": fixed}]
    if columns:
        groups.insert(0, {"label": plain("A column of the file"), "options": columns})
    return _select(asked, "currency", {"option_groups": groups}, _guess(asked, "currency", columns))


def _select(asked: ImportQuestion, name: str, choices: Json, initial: Json | None) -> Json:
    element: Json = {
        "type": "static_select",
        "action_id": f"{ids.IMPORT_COLUMN}_{name}",
        "placeholder": plain("Choose a column" if asked.asks_columns else "Choose a currency"),
        **choices,
    }
    if initial is not None:
        element["initial_option"] = initial
    optional = name not in NEEDED
    return field(FIELDS[name], element, block_id=block_of(asked.import_id, name), optional=optional)


def _column_option(column: FileColumn) -> Json:
    values = " · ".join(one_line(value) for value in column.values)
    return option(fit(column.heading, 75), str(column.place), fit(values, 75) if values else "no values")


def _guess(asked: ImportQuestion, name: str, options: list[Json]) -> Json | None:
    place = dict(asked.guesses).get(name)
    return next((one for one in options if one["value"] == str(place)), None)


def _doubts(asked: ImportQuestion) -> Iterator[Json]:
    for label, name, doubt, words in (
        ("Decimal sign", ids.IMPORT_DECIMAL_SIGN, asked.decimal_doubt, DECIMAL_SIGNS),
        ("Date order", ids.IMPORT_DATE_ORDER, asked.date_doubt, DATE_ORDERS),
    ):
        if doubt is not None:
            yield from _doubt(asked, label, name, doubt, words)


def _doubt(
    asked: ImportQuestion, label: str, name: str, doubt: ImportDoubt, words: dict[str, str]
) -> Iterator[Json]:
    if doubt.others:
        yield section(
            f"⚠ Lines {doubt.line:,} and {doubt.others:,} contradict each other. Say which is right: records of the other kind "
            "are refused."
        )
    options = [
        option(
            fit(
                f"{words[said]}: {doubt.example} is {read}"
                if not doubt.others
                else f"{words[said]}, as in {read}",
                75,
            ),
            said,
        )
        for said, read in doubt.readings
    ]
    element: Json = {
        "type": "static_select",
        "action_id": name,
        "placeholder": plain("Choose what is right"),
        "options": options,
    }
    hint = f"Line {doubt.line:,} says {inline(doubt.example, 80)}, and nothing in the file says which it is."
    yield field(
        label,
        element,
        block_id=block_of(asked.import_id, name),
        hint=None if doubt.others else hint,
        optional=False,
    )


def block_of(import_id: int, name: str) -> str:
    """A block of its own for each file: what was chosen for another one doesn't stay."""
    return f"{name}-{import_id}"


def _changed(shown: ImportPreview) -> list[Json]:
    if not shown.changes:
        return []
    more = shown.counts.changed - len(shown.changes)
    lines = [_change(change) for change in shown.changes]
    return [caption("Changed"), *bullets([*lines, *([f"and {more:,} more"] if more > 0 else [])])]


def _change(change: InvoiceChange) -> str:
    number = isolated(change.before.number)
    linked = " (it has a link, which doesn't change)" if change.linked else ""
    return f"{number}{linked}: {'; '.join(_differences(change)) or 'nothing that is shown'}"


def _differences(change: InvoiceChange) -> Iterator[str]:
    before, after = change.before, change.after
    amounts = Money(before.amount, before.currency), Money(after.amount, after.currency)
    if amounts[0] != amounts[1]:
        yield f"Billing amount: {written.amount(amounts[0])} → {written.amount(amounts[1])}"
    for name, label in CHANGES.items():
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield f"{label}: {_value(old)} → {_value(new)}"


def _value(value: object) -> str:
    text = one_line(str(value)) if value else ""
    return inline(text, _VALUE) if text else "none"


def _refused(shown: ImportPreview) -> list[Json]:
    if not shown.refused:
        return []
    more = shown.counts.refused - len(shown.refused)
    lines = [_bad(bad) for bad in shown.refused]
    rest = [f"and {more:,} more, all of them in the file that comes after the import"]
    return [caption("Refused"), *bullets([*lines, *(rest if more > 0 else [])])]


def _bad(bad: "BadLine") -> str:
    number = f", {isolated(bad.number)}" if bad.number else ""
    return fit(f"{bad.where.capitalize()}{number}: {'; '.join(map(_problem, bad.problems))}", 700)


def _problem(problem: "Problem") -> str:
    parts = (FIELDS.get(problem.field, problem.field), problem.where, problem.right)
    said = ": ".join(part for part in parts if part)
    return f"{said} (it says “{isolated(problem.found)}”)" if problem.found else said


def _columns(shown: ImportPreview) -> list[Json]:
    """Which column became what, and the way to say it otherwise."""
    if not shown.columns:
        return []
    taken = " · ".join(f"{FIELDS.get(name, name)}: {inline(heading, 100)}" for name, heading in shown.columns)
    blocks = [caption("Columns"), context(taken)]
    if not shown.layout:
        blocks.append(
            actions([button("Choose Columns", ids.IMPORT_CHOOSE, str(shown.import_id))], block_id="choose")
        )
    return blocks
