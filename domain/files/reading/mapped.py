"""Records of any layout, by the map that says which column is what."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from operator import itemgetter

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
from domain.files.reading.layouts.layout import heading_key
from domain.files.reading.layouts.states import STATES, is_totals, state_words
from domain.files.reading.maps import AMOUNT_DUE, FileMap
from domain.files.reading.numbers_again import NumbersAgain
from domain.files.reading.records import BadLine, Item, LeftOut, LeftOutBecause, Record, Unreadable
from domain.files.reading.repeated import Repeats
from domain.files.reading.tables import Table
from domain.files.reading.values.amounts import read_amount
from domain.files.reading.values.dates import days
from domain.files.reading.values.deciding import Evidence
from domain.files.reading.values.texts import unmarked
from domain.invoices.numbers.keys import number_key
from domain.money import Money

_AMOUNTS = (AMOUNT_DUE, "billing_amount")
_DATES = ("issue_date", "due_date")
_NOTHING = Money(0, "USD")
_LEFT_OUT = {"draft": LeftOutBecause.DRAFT, "void": LeftOutBecause.VOID}


class MappedTable:
    """The records of a table, as the map says. It is read twice: ``survey`` first."""

    def __init__(self, table: Table, map: FileMap) -> None:
        self._table = table
        self._map = map
        place = {name: at for at, name in enumerate(table.heading)}
        self._places = {
            one: found
            for one, names in map.columns.items()
            if (found := tuple(place[name] for name in names if name in place))
        }
        self._keep = [
            (place[name], frozenset(map_value(value) for value in values))
            for name, values in map.keep.items()
            if name in place
        ]
        fields = [at for places in self._places.values() for at in places]
        self._used = list(dict.fromkeys([*fields, *(at for at, _ in self._keep)]))
        self._fields = len(set(fields))
        """So many of the places that are used are fields', the first ones; the others say which records are taken."""
        self._states = STATES | {heading_key(value): state for value, state in map.states.items()}
        self.heading = table.heading

    @cached_property
    def _survey(self) -> tuple[Evidence, NumbersAgain]:
        evidence, numbers = Evidence(), NumbersAgain()
        key, unreadable = "", Unreadable()
        for count, (record, cells, again) in enumerate(self._rows(), start=1):
            if record.fault is not None:
                unreadable.see(record.line, record.fault, count)
            if not again:
                key = self._look(record, cells, evidence)
            numbers.see(key)
        return evidence, numbers.closed()

    def _look(self, record: Record, cells: Sequence[str], evidence: Evidence) -> str:
        """The key of the record's item."""
        number = one_line(self._get(cells, "number"))
        if record.fault is not None:
            return number_key(number)
        because = self._left_out(cells, number)
        kept = because is None
        for name in _AMOUNTS:
            evidence.see_amount(record.line, self._get(cells, name), kept=kept)
        for name in _DATES:
            evidence.see_date(record.line, self._get(cells, name), kept=kept)
        return number_key(number) if kept else self._item_key(because, number)

    @property
    def evidence(self) -> Evidence:
        """What the records say of how amounts and dates are written."""
        return self._survey[0]

    def numbers_again(self) -> NumbersAgain:
        return self._survey[1]

    def decided(self, map: FileMap) -> "MappedTable":
        """The same with a map that differs in the decimal sign and the order of dates alone."""
        other = MappedTable(self._table, map)
        other.__dict__["_survey"] = self._survey
        return other

    def __iter__(self) -> Iterator[Item]:
        item: Item | None = None
        for record, cells, again in self._rows():
            if again and isinstance(item, ImportedInvoice):
                item = item.standing_at(record.line, record.last, record.cells)
            else:
                item = self._item(record, cells)
            yield item

    def _item(self, record: Record, cells: Sequence[str]) -> Item:
        number = one_line(self._get(cells, "number"))
        line, last = record.line, record.last
        if record.fault is None and (because := self._left_out(cells, number)) is not None:
            key = self._item_key(because, number)
            return LeftOut(line, last, because, shown(number), number_key=key, cells=record.cells)
        try:
            return self._read(record, cells, number)
        except RecordRefused as refused:
            return BadLine(line, last, refused.problems, shown(number), record.cells, number_key(number))

    def _rows(self) -> Iterator[tuple[Record, Sequence[str], bool]]:
        """Each record, its cells as far as the heading goes, and whether in all that is read of it, it is the same as the one
        before: an item of the same invoice. Those that none of the columns says anything of are passed over."""
        width, typed = len(self.heading), not self._table.separator
        used: Callable[[Sequence[str]], tuple[str, ...]] = _getter(self._used)
        before: tuple[object, ...] = ()
        for record in self._table.below():
            cells = record.cells
            if len(cells) < width:
                cells = [*cells, *[""] * (width - len(cells))]
            said = used(cells)
            if record.fault is not None:
                before = ()
                yield record, cells, False
            elif any(said[: self._fields]):
                # In a workbook, a number isn't the text that looks like it.
                alike = (said, tuple(map(type, said))) if typed else said
                yield record, cells, alike == before
                before = alike

    def _get(self, cells: Sequence[str], name: str) -> str:
        """What the first of the field's columns says that isn't blank."""
        for at in self._places.get(name, ()):
            if (text := cells[at]) and not text.isspace():
                return text
        return ""

    def _left_out(self, cells: Sequence[str], number: str) -> LeftOutBecause | None:
        buyer = self._get(cells, "buyer_name")
        if not number and not buyer:
            totals = any(self._get(cells, name) for name in _AMOUNTS)
            return LeftOutBecause.TOTALS if totals else LeftOutBecause.OTHER_KIND
        if not (number and buyer) and is_totals(number or buyer):
            return LeftOutBecause.TOTALS
        for at, kept in self._keep:
            if map_value(cells[at]) not in kept:
                return LeftOutBecause.OTHER_KIND
        return _LEFT_OUT.get(self._state(cells) or "")

    def _item_key(self, because: LeftOutBecause | None, number: str) -> str:
        """Of what is left out as a draft or as void: if it is an item of an invoice, no sum is right without it."""
        summed = self._map.rows_of_one_number is Repeats.SUM and because in _LEFT_OUT.values()
        return number_key(number) if summed else ""

    def _state(self, cells: Sequence[str]) -> str | None:
        """One of STATES, blank if nothing says it; None if a value isn't known."""
        places = self._places.get("state", ())
        if len(places) == 1:
            text = map_value(cells[places[0]])
            return self._stands_for(cells[places[0]]) if text else ""
        said = {self._stands_for(cells[at]) for at in places if map_value(cells[at])}
        for state in _LEFT_OUT:
            if state in said:
                return state
        if None in said:
            return None
        return next((state for state in ("settled", "partial", "open") if state in said), "")

    def _stands_for(self, text: str) -> str | None:
        return self._states.get(map_value(text)) or self._states.get(state_words(text))

    def _read(self, record: Record, cells: Sequence[str], number: str) -> ImportedInvoice:
        """Raises RecordRefused with all that is wrong."""
        if record.fault is not None:
            raise RecordRefused(record.fault)
        problems: list[Problem] = []
        values = {
            "number": number,
            "buyer_name": self._text(cells, "buyer_name"),
            "buyer_email": self._email(cells),
            "description": self._get(cells, "description"),
        }
        unmarked(values)
        money = _NOTHING
        try:
            money, values["state"] = self._money(cells, self._read_state(cells))
        except RecordRefused as refused:
            problems += refused.problems
        for name in _DATES:
            try:
                values[name] = self._date(name, self._get(cells, name))
            except RecordRefused as refused:
                problems += refused.problems
        if problems:
            raise RecordRefused(*all_that_is_wrong(values, money), *problems)
        return read_fields(record.line, values, record.last, record.cells, money)

    def _text(self, cells: Sequence[str], name: str) -> str:
        return one_line(self._get(cells, name))

    def _email(self, cells: Sequence[str]) -> str:
        """The first of several."""
        text = self._text(cells, "buyer_email")
        if not ("," in text or ";" in text or " " in text):
            return text
        return next((one for one in text.replace(";", " ").replace(",", " ").split() if "@" in one), text)

    def _read_state(self, cells: Sequence[str]) -> str:
        state = self._state(cells)
        if state is None:
            said = [cells[at] for at in self._places["state"] if cells[at].strip()]
            unknown = next((text for text in said if self._stands_for(text) is None), "")
            raise RecordRefused(
                Problem("state", shown(unknown), "this state isn't known: say in a map what it stands for")
            )
        return state

    def _money(self, cells: Sequence[str], state: str) -> tuple[Money, str]:
        """What is still due, and the state; of one that is settled, the total."""
        currency = self._currency(cells)
        due_text, total_text = (self._get(cells, name) for name in _AMOUNTS)
        due = self._amount(due_text, currency)
        # Of most invoices all is due.
        same = total_text == due_text and type(total_text) is type(due_text)
        total = due if same else self._amount(total_text, currency)
        if due is not None and due.amount == 0 and total is not None and total.amount > 0:
            state = "settled"
        if state == "settled" and total is not None:
            return total, state
        if state == "partial":
            if due is None:
                unsaid = "a part of it is paid, and nothing says what is still due: write that in a column of its own"
                raise RecordRefused(Problem("billing_amount", shown(total_text), unsaid))
            state = "open"
        money = total if due is None else due
        if money is None:
            raise RecordRefused(Problem("billing_amount", "", "write the amount, it can't be blank"))
        return money, state

    def _amount(self, text: str, currency: str) -> Money | None:
        return read_amount("billing_amount", text, self._map.decimal_sign, currency) if text else None

    def _currency(self, cells: Sequence[str]) -> str:
        text = self._get(cells, "currency").strip()
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


def _getter(places: Sequence[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda cells: tuple(cells[at] for at in places)


def one_line(text: str) -> str:
    """What a program broke into lines, on one."""
    text = text.strip()
    if text.isprintable() or not any(char in text for char in "\n\r\t"):
        return text
    return " ".join(text.split())


def map_value(text: str) -> str:
    return heading_key(text[:SHOWN])
