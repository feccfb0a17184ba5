"""The fields of one record of an import: what each may hold, and how to write it otherwise."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache

from domain.invoices.numbers.keys import number_key
from domain.money import RETIRED, SUPPORTED, Money, parse_major_units
from domain.reasons import BillingState

NUMBER_LENGTH = 60
TEXT_LENGTH = 10_000
EMAIL_LENGTH = 254
COLUMNS = (
    "number",
    "buyer_name",
    "buyer_email",
    "billing_amount",
    "currency",
    "issue_date",
    "due_date",
    "description",
)
OPTIONAL = frozenset({"buyer_email", "issue_date", "due_date", "description"})
STATE = "state"
"""A field that may be there, besides the COLUMNS."""
SHOWN = 100
"""So many characters of what stands in a bad field are told."""

_STATES = frozenset(state.value for state in BillingState)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CODE = re.compile(r"[A-Z]{3}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
# Control characters, line and paragraph separators; and halves of surrogate pairs, which no database stores.
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})
_SEPARATORS = "\u2028\u2029"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a record: the field (blank if it is the record as a whole), what stands there, and what is right.

    ``found`` is one line that any terminal bears, cut to SHOWN characters. ``right`` is the same for all that are wrong
    in the same way, so that they can be counted; what differs among them is ``where``.
    """

    field: str
    found: str
    right: str
    where: str = ""

    def __str__(self) -> str:
        said = ": ".join(part for part in (self.field, self.where, self.right) if part)
        return f"{said} (it says “{self.found}”)" if self.found else said


class RecordRefused(ValueError):
    """Why no invoice can be made of a record."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ImportedInvoice:
    """One good record, which begins at ``line`` of the file."""

    line: int
    number: str
    number_key: str
    buyer_name: str
    buyer_email: str
    amount: int
    currency: str
    issue_date: date | None
    due_date: date | None
    description: str
    billing_state: str = BillingState.OPEN.value
    last: int = field(default=0, compare=False)
    """The line that it ends with."""
    cells: Sequence[str] = field(default=(), compare=False)
    """The record as it was."""

    def standing_at(self, line: int, last: int, cells: Sequence[str]) -> "ImportedInvoice":
        """What another record says that is the same; dataclasses.replace takes three times as long."""
        return ImportedInvoice(
            line,
            self.number,
            self.number_key,
            self.buyer_name,
            self.buyer_email,
            self.amount,
            self.currency,
            self.issue_date,
            self.due_date,
            self.description,
            self.billing_state,
            last,
            cells,
        )


def read_fields(
    line: int,
    values: Mapping[str, str],
    last: int | None = None,
    cells: Sequence[str] = (),
    money: Money | None = None,
) -> ImportedInvoice:
    """``values`` by the names of the COLUMNS and STATE; those that may be blank may be missing.

    ``money`` is what was made of the amount and its currency elsewhere. Raises RecordRefused with all that is wrong.
    """
    value = values.get
    try:
        number, key = _read_number(values["number"].strip())
        if money is None:
            money = parse_major_units(
                values["billing_amount"].strip(), _read_currency(values["currency"].strip())
            )
        return ImportedInvoice(
            line=line,
            number=number,
            number_key=key,
            buyer_name=_read_buyer_name(values["buyer_name"].strip()),
            buyer_email=_read_email(value("buyer_email", "").strip()),
            amount=money.amount,
            currency=money.currency,
            issue_date=_read_date(value("issue_date", "").strip()),
            due_date=_read_date(value("due_date", "").strip()),
            description=_read_description(value("description", "").strip()),
            billing_state=_read_state(value("state", "").strip()),
            last=line if last is None else last,
            cells=cells,
        )
    except ValueError:
        raise RecordRefused(*all_that_is_wrong(values, money)) from None


def all_that_is_wrong(values: Mapping[str, str], money: Money | None = None) -> Iterator[Problem]:
    """In the order of the fields."""
    currency = "" if money else values["currency"].strip()
    for name, read in _READ.items():
        if money is not None and name in ("currency", "billing_amount"):
            continue
        text = values.get(name, "").strip()
        try:
            if name != "billing_amount":
                read(text)
            elif currency in _currencies():
                parse_major_units(text, currency)
        except ValueError as error:
            yield Problem(name, shown(text), str(error))


def shown(text: str) -> str:
    """The text on one line that nothing can be hidden in, cut to SHOWN characters."""
    cut = text[: SHOWN + 1]
    printable = "".join(char if char.isprintable() else " " for char in cut).strip()
    return f"{printable[: SHOWN - 1]}…" if len(cut) > SHOWN else printable


def _read_number(text: str) -> tuple[str, str]:
    """With its key."""
    number = read_line_of_text(text, NUMBER_LENGTH, "the invoice's number")
    key = number_key(number)
    if not key:
        raise ValueError("write the invoice's number in characters that can be seen, it holds none")
    return number, key


def _read_buyer_name(text: str) -> str:
    return read_line_of_text(text, TEXT_LENGTH, "the buyer's name", but=_SEPARATORS)


def read_line_of_text(text: str, longest: int, what: str, but: str = "") -> str:
    """The text, which may hold anything but control characters and separators of lines. Raises ValueError with how to
    write ``what``."""
    if not text:
        raise ValueError(f"write {what}, it can't be blank")
    if len(text) > longest:
        raise ValueError(f"write {what} in at most {longest:,} characters")
    if _holds_control(text, but):
        raise ValueError(f"write {what} without control characters, such as line breaks and tabs")
    return text


def _read_description(text: str) -> str:
    if len(text) > TEXT_LENGTH:
        raise ValueError(f"write at most {TEXT_LENGTH:,} characters")
    if _holds_control(text, but="\n\r\t" + _SEPARATORS):
        raise ValueError("write it without control characters other than line breaks and tabs")
    return text


def _read_state(text: str) -> str:
    if text and text not in _STATES:
        raise ValueError("write open, settled or void, or leave it blank, which is open")
    return text or BillingState.OPEN.value


def _read_email(text: str) -> str:
    if text and (len(text) > EMAIL_LENGTH or not _EMAIL.fullmatch(text) or _holds_control(text)):
        raise ValueError("write one address such as billing@acme.example, or leave it blank")
    return text


def _read_currency(text: str) -> str:
    if text not in _currencies():
        if _CODE.fullmatch(text):
            raise ValueError("write a currency of ISO 4217, such as USD: this isn't one")
        raise ValueError("write the currency as three capitals of ISO 4217, such as USD")
    return text


def is_currency(code: str) -> bool:
    """Whether it is one of ISO 4217, whether or not Stripe takes it."""
    return code in _currencies()


@lru_cache(maxsize=4_000)  # an import says the same days over and over
def _read_date(text: str) -> date | None:
    if not text:
        return None
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError("write a date of the calendar as year-month-day, such as 2026-11-30, or leave it blank")


def _holds_control(text: str, but: str = "") -> bool:
    return not text.isprintable() and any(
        unicodedata.category(char) in _CONTROL and char not in but for char in text
    )


# In the order in which what is wrong is told.
_READ: dict[str, Callable[[str], object]] = {
    "number": _read_number,
    "buyer_name": _read_buyer_name,
    "buyer_email": _read_email,
    "currency": _read_currency,
    "billing_amount": str,  # read with its currency
    "issue_date": _read_date,
    "due_date": _read_date,
    "description": _read_description,
    "state": _read_state,
}


@cache
def _currencies() -> frozenset[str]:
    from babel.core import get_global

    return SUPPORTED | RETIRED | frozenset(get_global("all_currencies"))
