"""Texts in CSV that no spreadsheet takes for a formula, and the same texts taken out again without doubt.

A spreadsheet splits a line at the separator of its own region, not only at commas. So a cell doesn't only begin where a field
does, but behind every separator and line break too; and blanks, quotation marks and invisible characters at its
beginning may be passed over. Where a formula could begin, an apostrophe goes before it, and one more before apostrophes
that stand there already: taking one away in each such place gives the text that was put in, whatever it was.
"""

import re

# At which spreadsheets of some region, or readers of lines, begin another cell.
_SEPARATORS = r",;|\t\n\r\v\f\x1c-\x1e\x85\u061b\u2028\u2029"
# What may be passed over at a cell's beginning: blanks that are no separators, quotation marks, invisible characters.
_PASSED_OVER = (
    rf"(?:[^\S{_SEPARATORS}]"
    r'|["\x00-\x08\x0e-\x1b\x1f\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff])*+'
)
# In both widths; and a tab or carriage return, which may be passed over together with what is put before it.
_FORMULA = r"[=+\-@\t＝＋－＠]|\r(?!\n)"
_BEGINNING = rf"(?:^|(?<=[{_SEPARATORS}]))({_PASSED_OVER})"
_FORMULAS = re.compile(rf"{_BEGINNING}('*+)(?={_FORMULA})")
_INERT = re.compile(rf"{_BEGINNING}'('*+)(?={_FORMULA})")


def inert(text: str) -> str:
    """The text so that no cell of it is a formula."""
    # Of a million texts few have one, and to look for it takes half as long as to replace it.
    return _FORMULAS.sub(r"\1'\2", text) if _FORMULAS.search(text) else text


def marked(text: str) -> str:
    """The text for where no text is a formula: only what looks as if ``inert`` had made it gets one more apostrophe.

    So ``as_written`` takes out what either put in, whichever of the two files a spreadsheet has made into the other.
    """
    return _INERT.sub(r"\1''\2", text) if "'" in text else text


def as_written(text: str) -> str:
    """What ``inert`` or ``marked`` made the text of. What has a formula that nothing was put before keeps it."""
    return _INERT.sub(r"\1\2", text)


def is_inert_form(text: str) -> bool:
    """Whether something stands in the text that ``inert`` may have put there: of a text by itself nobody can say."""
    return _INERT.search(text) is not None
