"""What the version before schema 0003 reads and writes: each invoice has all of its buyer's terms itself."""

from typing import Any

import sqlalchemy as sa

from domain import search_terms, searching
from domain.searching import Condition, Places


class FoundBefore(searching._Found):
    """Without the table of buyers' terms."""

    def are_more(self, than: int) -> bool:
        return self.are_more_terms(than)

    def names(self) -> list[str] | None:
        return None

    def look_up_buyers(self, which: Condition, wanted: list[Condition], limit: int) -> Places:
        return []

    def _names(self) -> sa.Select[str]:
        return sa.select(sa.literal("")).where(sa.false())

    def _either(self, by_terms: Condition, by_buyer: Condition) -> Condition:
        return by_terms


def be_the_version_before(patch: Any = None) -> None:
    """Until ``patch`` is undone, or for good."""
    put = setattr if patch is None else patch.setattr
    put(search_terms, "is_short", lambda buyer_name: False)
    put(searching, "_Found", FoundBefore)
