"""Search: an invoice is found by the beginning of its number or of any word of its buyer's name.

Each place in a name where a search may begin is kept as a term, so that a search of one or several words is one range
of an index, on both databases: with the name, or with each invoice if it is long (decision 0016). Numbers in ASCII need
none (domain/invoices/number_search.py); others may be written in so many ways that they have a term like names.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from domain.invoices.numbers.keys import is_unseen
from domain.models.invoices import SHORT_NAME

TERM_LENGTH = 60
WORDS = 40
LAST = "\U0010ffff"
"""Sorts after everything that text can hold: it is no character."""
_ASCII = str.maketrans({chr(code): " " for code in range(128) if not chr(code).isalnum()})


def search_phrase(text: str) -> str:
    """Words as searches compare them: in one case and one form, single spaces instead of anything between words."""
    folded = _folded(text)
    if folded.isascii():
        return " ".join(folded.translate(_ASCII).split())
    return " ".join("".join(char if in_word(char) else " " for char in folded).split())


def own_terms(number_key: str, buyer_name: str) -> frozenset[str]:
    """Those that are kept with the invoice."""
    of_number = frozenset() if number_key.isascii() else terms_of_number(number_key)
    return of_number if is_short(buyer_name) else of_number | terms_of_buyer(buyer_name)


def shared_terms(buyer_name: str) -> frozenset[str]:
    """Those that are kept with the buyer's name, once for all of its invoices."""
    return terms_of_buyer(buyer_name) if is_short(buyer_name) else frozenset()


def terms_of_number(number_key: str) -> frozenset[str]:
    terms = {search_phrase(number_key)[:TERM_LENGTH]}
    if not in_word(number_key[:1]) and (number := marked(number_key)) and not in_word(number[0]):
        terms.add(number[:TERM_LENGTH])
    return frozenset(terms - {""})


@lru_cache(maxsize=2_000)  # an import says the same buyers over and over
def terms_of_buyer(name: str) -> frozenset[str]:
    phrase = search_phrase(name)
    terms = set(_tails(phrase))
    # Most names are words and spaces, and are done here.
    if not (name.isascii() and len(phrase) == len(name)):
        terms.update(tail for tail in _tails(marked(name)) if not in_word(tail[0]))
    return frozenset(terms)


def is_short(buyer_name: str) -> bool:
    """Whether the name's terms are kept once, with the name."""
    return len(buyer_name) < SHORT_NAME


def prefix_range(phrase: str) -> tuple[str, str]:
    """``(lo, hi)`` such that ``lo <= term < hi`` byte by byte says that the term begins with the phrase."""
    beginning = phrase[:TERM_LENGTH].rstrip()
    return beginning, beginning + LAST


def phrase_of(search: str) -> str:
    """What a search looks for; nothing for a blank one. Nothing but signs, such as ``#``, is looked for as written."""
    return search_phrase(search) or marked(search)


def _tails(phrase: str) -> Iterator[str]:
    start = 0
    for _ in range(WORDS):
        if start >= len(phrase):
            return
        yield phrase[start : start + TERM_LENGTH].rstrip()
        start = phrase.find(" ", start) + 1
        if start == 0:
            return


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    # What can't be seen, such as right-to-left marks, would hide the word behind it.
    return "".join(char for char in folded if not is_unseen(char))


def marked(text: str) -> str:
    """As search_phrase, but with punctuation and symbols left as they stand."""
    folded = _folded(text)
    return " ".join(
        "".join(char if unicodedata.category(char)[0] in "LMNPS" else " " for char in folded).split()
    )


def in_word(char: str) -> bool:
    """Whether it is a letter or a digit, or belongs to one."""
    return char != "" and unicodedata.category(char)[0] in "LMN"
