"""Which typed characters may go to the database."""

import unicodedata


def is_printable(text: str) -> bool:
    """Whether databases take it: no control characters, no halves of characters."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def printable(text: str) -> str:
    """The text with a blank for each character that isn't."""
    return "".join(character if is_printable(character) else " " for character in text).strip()
