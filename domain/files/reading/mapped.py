"""Records of any layout, by the map that says which column is what."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from domain.files.import_fields import (
    SHOWN,
    ImportedInvoice,
    Problem,
    RecordRefused,
    all_that_is_wrong,
    is_currency,
    read_fields,
    shown,
)
from domain.files.reading.layouts import STATES, heading_key
from domain.files.reading.maps import AMOUNT_DUE, FileMap
from domain.files.reading.records import BadLine, Item, LeftOut, LeftOutBecause, Record
from domain.files.reading.tables import Table
from domain.files.reading.values.amounts import read_amount
from domain.files.reading.values.dates import days
from domain.files.reading.values.deciding import Evidence
from domain.invoices.numbers.keys import number_key
from domain.money import Money

_AMOUNTS = (AMOUNT_DUE, "billing_amount")
_DATES = ("issue_date", "due_date")
_STATES_FIRST = ("draft", "void", "settled", "open")
_LEFT_OUT = {"draft": LeftOutBecause.DRAFT, "void": LeftOutBecause.VOID}


@dataclass(frozen=True)
class _Row:
    """A record's cells, by field."""

    record: Record
    places: Mapping[str, tuple[int, ...]]

    def get(self, name: str) -> str:
        """What the first of the field's columns says that isn't blank."""
        return next((text for text in self.all(name) if text.strip()), "")

    def all(self, name: str) -> Iterator[str]:
        cells = self.record.cells
        return (cells[at] for at in self.places.get(name, ()) if at < len(cells))


