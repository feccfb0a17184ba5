"""A layout: by which columns it is recognised, and what its columns become."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from domain.files.reading.repeated import Repeats

SEVERAL = frozenset({"buyer_name", "state"})
"""Fields that several columns say: the first that isn't blank, or for a state, whatever any of them says."""


@lru_cache(maxsize=10_000)
def heading_key(name: str) -> str:
    """Letters, digits and #, in one case and width: programs' versions differ in blanks, marks and capitals."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(char for char in folded if char == "#" or unicodedata.category(char)[0] in "LMN")


def keys(*names: str) -> tuple[str, ...]:
    return tuple(map(heading_key, names))


@dataclass(frozen=True)
class Layout:
    """``columns``: for each field the names that its column may have, the best first.

    A heading is recognised if it has a name of each group in ``signs``.
    """

    name: str
    signs: tuple[tuple[str, ...], ...]
    columns: Mapping[str, tuple[str, ...]]
    keep: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    """By the names that the column may have, where it is there: the values of records that are invoices."""
    repeats: Repeats = Repeats.SAME
    currency: str = ""
    decimal_sign: str = ""
    date_order: str = ""

    def matches(self, heading: Sequence[str]) -> bool:
        keys = {heading_key(name) for name in heading}
        return all(keys.intersection(group) for group in self.signs)

    def find_columns(self, heading: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The heading's names for each field that it has; the first of them is that field's only."""
        by_key: dict[str, str] = {}
        for name in heading:
            by_key.setdefault(heading_key(name), name)
        found: dict[str, tuple[str, ...]] = {}
        for one, keys in self.columns.items():
            names = [by_key[key] for key in keys if key in by_key]
            if one not in SEVERAL:
                del names[1:]
            if names:
                # What only stands in for it may be another field: a buyer without a name is called by the address.
                by_key.pop(heading_key(names[0]))
                found[one] = tuple(dict.fromkeys(names))
        return found

    def find_kept(self, heading: Sequence[str]) -> dict[str, tuple[str, ...]]:
        by_key = {heading_key(name): name for name in reversed(heading)}
        return {
            by_key[key]: values
            for names, values in self.keep.items()
            if (key := next((name for name in names if name in by_key), None)) is not None
        }
