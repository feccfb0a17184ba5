"""What is told of a file that somebody brought in: frozen values."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from domain.import_results import ImportCounts
from domain.money import Money

if TYPE_CHECKING:
    # What reads files is loaded when one is read: a start doesn't wait for it.
    from domain.files.import_fields import ImportedInvoice
    from domain.files.reading.records import BadLine


@dataclass(frozen=True)
class InvoiceChange:
    """An invoice that is known otherwise than the file says."""

    invoice_id: int
    before: "ImportedInvoice"
    after: "ImportedInvoice"
    linked: bool
    """It has an online payment link, or one is being created: the link doesn't change."""


@dataclass(frozen=True)
class FileColumn:
    """A column of the file by its heading, its number from 0, and the first values in it."""

    place: int
    heading: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportPreview:
    """What an import would do, before it does."""

    import_id: int
    name: str
    layout: str
    """The layout's code; empty where somebody said which column is what."""
    columns: tuple[tuple[str, str], ...]
    """Each field, by its name in the plain dialect, and the column that it is taken from."""
    counts: ImportCounts
    changes: tuple[InvoiceChange, ...]
    """The first ones, of which those with a link come first."""
    refused: "tuple[BadLine, ...]"
    """The first ones."""
    totals: tuple[Money, ...]
    """Of what would be taken, by currency."""


@dataclass(frozen=True)
class ImportDoubt:
    """What the file doesn't say of how its values are written: an example, and its readings by what could be said.

    ``others``: the line of a value that contradicts the example's; 0 for none.
    """

    line: int
    example: str
    readings: tuple[tuple[str, str], ...]
    others: int = 0


@dataclass(frozen=True)
class ImportQuestion:
    """What somebody must say before the file can be read."""

    import_id: int
    name: str
    columns: tuple[FileColumn, ...]
    asks_columns: bool
    """Which column is what."""
    asks_currency: bool
    guesses: tuple[tuple[str, int], ...] = ()
    """Fields, and the places of the columns that look like them."""
    decimal_doubt: ImportDoubt | None = None
    date_doubt: ImportDoubt | None = None
    currencies: tuple[str, ...] = ()
    """In which the organisation bills, those of the most invoices first."""


@dataclass(frozen=True)
class ImportAnswers:
    """What somebody said: for each field the place of its column, and how values are written. Blank is left open."""

    columns: tuple[tuple[str, int], ...] = ()
    decimal_sign: str = ""
    date_order: str = ""
    currency: str = ""