class MappedTable:
    """The records of a table, as the map says.

    ``map`` must say the decimal sign and the order of dates, if the file needs them: ``evidence`` says whether it does.
    ``restore`` takes out of a text what was put in for spreadsheets.
    """

    def __init__(self, table: Table, map: FileMap, restore: Callable[[str], str] | None = None) -> None:
        self._table = table
        self._map = map
        self._restore = restore
        place = {name: at for at, name in enumerate(table.heading)}
        self._places = {
            one: tuple(place[name] for name in names if name in place) for one, names in map.columns.items()
        }
        self._keep = [
            (place[name], frozenset(map_value(value) for value in values))
            for name, values in map.keep.items()
            if name in place
        ]
        self._states = STATES | {heading_key(value): state for value, state in map.states.items()}
        self.heading = table.heading

    def __iter__(self) -> Iterator[Item]:
        for record in self._table.below():
            row = _Row(record, self._places)
            number = one_line(row.get("number"))
            if (because := self._left_out(row, number)) is not None:
                yield LeftOut(record.line, record.last, because, shown(number))
                continue
            if record.fault is None and not any(row.get(name).strip() for name in self._places):
                continue
            try:
                yield self._read(row, number)
            except RecordRefused as refused:
                yield BadLine(
                    record.line,
                    record.last,
                    refused.problems,
                    shown(number),
                    record.cells,
                    number_key(number),
                )

    def keys(self) -> Iterator[str]:
        for record in self._table.below():
            row = _Row(record, self._places)
            number = one_line(row.get("number"))
            if number and self._left_out(row, number) is None and (key := number_key(number)):
                yield key

    def evidence(self) -> Evidence:
        """What the records say of how amounts and dates are written."""
        found = Evidence()
        for record in self._table.below():
            if record.fault is not None:
                continue
            row = _Row(record, self._places)
            kept = self._left_out(row, one_line(row.get("number"))) is None
            try:
                currency = self._currency(row)
            except RecordRefused:
                currency = ""
            found.see_amounts(record.line, map(row.get, _AMOUNTS), currency, kept=kept)
            found.see_dates(record.line, map(row.get, _DATES), kept=kept)
        return found

    def _left_out(self, row: _Row, number: str) -> LeftOutBecause | None:
        if row.record.fault is not None:
            return None
        if not number and not row.get("buyer_name").strip():
            return (
                LeftOutBecause.TOTALS
                if any(row.get(name).strip() for name in _AMOUNTS)
                else LeftOutBecause.OTHER_KIND
            )
        cells = row.record.cells
        for at, kept in self._keep:
            if map_value(cells[at] if at < len(cells) else "") not in kept:
                return LeftOutBecause.OTHER_KIND
        return _LEFT_OUT.get(self._state(row) or "")

    def _state(self, row: _Row) -> str | None:
        """One of STATES, blank if nothing says it; None if a value isn't known."""
        said = {self._states.get(map_value(text)) for text in row.all("state") if text.strip()}
        for state in _STATES_FIRST:
            if state in said:
                return state
        return None if said else ""

    def _read(self, row: _Row, number: str) -> ImportedInvoice:
        """Raises RecordRefused with all that is wrong."""
        if row.record.fault is not None:
            raise RecordRefused(row.record.fault)
        problems: list[Problem] = []
        values = {
            "number": self._text(row, "number"),
            "buyer_name": self._text(row, "buyer_name"),
            "buyer_email": self._email(row),
            "description": self._restored(row.get("description")),
        }
        state, money = "", None
        try:
            state = self._read_state(row)
        except RecordRefused as refused:
            problems += refused.problems
        try:
            money, state = self._money(row, state)
        except RecordRefused as refused:
            problems += refused.problems
        for name in _DATES:
            try:
                values[name] = self._date(name, row.get(name))
            except RecordRefused as refused:
                problems += refused.problems
        if money is None or problems:
            values |= {"billing_amount": "0", "currency": "USD"}
            raise RecordRefused(*all_that_is_wrong(values), *problems)
        values |= {"billing_amount": "0", "currency": money.currency, "state": state}
        record = row.record
        read = read_fields(record.line, values, record.last, record.cells)
        return replace(read, amount=money.amount)

    def _restored(self, text: str) -> str:
        return text if self._restore is None else self._restore(text)

    def _text(self, row: _Row, name: str) -> str:
        return one_line(self._restored(row.get(name)))

    def _email(self, row: _Row) -> str:
        """The first of several."""
        text = self._text(row, "buyer_email")
        return next((one for one in text.replace(";", " ").replace(",", " ").split() if "@" in one), text)

    def _read_state(self, row: _Row) -> str:
        state = self._state(row)
        if state is None:
            unknown = next(text for text in row.all("state") if text.strip())
            raise RecordRefused(
                Problem("state", shown(unknown), "this state isn't known: say in a map what it stands for")
            )
        return state

    def _money(self, row: _Row, state: str) -> tuple[Money, str]:
        """What is still due, and the state; of one that is settled, the total."""
        currency = self._currency(row)
        due, total = (
            read_amount("billing_amount", text, self._map.decimal_sign, currency) if text.strip() else None
            for text in map(row.get, _AMOUNTS)
        )
        if due is not None and due.amount == 0 and total is not None and total.amount > 0:
            state = "settled"
        if state == "settled" and total is not None:
            return total, state
        money = total if due is None else due
        if money is None:
            raise RecordRefused(Problem("billing_amount", "", "write the amount, it can't be blank"))
        return money, state

    def _currency(self, row: _Row) -> str:
        text = self._restored(row.get("currency")).strip()
        code = text.upper() or self._map.currency
        if not is_currency(code):
            if not code:
                raise RecordRefused(Problem("currency", "", "write a currency of ISO 4217, such as USD"))
            raise RecordRefused(Problem("currency", shown(text), "write a currency of ISO 4217, such as USD"))
        return code

    def _date(self, name: str, text: str) -> str:
        text = text.strip()
        if not text:
            return ""
        day = days(text).get(self._map.date_order or "ymd")
        if day is None:
            wanted = {"dmy": "30/11/2026", "mdy": "11/30/2026"}.get(self._map.date_order, "2026-11-30")
            raise RecordRefused(Problem(name, shown(text), f"write a date of the calendar, such as {wanted}"))
        return day.isoformat()


def one_line(text: str) -> str:
    """What a program broke into lines, on one."""
    text = text.strip()
    return " ".join(text.split()) if any(char in text for char in "\n\r\t") else text


def map_value(text: str) -> str:
    return heading_key(text[:SHOWN])
