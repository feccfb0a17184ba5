"""What buttons, options and modals carry, and its strict reading when it comes back: any of it may be forged."""

import re
from dataclasses import dataclass

from domain.money import Money

_LARGEST_ID = 2**63 - 1
_ID = re.compile(r"[0-9]{1,19}", re.ASCII)
_AMOUNT = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


class Unreadable(ValueError):
    """A value that no view of ours carries."""


@dataclass(frozen=True)
class SeenInvoice:
    """An invoice and the amount that the person is looking at."""

    invoice_id: int
    seen: Money

    def __str__(self) -> str:
        return f"{self.invoice_id}|{self.seen.amount}|{self.seen.currency}"

    @classmethod
    def read(cls, value: str) -> "SeenInvoice":
        parts = value.split("|")
        if len(parts) != 3 or not _AMOUNT.fullmatch(parts[1]) or not _CURRENCY.fullmatch(parts[2]):
            raise Unreadable(cls.__name__)
        return cls(read_id(parts[0]), Money(int(parts[1]), parts[2]))


@dataclass(frozen=True)
class ListReference:
    """The selection behind a list modal, and the revision of it that the modal shows."""

    selection_id: int
    revision: int

    def __str__(self) -> str:
        return f"{self.selection_id}|{self.revision}"

    @classmethod
    def read(cls, value: str) -> "ListReference":
        parts = value.split("|")
        if len(parts) != 2:
            raise Unreadable(cls.__name__)
        return cls(read_id(parts[0]), read_id(parts[1]))


@dataclass(frozen=True)
class FailedReference:
    """A bulk run and how many of it had failed when Retry Failed was shown: each showing can be retried once."""

    run_id: int
    failed: int

    def __str__(self) -> str:
        return f"{self.run_id}|{self.failed}"

    @property
    def submission(self) -> str:
        return f"retry:{self.run_id}:{self.failed}"

    @classmethod
    def read(cls, value: str) -> "FailedReference":
        parts = value.split("|")
        if len(parts) != 2:
            raise Unreadable(cls.__name__)
        return cls(read_id(parts[0]), read_id(parts[1]))


def read_id(value: str) -> int:
    """An id of ours: decimal digits that fit the database. Raises Unreadable."""
    if not _ID.fullmatch(value) or int(value) > _LARGEST_ID:
        raise Unreadable("id")
    return int(value)
