import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.files.formulas import as_written, inert, is_inert_form, marked

# What it is all about, often enough to meet.
ANY_TEXT = st.text(
    st.one_of(
        st.sampled_from("=+-@＝＋－＠'\",;|\t\r\n \u00a0\u200b\u2028\u061b\x0b_x"),
        st.characters(codec="utf-8"),
    ),
    max_size=30,
)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@given(ANY_TEXT)
@example("'=1")
@example("''=1;'=2")
@example("\t\t=1")
def test_what_is_put_in_is_taken_out_again(text: str) -> None:
    assert as_written(inert(text)) == text


@given(ANY_TEXT)
@example("'=1")
def test_what_only_what_looks_so_is_marked_with_is_taken_out_in_the_same_way(text: str) -> None:
    assert as_written(marked(text)) == text
    assert marked(text) == text or is_inert_form(text)


@given(ANY_TEXT)
def test_what_was_written_without_it_stays(text: str) -> None:
    assert is_inert_form(text) or as_written(text) == text


@pytest.mark.parametrize(
    ("text", "goes_out"),
    [
        ("=1+1", "'=1+1"),
        ("-15", "'-15"),
        ("＝1", "'＝1"),
        ("  @x", "  '@x"),
        ('"=1', "\"'=1"),
        ("\ufeff+1", "\ufeff'+1"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("a\r\n\r\n-b", "a\r\n\r\n'-b"),
        ("Acme;=cmd|' /C calc'!A0;x", "Acme;'=cmd|' /C calc'!A0;x"),
        ("a, -b", "a, '-b"),
        ("a\u2028=1", "a\u2028'=1"),
        ("a\u061b=1", "a\u061b'=1"),
        ("'=1", "''=1"),
        ("' =1", "' =1"),
        ("Acme - Berlin & Co., R+D, 1-2", "Acme - Berlin & Co., R+D, 1-2"),
        ("Two lines,\r\nin a field", "Two lines,\r\nin a field"),
        ("x@y.example", "x@y.example"),
    ],
)
def test_only_where_a_formula_could_begin_something_goes_before_it(text: str, goes_out: str) -> None:
    assert inert(text) == goes_out


@given(st.lists(ANY_TEXT, min_size=1, max_size=4))
@example(['x;"=cmd', "=1"])
@example(["Acme;=cmd|' /C calc'!A0;x"])
def test_no_cell_is_a_formula_wherever_a_spreadsheet_splits(texts: list[str]) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerow(inert(text) for text in texts)

    for separator in ",;\t|\u061b":
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
            # NUL has no place in a reader of Python's before 3.13; here it is a blank like others.
            lines = io.StringIO(file.getvalue().replace("\0", " "), newline="")
            for row in csv.reader(lines, delimiter=separator, quoting=quoting):
                for cell in row:
                    shown = cell.lstrip(' "\u00a0\u200b\ufeff')
                    assert not shown.startswith(FORMULA), (cell, separator)


@pytest.mark.parametrize("text", ['"' * 200_000, ";" * 200_000, "'" * 200_000, '; "' * 100_000])
def test_long_runs_of_signs_take_no_time(text: str) -> None:
    assert as_written(inert(text)) == text
