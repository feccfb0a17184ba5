"""Invoices as a program offers them: each taken as it is or refused by itself, with the field and the reason.

Pure. The fields, and what each may hold, are those of an import.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from domain.files.import_fields import (
    COLUMNS,
    OPTIONAL,
    STATE,
    ImportedInvoice,
    RecordRefused,
    read_fields,
)
from domain.invoices.numbers.keys import number_key

FIELDS = (*COLUMNS, STATE)
_TOLD = 10


class JsonNumber(str):
    """A number as it was written: a float may have been behind it."""

    __slots__ = ()


class JsonObject(dict[str, object]):
    """An object, and the first name that is in it more than once."""

    repeated: str | None = None


@dataclass(frozen=True)
class Refusal:
    """``field`` is None where it isn't about one."""

    field: str | None
    reason: str
    number: str | None = None


@dataclass(frozen=True)
class Repetition:
    """The same as the one at ``index``: nothing is to be done for it."""

    index: int


Offered = ImportedInvoice | Refusal | Repetition


def read_offer(index: int, item: object) -> ImportedInvoice | Refusal:
    """One of the offered invoices, by itself."""
    if not isinstance(item, JsonObject):
        return Refusal(None, "an invoice is an object")
    given = item.get("number")
    number = given if isinstance(given, str) and not isinstance(given, JsonNumber) else None
    fault = _shape_fault(item)
    if fault is not None:
        return Refusal(*fault, number=number)
    values = {name: str(item.get(name) or "") for name in FIELDS}
    try:
        return read_fields(index, values)
    except RecordRefused as refused:
        first, *others = refused.problems
        return Refusal(first.field or None, "; ".join([first.right, *map(str, others)]), number)


def _shape_fault(item: JsonObject) -> tuple[str, str] | None:
    if item.repeated is not None:
        return item.repeated[:60], "it is there twice"
    for name, value in item.items():
        if name not in FIELDS:
            return name[:60], f"there is no such field: they are {', '.join(FIELDS)}"
        if isinstance(value, JsonNumber) and name == "billing_amount":
            return name, 'write it as a string, such as "1200.50": a number may have been a float'
        if value is not None and (not isinstance(value, str) or isinstance(value, JsonNumber)):
            return name, "write it as a string"
    for name in COLUMNS:
        if name not in OPTIONAL and item.get(name) is None:
            return name, "it is missing"
    return None


def sort_out(offers: Sequence[ImportedInvoice | Refusal]) -> list[Offered]:
    """What becomes of each, once it is known which share a number.

    As in a file: of those whose amounts, currencies or states differ none is taken, nor is one whose other can't be
    read. Which is right would be a guess.
    """
    by_number: defaultdict[str, list[int]] = defaultdict(list)
    for index, offer in enumerate(offers):
        if offer.number is not None:
            by_number[_key(offer)].append(index)
    sorted_out: list[Offered] = list(offers)
    for indexes in by_number.values():
        if len(indexes) > 1:
            for index, outcome in _among({index: offers[index] for index in indexes}).items():
                sorted_out[index] = outcome
    return sorted_out


def _among(same: Mapping[int, ImportedInvoice | Refusal]) -> dict[int, Offered]:
    first, *_ = same
    good = {index: one for index, one in same.items() if isinstance(one, ImportedInvoice)}
    bad = next((index for index, one in same.items() if isinstance(one, Refusal)), None)
    if bad is not None:
        why = f"it is in invoices[{bad}] too, which can't be taken"
        return {index: Refusal("number", why, one.number) for index, one in good.items()}
    if len({(one.amount, one.currency, one.billing_state) for one in good.values()}) > 1:
        named = ", ".join(f"invoices[{index}]" for index in list(good)[:_TOLD])
        why = f"its billing amount or state differs between {named}: none of them is taken"
        return {index: Refusal("number", why, one.number) for index, one in good.items()}
    stays = good[first]
    return {
        index: Repetition(first)
        if replace(one, line=stays.line) == stays
        else Refusal("number", f"it is in invoices[{first}] already, which stays", one.number)
        for index, one in good.items()
        if index != first
    }


def _key(offer: ImportedInvoice | Refusal) -> str:
    return offer.number_key if isinstance(offer, ImportedInvoice) else number_key(offer.number or "")
