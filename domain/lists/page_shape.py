"""What fits on the screen, which alone whoever draws it knows, and how much may be ticked, which is a rule."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.summaries import InvoiceSummary

# What one bulk run takes. A page may have another size.
MOST_TICKED = 100


@dataclass(frozen=True)
class PageShape:
    """How a page of the list is drawn. It ends at ``invoices``, or when ``rows`` are used up."""

    rows: int
    ticks_in_row: int
    """So many eligible invoices share a row; each other one takes a row of its own."""
    invoices: int

    def count_fitting(self, invoices: Sequence[InvoiceSummary]) -> int:
        """How many of these, from the first on, fit on the page."""
        eligible = others = 0
        for count, invoice in enumerate(invoices[: self.invoices]):
            eligible, others = eligible + invoice.eligible, others + (not invoice.eligible)
            if -(-eligible // self.ticks_in_row) + others > self.rows:
                return count
        return min(len(invoices), self.invoices)

    def count_pages(self, eligible: int, others: int) -> int:
        """How many pages so many invoices take, the eligible ones first."""
        pages = 0
        while eligible or others:
            pages += 1
            ticked = min(eligible, self.invoices, self.rows * self.ticks_in_row)
            rows = self.rows - -(-ticked // self.ticks_in_row)
            eligible -= ticked
            others -= 0 if eligible else min(others, rows, self.invoices - ticked)
        return pages
