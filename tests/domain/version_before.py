"""What the version before schema 0003 reads and writes: each invoice has all of its buyer's terms itself."""

from functools import cached_property
from typing import Any

from domain import search_terms, searching


class FoundBefore(searching._Found):
    """Without the table of buyers' terms."""

    @cached_property
    def buyers(self) -> set[str] | None:
        return set()


def be_the_version_before(patch: Any = None) -> None:
    """Until ``patch`` is undone, or for good."""
    put = setattr if patch is None else patch.setattr
    put(search_terms, "is_short", lambda buyer_name: False)
    put(searching, "_Found", FoundBefore)
