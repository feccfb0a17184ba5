"""Importing the same invoices from files of several kinds: `python -m benchmarks.layouts --invoices N` shows them side by side.

*plain* is what the others are held against: a row should take three times as long at most, with memory that stays flat.
"""

import argparse
import csv
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import xlsxwriter

from benchmarks import data, importing
from benchmarks.measuring import duration, machine, size

TARGET = 3.0
Rows = Iterator[Sequence[str | float]]


def plain(path: Path, count: int) -> None:
    data.write_csv(path, count)


def xero(path: Path, count: int) -> None:
    """A row for each of two items, with the invoice's values repeated."""
    _write_csv(path, _xero(count), encoding="utf-8", separator=",")


def odoo(path: Path, count: int) -> None:
    """As a German Excel saves it."""
    _write_csv(path, _odoo(count), encoding="cp1252", separator=";")


def freshbooks(path: Path, count: int) -> None:
    """A row for each of two items, whose amounts make the invoice's."""
    _write_csv(path, _freshbooks(count), encoding="utf-16", separator="\t")


def akaunting(path: Path, count: int) -> None:
    _write_workbook(path, _akaunting(count))


KINDS: dict[str, tuple[str, Callable[[Path, int], None], int]] = {
    "plain": ("invoices.csv", plain, 1),
    "xero, two rows an invoice": ("xero.csv", xero, 2),
    "odoo, Windows-1252": ("odoo.csv", odoo, 1),
    "freshbooks, sums, UTF-16": ("freshbooks.csv", freshbooks, 2),
    "akaunting, a workbook": ("akaunting.xlsx", akaunting, 1),
}
"""Each with the rows that it has for an invoice."""


def _xero(count: int) -> Rows:
    heading = (
        "ContactName EmailAddress InvoiceNumber InvoiceDate DueDate Total InvoiceAmountDue Currency Type"
    )
    yield heading.split()
    for number, name, email, amount, currency, issued, due, _ in data.lines(count):
        grouped = f"{float(amount):,.2f}"
        row = (name, email, number, _day_first(issued), _day_first(due), grouped, grouped, currency, "ACCREC")
        yield row
        yield row


def _odoo(count: int) -> Rows:
    yield ("Nummer", "Partner", "Rechnungsdatum", "Fälligkeitsdatum", "Gesamt", "Währung", "Status")
    for number, name, _, amount, currency, issued, due, _ in data.lines(count):
        european = f"{float(amount):,.2f}".translate(str.maketrans(",.", ".,"))
        yield (number, name, _day_first(issued), _day_first(due), european, currency, "Gebucht")


def _freshbooks(count: int) -> Rows:
    yield ("Client Name", "Invoice #", "Date Issued", "Date Due", "Line Total", "Currency")
    for number, name, _, amount, currency, issued, due, _ in data.lines(count):
        yield (name, number, issued, due, amount, currency)
        yield (name, number, issued, due, "10.00", currency)


def _akaunting(count: int) -> Rows:
    heading = "invoice_number status invoiced_at due_at amount currency_code contact_name contact_email"
    yield heading.split()
    for number, name, email, amount, currency, issued, due, _ in data.lines(count):
        yield (number, "sent", issued, due, float(amount), currency, name, email)


def _day_first(day: str) -> str:
    year, month, day = day.split("-")
    return f"{day}/{month}/{year}"


def _write_csv(path: Path, rows: Rows, *, encoding: str, separator: str) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=separator).writerows(rows)


def _write_workbook(path: Path, rows: Rows) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=100_000)
    count = parser.parse_args(argv).invoices
    sys.stdout.write(f"{machine()}\n")
    base = 0.0
    with tempfile.TemporaryDirectory() as directory:
        for kind, (name, write, rows) in KINDS.items():
            url, file = f"sqlite:///{directory}/{name}.db", Path(directory) / name
            write(file, count)
            data.prepare_paylink(url)
            done = importing.measure(url, file, count)
            base = base or done.cpu
            times = done.cpu / base / rows
            held = f"{size(done.memory[0])} to {size(max(done.memory))} of memory, another process {size(done.others)}"
            missed = "" if times <= TARGET else f" (more than {TARGET:g})"
            sys.stdout.write(
                f"{kind}: {duration(done.cpu)} of CPU in {duration(done.seconds)}, a row takes {times:.2g} times as long as in plain{missed}, {held}\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
