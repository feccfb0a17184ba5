"""What an invoice number is one by: everything that looks for a number, or takes one in, asks here (decision 0024).

Unicode's compatibility form (NFKC) would go too far: it makes one of ``1²`` and ``12``, of ``①`` and ``1``, which are not
the same on paper, and so would let an import change an invoice that isn't meant. Only what can't be told apart by looking
is one: widths, cases, kinds of blanks and of hyphens, the two forms of ``Ä``, and what can't be seen at all.
"""

import re
import unicodedata
from functools import lru_cache

# Format characters that are seen, as signs around the digits that follow (Unicode: Prepended_Concatenation_Mark).
_SEEN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
# Invisible without being format characters (Unicode: Default_Ignorable_Code_Point): the grapheme joiner, fillers of Hangul,
# inherent vowels of Khmer, selectors of variations, and what is kept free for more of them.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
# Minus signs and a bullet that are drawn as hyphens; the others have a category of their own.
_HYPHENS = frozenset("\u02d7\u2043\u2212\u2796")
_BLANK_OF_BRAILLE = "\u2800"
# What all versions tell apart alike; the databases say the same in domain/models/invoices.py.
_PLAIN = re.compile("(?!.*  )[ -~]*")


def number_key(number: str) -> str:
    """What the number is one by within its organisation; empty for one of which nothing can be seen.

    Without regard to case, width, surrounding and repeated blanks, and invisible characters, in one form (NFC), with one
    kind of blank and one of hyphen.
    """
    if number.isascii():
        return " ".join(number.lower().split())
    alike = "".join(map(_alike, number))
    folded = unicodedata.normalize("NFD", alike).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def written_key(number: str) -> str:
    """The column ``number_key``: what versions before 0014 tell numbers apart by, and look for."""
    return number.strip().casefold()


def identity_of(number: str) -> str | None:
    """The column ``identity``: the number's key, unless ``written_key`` is that and can be nothing else."""
    return None if _PLAIN.fullmatch(written_key(number)) else number_key(number)


def is_unseen(char: str) -> bool:
    """Whether nobody sees it, nor the room that it takes."""
    return (unicodedata.category(char) == "Cf" and char not in _SEEN) or bool(_UNSEEN.match(char))


@lru_cache(maxsize=4_000)  # an organisation's numbers are made of few characters
def _alike(char: str) -> str:
    """The one that stands for all that look like it, but for their case."""
    tag, _, code = unicodedata.decomposition(char).partition(" ")
    if tag in ("<wide>", "<narrow>"):
        char = chr(int(code, 16))
    if is_unseen(char):
        return ""
    if char.isspace() or char == _BLANK_OF_BRAILLE:
        return " "
    return "-" if char in _HYPHENS or unicodedata.category(char) == "Pd" else char
