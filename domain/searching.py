"""A page of the list that a search finds, in list order and quickly however many it finds (decision 0010).

Much is found by walking the list and asking of each invoice whether it is found; little by looking up all that is
found and putting it in order. Which is the quicker can't be known beforehand, so both are tried in turn under a
budget that grows until one of them ends: together they take a small multiple of the quicker one's time.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Invoice, SearchTerm
from domain.search_terms import phrase_of, prefix_range

Condition = sa.ColumnElement[bool]
FIRST_BUDGET = 2_000
GROWTH = 4


def find_page(
    session: Session, organisation_id: int, search: str, *, status: str | None, after: str | None, limit: int
) -> list[int]:
    """The ids of the next ``limit`` invoices in list order, of that status (None: of any), behind the position ``after``.

    A blank search finds all.
    """
    wanted: list[Condition] = []
    if status is not None:
        wanted.append(Invoice.status == status)
    if after is not None:
        wanted.append(Invoice.position > after)
    listed = [Invoice.organisation_id == organisation_id, *wanted]
    phrase = phrase_of(search)
    if not phrase:
        return _in_order(session, listed, limit)
    lo, hi = prefix_range(phrase)
    begins = [SearchTerm.term >= lo, SearchTerm.term < hi]
    terms = [SearchTerm.organisation_id == organisation_id, *begins]
    page: list[int] = []
    begin, budget = "", FIRST_BUDGET
    while True:
        if not _are_more(session, terms, budget):
            # Not `listed`: the terms are this organisation's already, and SQLite would go through all of its invoices.
            found = sa.select(SearchTerm.invoice_id).where(*terms)
            return _in_order(session, [*wanted, Invoice.id.in_(found)], limit)
        stretch = [*listed, Invoice.position >= begin]
        end = _position_after(session, stretch, budget)
        if end is not None:
            stretch.append(Invoice.position < end)
        # Not EXISTS, of which PostgreSQL makes a join that reads all terms; nor the organisation, whose index it would take.
        its_term = sa.select(SearchTerm.invoice_id).where(SearchTerm.invoice_id == Invoice.id, *begins)
        is_found = its_term.limit(1).scalar_subquery().is_not(None)
        page += _in_order(session, [*stretch, is_found], limit - len(page))
        if end is None or len(page) == limit:
            return page
        begin, budget = end, budget * GROWTH


def _are_more(session: Session, terms: list[Condition], budget: int) -> bool:
    return session.scalar(sa.select(SearchTerm.term).where(*terms).offset(budget).limit(1)) is not None


def _position_after(session: Session, stretch: list[Condition], budget: int) -> str | None:
    """Where the ``budget``-th next invoice stands; None if there are fewer."""
    positions = sa.select(Invoice.position).where(*stretch).order_by(Invoice.position)
    return session.scalar(positions.offset(budget).limit(1))


def _in_order(session: Session, conditions: list[Condition], limit: int) -> list[int]:
    chosen = sa.select(Invoice.id).where(*conditions).order_by(Invoice.position).limit(limit)
    return list(session.scalars(chosen))
