"""What buttons, options and modals carry, and its strict reading when it comes back: any of it may be forged."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from domain.lists.summaries import FIRST_REVISION
from domain.money import Money
from handlers.rejections import Unreadable
from handlers.words.printing import is_printable

SEARCH_MOST = 200
"""Characters of a search."""

_LARGEST_ID = 2**63 - 1
_PAGE_DIGITS = 4
_ID = re.compile(r"[0-9]{1,19}", re.ASCII)
_AMOUNT = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_MODES = {True: "live", False: "test"}
_SEAL = re.compile(r"[0-9a-f]{0,64}", re.ASCII)
_CALLBACK = re.compile(r"[a-z_]{0,40}", re.ASCII)
_CONFIRMED = re.compile(r"(?:(?:live|test)\|[A-Za-z0-9_]{1,255})?", re.ASCII)
_SEEN = re.compile(r"[a-z_]{1,30}=[0-9a-f]{8}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


@dataclass(frozen=True)
class SeenInvoice:
    """An invoice, and the amount and the Stripe mode that the person is looking at."""

    invoice_id: int
    seen: Money
    livemode: bool

    def __str__(self) -> str:
        return f"{self.invoice_id}|{self.seen.amount}|{self.seen.currency}|{_MODES[self.livemode]}"

    @classmethod
    def read(cls, value: str) -> "SeenInvoice":
        parts = value.split("|")
        if len(parts) != 4 or not _AMOUNT.fullmatch(parts[1]) or not _CURRENCY.fullmatch(parts[2]):
            raise Unreadable(cls.__name__)
        if parts[3] not in _MODES.values():
            raise Unreadable(cls.__name__)
        return cls(read_id(parts[0]), Money(int(parts[1]), parts[2]), parts[3] == _MODES[True])


@dataclass(frozen=True)
class HistoryReference:
    """An invoice, and the page of its history, counted from 0."""

    invoice_id: int
    page: int = 0

    def __str__(self) -> str:
        return f"{self.invoice_id}|{self.page}"

    @classmethod
    def read(cls, value: str) -> "HistoryReference":
        invoice_id, _, page = value.partition("|")
        if len(page) > _PAGE_DIGITS:
            raise Unreadable(cls.__name__)
        return cls(read_id(invoice_id), read_id(page))


@dataclass(frozen=True)
class ListReference:
    """The selection behind a list modal, the revision of it that the modal shows, and the search that is applied."""

    selection_id: int
    revision: int
    search: str = ""

    @property
    def opened_with(self) -> str | None:
        """The search, as long as the modal shows the list as it was opened: it may not be written down anywhere else."""
        return self.search if self.revision == FIRST_REVISION else None

    def __str__(self) -> str:
        return f"{self.selection_id}|{self.revision}|{self.search}"

    @classmethod
    def read(cls, value: str) -> "ListReference":
        """The search may be missing: earlier versions wrote lists down when they were opened."""
        parts = value.split("|", 2)
        search = parts[2] if len(parts) == 3 else ""
        if len(parts) < 2 or len(search) > SEARCH_MOST or not is_printable(search):
            raise Unreadable(cls.__name__)
        return cls(read_id(parts[0]), read_id(parts[1]), search)


@dataclass(frozen=True)
class ConfirmedReference:
    """The selection that a confirmation shows, and the seal of what it shows of it."""

    selection_id: int
    seal: str

    def __str__(self) -> str:
        return f"{self.selection_id}|{self.seal}"

    @classmethod
    def read(cls, value: str) -> "ConfirmedReference":
        """The seal may be missing, and fits nothing then: earlier versions wrote none."""
        selection_id, _, seal = value.partition("|")
        if not _SEAL.fullmatch(seal):
            raise Unreadable(cls.__name__)
        return cls(read_id(selection_id), seal)


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


_EXCEPTIONS = re.compile(r"exceptions:([0-9]{1,9})", re.ASCII)


@dataclass(frozen=True)
class ExceptionsReference:
    """The page that a list of exceptions shows, counted from 0. Details that stand on it carry it too."""

    page: int

    def __str__(self) -> str:
        return f"exceptions:{self.page}"

    @classmethod
    def find(cls, value: str) -> "ExceptionsReference | None":
        """None for what other views carry."""
        found = _EXCEPTIONS.fullmatch(value)
        return None if found is None else cls(int(found.group(1)))


@dataclass(frozen=True)
class ResolveReference:
    """The exception that a view resolves, and what the view that it stands on carries."""

    exception_id: int
    under: str

    def __str__(self) -> str:
        return f"{self.exception_id}|{self.under}"

    @classmethod
    def read(cls, value: str) -> "ResolveReference":
        exception_id, _, under = value.partition("|")
        return cls(read_id(exception_id), under)


def read_id(value: str) -> int:
    """An id of ours: decimal digits that fit the database. Raises Unreadable."""
    if not _ID.fullmatch(value) or int(value) > _LARGEST_ID:
        raise Unreadable("id")
    return int(value)


@dataclass(frozen=True)
class ConnectReference:
    """On what the form for a Stripe key stands (a modal's callback id, or nothing), and the seal of what it asks first."""

    under: str = ""
    confirmed: str = ""

    def __str__(self) -> str:
        return f"{self.under}|{self.confirmed}"

    @classmethod
    def read(cls, value: str) -> "ConnectReference":
        under, _, confirmed = value.partition("|")
        if not _CALLBACK.fullmatch(under) or not _CONFIRMED.fullmatch(confirmed):
            raise Unreadable(cls.__name__)
        return cls(under, confirmed)


@dataclass(frozen=True)
class SettingsReference:
    """What the settings were when their modal was opened: a short digest of each by its name, none in a modal of a version before."""

    seen: Mapping[str, str]

    def __str__(self) -> str:
        return "|".join(f"{name}={digest}" for name, digest in self.seen.items())

    @classmethod
    def of(cls, values: Mapping[str, object]) -> "SettingsReference":
        return cls({name: _digest(value) for name, value in values.items()})

    @classmethod
    def read(cls, value: str) -> "SettingsReference":
        parts = value.split("|") if value else []
        if not all(_SEEN.fullmatch(part) for part in parts):
            raise Unreadable(cls.__name__)
        return cls(dict(part.split("=") for part in parts))

    def is_as_seen(self, name: str, value: object) -> bool:
        """Whether somebody left it as it was shown to them, whatever it has become meanwhile."""
        return self.seen.get(name) == _digest(value)


def _digest(value: object) -> str:
    """Of a text, or of ids in any order; no text is as an empty one."""
    said = f"{len(value)}:{','.join(sorted(value))}" if isinstance(value, tuple) else str(value or "")
    return hashlib.sha256(said.encode()).hexdigest()[:8]
