"""A page of the list that a search finds, in list order and quickly however many it finds (decision 0014).

Little is found by looking up all of it and putting it in order; much by walking the list and asking of each invoice
whether it is found. What is found on the way says how far the walk will go, and so which of the two goes on.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Invoice, SearchTerm
from domain.search_terms import phrase_of, prefix_range

Condition = sa.ColumnElement[bool]
# So few are looked up without further ado.
FEW = 4_500
# So many are gathered once for a whole stretch of the walk; of more, each invoice's own terms are asked for.
MANY = 20_000
FIRST_STRETCH = 1_000
# So near an end, the walk goes on as it is.
SOON = 4_000
GROWTH = 40
# How many invoices are walked past in the time that one takes to be looked up.
GATHERED_RATE, ASKED_RATE = 12, 2
# How far a walk goes that has found nothing yet: what is found stands in one place, and most likely not the next.
FAR = 400_000


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
    begins, terms = _terms(organisation_id, phrase)
    # Not `listed`: the terms are this organisation's already, and SQLite would go through all of its invoices.
    all_found = [*wanted, is_any_of(session, sa.select(SearchTerm.invoice_id).where(*terms))]
    if not _are_more(session, terms, FEW):
        return _in_order(session, all_found, limit)
    is_found, rate = _has_term(begins), ASKED_RATE
    page: list[int] = []
    begin, length = "", FIRST_STRETCH
    while True:
        stretch = [*listed, Invoice.position >= begin]
        end = _position_after(session, stretch, length)
        if end is not None:
            stretch.append(Invoice.position < end)
        found = _in_order(session, [*stretch, is_found], limit - len(page))
        page += found
        if end is None or len(page) == limit:
            return page
        ahead = length * (limit - len(page)) // len(found) if found else FAR
        if rate == ASKED_RATE and found and ahead > SOON and not _are_more(session, terms, MANY):
            is_found, rate = _is_gathered(terms), GATHERED_RATE
        if ahead // rate > FEW and not _are_more(session, terms, ahead // rate):
            return _in_order(session, all_found, limit)
        begin, length = end, max(FIRST_STRETCH, min(ahead * 5 // 4, length * GROWTH))


def found_by(session: Session, organisation_id: int, search: str) -> Condition:
    """That an invoice is the organisation's and found by the search, for going through all of them in whatever order.

    Asked for page by page, many are cheaper asked one by one than looked up all again for each page.
    """
    own = Invoice.organisation_id == organisation_id
    phrase = phrase_of(search)
    if not phrase:
        return own
    begins, terms = _terms(organisation_id, phrase)
    if _are_more(session, terms, MANY):
        return sa.and_(own, _has_term(begins))
    return is_any_of(session, sa.select(SearchTerm.invoice_id).where(*terms))


def _terms(organisation_id: int, phrase: str) -> tuple[list[Condition], list[Condition]]:
    """What a term that begins with the phrase fulfils: of a known invoice, and of any of the organisation's."""
    lo, hi = prefix_range(phrase)
    begins: list[Condition] = [SearchTerm.term >= lo, SearchTerm.term < hi]
    return begins, [SearchTerm.organisation_id == organisation_id, *begins]


def is_any_of(session: Session, ids: sa.Select[int]) -> Condition:
    """That an invoice's id is among those that a query finds."""
    if session.get_bind().dialect.name == "sqlite":
        return Invoice.id.in_(ids)
    # PostgreSQL sorts an array and goes once through the index, where a join would begin at its root for each id.
    return Invoice.id == sa.any_(sa.func.array(ids.scalar_subquery()))


def _is_gathered(terms: list[Condition]) -> Condition:
    # IS TRUE keeps both databases from a join, and the limit, above all there are, PostgreSQL from fearing more.
    return Invoice.id.in_(sa.select(SearchTerm.invoice_id).where(*terms).limit(2 * MANY)).is_(sa.true())


def _has_term(begins: list[Condition]) -> Condition:
    # Not EXISTS, of which PostgreSQL makes a join that reads all terms; nor the organisation, whose index it would take.
    its_term = sa.select(SearchTerm.invoice_id).where(SearchTerm.invoice_id == Invoice.id, *begins)
    return its_term.limit(1).scalar_subquery().is_not(None)


def _are_more(session: Session, terms: list[Condition], than: int) -> bool:
    return session.scalar(sa.select(SearchTerm.term).where(*terms).offset(than).limit(1)) is not None


def _position_after(session: Session, stretch: list[Condition], length: int) -> str | None:
    """Where the invoice after the next ``length`` stands; None if there are fewer."""
    positions = sa.select(Invoice.position).where(*stretch).order_by(Invoice.position)
    return session.scalar(positions.offset(length).limit(1))


def _in_order(session: Session, conditions: list[Condition], limit: int) -> list[int]:
    chosen = sa.select(Invoice.id).where(*conditions).order_by(Invoice.position).limit(limit)
    return list(session.scalars(chosen))
