"""What the version before schema 0003 reads and writes: each invoice has its number's and its buyer's terms itself."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from domain.files import import_writing
from domain.files.import_fields import ImportedInvoice
from domain.invoices import search_terms, searching
from domain.invoices.number_search import Numbers
from domain.models import Invoice, SearchTerm
from tests.domain import factories
from tests.domain.factories import terms_of


class FoundBefore(searching._Found):
    """Without the table of buyers' terms."""

    @cached_property
    def buyers(self) -> set[str] | None:
        return set()


class NoNumbers(Numbers):
    """Numbers weren't looked for: they had terms."""

    def _written(self, search: str) -> set[str]:
        return set()


def insert_terms(session: Session, organisation_id: int, rows: Iterable[tuple[int, ImportedInvoice]]) -> None:
    terms = [
        (organisation_id, term, invoice_id)
        for invoice_id, row in rows
        for term in terms_of(row.number_key, row.buyer_name)
    ]
    import_writing.insert_many(session, "search_terms", ("organisation_id", "term", "invoice_id"), terms)


def add_terms(session: Session, invoice: Invoice) -> None:
    for term in terms_of(invoice.number_key, invoice.buyer_name):
        session.add(SearchTerm(organisation_id=invoice.organisation_id, term=term, invoice_id=invoice.id))


def be_the_version_before(patch: Any = None) -> None:
    """Until ``patch`` is undone, or for good."""
    put = setattr if patch is None else patch.setattr
    put(search_terms, "is_short", lambda buyer_name: False)
    put(import_writing, "_insert_terms", insert_terms)
    put(factories, "add_terms", add_terms)
    put(searching, "_Found", FoundBefore)
    put(searching, "Numbers", NoNumbers)
