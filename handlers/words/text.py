"""Customers' text on its way into Slack: it fits, it pings nobody, and it can't turn what stands beside it around."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

ELLIPSIS = "…"
FIRST_STRONG_ISOLATE = "\u2068"
POP_ISOLATE = "\u2069"
_SEPARATORS = {0x2028: " ", 0x2029: " "}
# Isolates of the text's own would close ours; line separators would leave it.
_LOOSE = {0x2066: None, 0x2067: None, 0x2068: None, 0x2069: None, **_SEPARATORS}
_TURNS = frozenset({"R", "AL", "AN", "RLE", "RLO", "LRE", "LRO", "RLI", "LRI", "FSI", "PDI", "PDF"})
_PERSON = re.compile(r"[UW][A-Z0-9]+")
_JOINER = "\u200d"


def length(text: str) -> int:
    """Characters as Slack's clients count them: UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def fit(text: str, most: int) -> str:
    """The text, cut to ``most`` characters with an ellipsis, never inside a combined character if it can be helped."""
    # No character takes more than two code units.
    if 2 * len(text) <= most or (len(text) <= most and length(text) <= most):
        return text
    end, room = 0, most - 1
    while room >= length(text[end]):
        room -= length(text[end])
        end += 1
    whole = end
    while whole and (unicodedata.combining(text[whole]) or _JOINER in text[whole - 1 : whole + 1]):
        whole -= 1
    return text[: whole or end] + ELLIPSIS


def isolated(text: str) -> str:
    """Customers' text that stands in a line with other text: right-to-left characters keep to themselves."""
    if text.isascii() or not any(
        unicodedata.bidirectional(character) in _TURNS or ord(character) in _LOOSE for character in text
    ):
        return text
    return f"{FIRST_STRONG_ISOLATE}{text.translate(_LOOSE)}{POP_ISOLATE}"


def unbroken(text: str) -> str:
    """The text with a blank for each separator of lines, which a buyer's name may hold."""
    return text.translate(_SEPARATORS)


def inline(text: str, most: int) -> str:
    """As isolated, within ``most`` characters."""
    return isolated(fit(text, most - 2))


def one_line(text: str) -> str:
    """Text from outside with every run of white space made one blank."""
    return " ".join(text.split())


def escaped(text: str) -> str:
    """Text for a message's top-level ``text``, where ``<!channel>`` would ping (Slack docs: formatting text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Mentioning(str):
    """Words for places without markup; ``marked`` are the same with people as Slack's markup names them, and all else escaped."""

    __slots__ = ("marked",)
    marked: str

    def __new__(cls, plain: str, marked: str) -> "Mentioning":
        made = super().__new__(cls, plain)
        made.marked = marked
        return made


def marked(words: str) -> str:
    """As escaped, with the people whom the words mention."""
    return words.marked if isinstance(words, Mentioning) else escaped(words)


def mention_of(user: str | None) -> str | None:
    """A person as Slack's markup names them; None for whoever is no person of Slack's."""
    return f"<@{user}>" if user and _PERSON.fullmatch(user) else None


def packed(lines: Iterable[str], most: int) -> Iterator[list[str]]:
    """The lines in groups of at most ``most`` characters with a line break each; each line fits by itself."""
    group: list[str] = []
    size = 0
    for line in lines:
        if group and size + length(line) + 1 > most:
            yield group
            group, size = [], 0
        group.append(line)
        size += length(line) + 1
    if group:
        yield group


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def counted(number: int, noun: str) -> str:
    """``1 invoice``, ``12 invoices``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
