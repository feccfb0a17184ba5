"""Texts that came out of Paylink's own export, with what was put in for spreadsheets; and those that look as if."""

import re
from collections.abc import Callable, Mapping

from domain.files.formulas import as_written, is_inert_form
from domain.files.import_fields import Problem, RecordRefused, shown

Values = Mapping[str, str]
Prepare = Callable[[Values], Values]
_TEXTS = ("number", "buyer_name", "buyer_email", "description")
# Two characters that no workbook can hold, as they are left by the reader of workbooks. Nobody writes that otherwise.
_LOST = re.compile("_xFFF[EF]_", re.IGNORECASE)
_MARKED = (
    "is an apostrophe in it an export's, or its own? Import an export with its columns as they are, and other invoices of that "
    "kind as JSON Lines"
)


def restored(values: Values) -> Values:
    """Of a record of the export: the texts as they were."""
    texts = {name: as_written(values[name]) for name in _TEXTS if "'" in values.get(name, "")}
    return {**values, **texts} if texts else values


def restored_from_cells(values: Values) -> Values:
    """The same of a record in a workbook. Raises RecordRefused for a text that a workbook couldn't hold."""
    for name in _TEXTS:
        if _LOST.search(text := values.get(name, "")):
            raise RecordRefused(Problem(name, shown(text), "a workbook can't hold this text: use CSV"))
    return restored(values)


def unmarked(values: Values) -> Values:
    """The same values. Raises RecordRefused if nobody can say whether a text is as it was: then it would make another
    invoice, or another buyer, of one that is known."""
    for name in _TEXTS:
        text = values.get(name, "")
        if "'" in text and is_inert_form(text):
            raise RecordRefused(Problem(name, shown(text), _MARKED))
    return values
