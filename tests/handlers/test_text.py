"""Customers' text fits, stays whole where it can, and turns nothing around that stands beside it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.words.text import escaped, fit, inline, isolated, length, packed
from tests.handlers.hostile import HOSTILE

ANY_TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=200)


@given(ANY_TEXT, st.integers(3, 80))
def test_what_is_cut_fits_and_begins_like_the_whole(text: str, most: int) -> None:
    cut = fit(text, most)
    assert 0 < length(cut) <= most
    assert cut == text or (cut.endswith("…") and text.startswith(cut[:-1]))


@given(ANY_TEXT, st.integers(5, 80))
def test_what_stands_in_a_line_fits_with_its_isolates(text: str, most: int) -> None:
    shown = inline(text, most)
    assert 0 < length(shown) <= most
    depth = 0
    for character in shown:
        depth += character in "\u2066\u2067\u2068"
        depth -= character == "\u2069"
        assert depth >= 0
    assert depth == 0


def test_a_combined_character_is_not_cut_in_two() -> None:
    assert fit("abcde\u0301f", 6) == "abcd…"
    assert fit("ab👩‍👩‍👧‍👦", 8) == "ab…"


def test_plain_names_stay_as_they_are() -> None:
    for name in ("Acme Corporation", "Müller & Söhne", "株式会社"):
        assert isolated(name) == name


@pytest.mark.parametrize("kind", HOSTILE)
def test_right_to_left_text_keeps_to_itself(kind: str) -> None:
    shown = isolated(HOSTILE[kind])
    turns = {"R", "AL", "RLO", "RLE", "RLI"}
    if any(unicodedata.bidirectional(character) in turns for character in HOSTILE[kind]):
        assert (shown[0], shown[-1]) == ("\u2068", "\u2069")


def test_no_mention_survives_escaping() -> None:
    assert escaped("<!channel> & <@U1>") == "&lt;!channel&gt; &amp; &lt;@U1&gt;"


@given(st.lists(st.text(min_size=1, max_size=30), max_size=50))
def test_lines_are_packed_in_order_and_none_is_lost(lines: list[str]) -> None:
    groups = list(packed(lines, 60))
    assert [line for group in groups for line in group] == lines
    assert all(length("\n".join(group)) <= 61 for group in groups)
