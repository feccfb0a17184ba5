"""What must be said about a file before it can be imported: the option that says it, and an example of what depends on it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.stop import Stop

if TYPE_CHECKING:
    from domain.files.reading.invoice_file import InvoiceFile
    from domain.files.reading.values.deciding import Doubt

_OPTIONS = {
    "decimal_sign": ("--decimal-sign", "the decimal sign"),
    "date_order": ("--date-order", "the order of day and month"),
}


def require_answers(file: "InvoiceFile") -> None:
    """Raises Stop if something is left to be said, with all of it."""
    if sentences := list(answers_wanted(file)):
        raise Stop("\n".join(sentences))


def answers_wanted(file: "InvoiceFile") -> Iterator[str]:
    questions = file.open_questions
    if questions.refusal:
        yield f"{questions.refusal}."
        return
    if missing := [name for name in questions.missing if name != "currency"]:
        yield f"{file.name} has no column for {' and '.join(missing)}: name it in a map, see `paylink import --explain FILE`."
    if "currency" in questions.missing:
        yield f"{file.name} has no column for the currency: say which it is with --currency, such as --currency USD."
    for doubt in questions.doubts:
        yield f"{file.name}: {_sentence(doubt)}"


def _sentence(doubt: "Doubt") -> str:
    option, what = _OPTIONS[doubt.what]
    if doubt.others:
        examples = " and ".join(f"“{text}” needs {option} {said}" for said, text in doubt.readings)
        return (
            f"lines {doubt.line:,} and {doubt.others:,} contradict each other in {what}: {examples}. "
            "Say which is right; records of the other kind are then refused."
        )
    readings = " or ".join(reading for _, reading in doubt.readings)
    options = " or ".join(f"{option} {said} ({reading})" for said, reading in doubt.readings)
    return (
        f"“{doubt.example}” in line {doubt.line:,} is {readings}, and nothing in the file says which: "
        f"say {what} with {options}."
    )
