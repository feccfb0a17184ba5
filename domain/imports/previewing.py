"""What an import would do, found out without doing it: a pass over the file beside the invoices that are known."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.files.import_fields import ImportedInvoice
from domain.files.import_writing import compare_rows
from domain.files.importing import CHUNK_ROWS
from domain.files.reading.records import BadLine, Item
from domain.import_results import ImportCounts
from domain.imports.summaries import InvoiceChange
from domain.models import Link, Organisation
from domain.money import Money
from domain.states import LinkState

CHANGES_SHOWN = 20
REFUSED_SHOWN = 20


@dataclass
class Compared:
    """What a pass over the file has found; of what is many, the first ones."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    left_out: int = 0
    linked: list[InvoiceChange] = field(default_factory=list)
    others: list[InvoiceChange] = field(default_factory=list)
    first_refused: list[BadLine] = field(default_factory=list)
    sums: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def counts(self) -> ImportCounts:
        return ImportCounts(self.new, self.changed, self.unchanged, self.refused, self.left_out)

    @property
    def changes(self) -> tuple[InvoiceChange, ...]:
        return tuple([*self.linked, *self.others][:CHANGES_SHOWN])

    @property
    def totals(self) -> tuple[Money, ...]:
        return tuple(Money(amount, currency) for currency, amount in sorted(self.sums.items()))


def compare(items: Iterable[Item], read: Callable[[list[ImportedInvoice]], "Chunk"]) -> Compared:
    """Go through a file's records; ``read`` compares some invoices with what is known."""
    found, iterator = Compared(), iter(items)
    while some := list(islice(iterator, CHUNK_ROWS)):
        rows = [item for item in some if isinstance(item, ImportedInvoice)]
        bad = [item for item in some if isinstance(item, BadLine)]
        compared = read(rows)
        doubtful = {one.number_key for one in compared.doubtful}
        rows = [row for row in rows if row.number_key not in doubtful]
        found.new += compared.new
        found.changed += len(compared.changes)
        found.unchanged += len(rows) - compared.new - len(compared.changes)
        found.left_out += len(some) - len(rows) - len(bad) - len(compared.doubtful)
        bad = sorted([*bad, *compared.doubtful], key=lambda one: one.line)
        found.refused += len(bad)
        for change in compared.changes:
            alike = found.linked if change.linked else found.others
            alike += [change][: CHANGES_SHOWN - len(alike)]
        for row in rows:
            found.sums[row.currency] += row.amount
        found.first_refused += bad[: REFUSED_SHOWN - len(found.first_refused)]
    return found


@dataclass(frozen=True)
class Chunk:
    """Some rows beside what is known."""

    new: int
    changes: list[InvoiceChange]
    doubtful: list[BadLine] = field(default_factory=list)
    """Rows that can't be taken for what is known."""


def compare_chunk(session: Session, organisation_id: int, rows: list[ImportedInvoice]) -> Chunk:
    compared = compare_rows(session, organisation_id, rows)
    ids = [invoice_id for _, _, invoice_id in compared.changed]
    linked = set(
        session.scalars(
            sa.select(Link.invoice_id)
            .join(Organisation, Organisation.ledger_id == Link.ledger_id)
            .where(Organisation.id == organisation_id, Link.invoice_id.in_(ids))
            .where(Link.state != LinkState.REFUSED)
        )
    )
    changes = [
        InvoiceChange(invoice_id, before, after, invoice_id in linked)
        for after, before, invoice_id in compared.changed
    ]
    return Chunk(len(compared.fresh), changes, [one.told() for one in compared.doubtful])
