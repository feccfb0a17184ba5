"""A page of the list that a search finds, in list order and quickly however many it finds (decisions 0014, 0016, 0017).

What is found by the beginning of its number (domain/invoices/number_search.py), by its closing digits
(domain/invoices/numbers/endings.py) and by its terms is looked for apart, and put together.
Few terms are found by looking up all of them and putting that in order, much of a few buyers by the first invoices of
each, and anything else by walking the list and asking of each invoice whether it is found. What is found on the way says
how far the walk will go, and so whether it goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from domain.invoices.list_position import FIRST_INELIGIBLE
from domain.invoices.number_search import Numbers, Places
from domain.invoices.numbers.endings import digits_of, ends, first_ending
from domain.invoices.overdue import is_overdue
from domain.invoices.search_terms import phrase_of, prefix_range
from domain.models import BuyerTerm, Invoice, SearchTerm
from domain.models.invoices import SHORT_NAME
from domain.states import LinkStatus

Condition = sa.ColumnElement[bool]
# Invoices or terms that a search finds: up to so many are looked up at once and put in order, which takes as long as
# walking the first stretch and deciding (measured in decision 0014).
FEW = 4_500
# Buyers whose name the search finds: up to so many are asked for the first invoices of each (decision 0016).
FEW_BUYERS = 8
# Buyers that are known by name in this process; of more, the query for them stands in their place (decision 0016).
KNOWN_BUYERS = 1_000
# Invoices that a search finds: up to so many ids are gathered once, and the walk asks that set; of more, each invoice that is
# walked past is asked for its own terms (decision 0014).
MANY = 20_000
# Invoices of the list that are walked first; how many of them are found says how far the walk would go (decision 0014).
FIRST_STRETCH = 1_000
# Invoices that are still to be walked: for fewer, gathering a set would take longer than it saves.
SOON = 4_000
# A stretch is at most so many times the one before, in case the first met many by chance (decision 0014).
GROWTH = 40
# Invoices that are walked past, asking the set or their own terms, in the time that one takes to be looked up (decision 0014).
GATHERED_RATE, ASKED_RATE = 12, 2
# Invoices that a walk is thought to pass which has found none yet: at ASKED_RATE, that many as up to 200,000 looked up take.
# What is found then stands in one place of the list, and most likely not in the next (decision 0014).
FAR = 400_000


def find_page(
    session: Session,
    organisation_id: int,
    search: str,
    *,
    status: LinkStatus | None,
    after: str | None,
    limit: int,
    due_before: date | None = None,
) -> list[int]:
    """The ids of the next ``limit`` invoices in list order, of that status (None: of any), behind the position ``after``.

    A blank search finds all. ``due_before``: only what is owed and was due before that day.
    """
    own = Invoice.organisation_id == organisation_id
    wanted: list[Condition] = []
    if status is not None:
        wanted.append(Invoice.status == status)
    if after is not None:
        wanted.append(Invoice.position > after)
    if due_before is not None:
        wanted += is_overdue(due_before)
    phrase = phrase_of(search)
    if not phrase and due_before is not None:
        return _ids(_overdue(session, [own, *wanted], due_before, limit), limit)
    if not phrase:
        return _ids(_in_order(session, [own, *wanted], limit), limit)
    numbered = Numbers(session, organisation_id, search).first(
        status=status, after=after, limit=limit, due_before=due_before
    )
    found = _Found.by(session, organisation_id, phrase)
    if found.are_few_buyers and not found.are_more_terms(FEW):
        named = found.look_up_each(wanted, list(LinkStatus) if status is None else [status], limit)
    # Of many buyers there is likely more than that; if not, the walk's first stretch says so.
    elif found.buyers is not None and not found.are_more(FEW):
        named = found.look_up(wanted, limit)
    else:
        named = _walk(found, [own, *wanted], wanted, limit)
    if digits := digits_of(search):
        numbered += first_ending(
            session, organisation_id, digits, status=status, after=after, limit=limit, due_before=due_before
        )
    return _ids(numbered + named, limit)


def _overdue(session: Session, wanted: list[Condition], today: date, limit: int) -> Places:
    """By the stretches of the list in which they stand: those that are Paid are passed over, however many were due."""
    places: Places = []
    for status in (LinkStatus.NOT_CREATED, LinkStatus.PENDING_PAYMENT):
        for begin in ("0|", FIRST_INELIGIBLE):
            stretch = [
                Invoice.status == status,
                Invoice.position >= begin,
                Invoice.position < f"{begin}{today}",
            ]
            places += _in_order(session, [*wanted, *stretch], limit)
    return places


def _walk(found: "_Found", listed: list[Condition], wanted: list[Condition], limit: int) -> Places:
    is_found, rate = found.asked(), ASKED_RATE
    page: Places = []
    begin, length = "", FIRST_STRETCH
    while True:
        stretch = [*listed, Invoice.position >= begin]
        end = _position_after(found.session, stretch, length)
        if end is not None:
            stretch.append(Invoice.position < end)
        met = _in_order(found.session, [*stretch, is_found], limit - len(page))
        page += met
        if end is None or len(page) == limit:
            return page
        ahead = length * (limit - len(page)) // len(met) if met else FAR
        if rate == ASKED_RATE and met and ahead > SOON and not found.are_more_to_gather(MANY):
            is_found, rate = found.gathered(), GATHERED_RATE
        if ahead // rate > FEW and not found.are_more(ahead // rate):
            return found.look_up(wanted, limit)
        begin, length = end, max(FIRST_STRETCH, min(ahead * 5 // 4, length * GROWTH))


def found_by(session: Session, organisation_id: int, search: str) -> Condition:
    """That an invoice is the organisation's and found by the search, for going through all of them in whatever order.

    Asked for page by page, many are cheaper asked one by one than looked up all again for each page.
    """
    own = Invoice.organisation_id == organisation_id
    phrase = phrase_of(search)
    if not phrase:
        return own
    found = _Found.by(session, organisation_id, phrase)
    named = found.asked() if found.are_more_to_gather(MANY) else found.gathered()
    ways = [named, *Numbers(session, organisation_id, search).found()]
    if digits := digits_of(search):
        ways.append(ends(digits))
    return sa.and_(own, sa.or_(*ways))


@dataclass(frozen=True)
class _Found:
    """All that a search finds by terms: those of invoices, and those of their buyers' names."""

    session: Session
    organisation_id: int
    begins: list[Condition]
    """Of an invoice's own term, that it begins with what is looked for."""
    buyers_begin: list[Condition]
    """The same of a buyer's term."""

    @classmethod
    def by(cls, session: Session, organisation_id: int, phrase: str) -> "_Found":
        lo, hi = prefix_range(phrase)
        begins: list[Condition] = [SearchTerm.term >= lo, SearchTerm.term < hi]
        buyers_begin: list[Condition] = [BuyerTerm.term >= lo, BuyerTerm.term < hi]
        return cls(session, organisation_id, begins, buyers_begin)

    @cached_property
    def buyers(self) -> set[str] | None:
        """Their names; None if they are many."""
        names = list(self.session.scalars(self._names().order_by(BuyerTerm.term).limit(KNOWN_BUYERS)))
        return None if len(names) == KNOWN_BUYERS else set(names)

    @property
    def are_few_buyers(self) -> bool:
        return self.buyers is not None and len(self.buyers) <= FEW_BUYERS

    def are_more(self, than: int) -> bool:
        """Each way of finding counted for itself; and many buyers are taken for having as many invoices."""
        if self.are_more_to_gather(than):
            return True
        if not (self.buyers or self.buyers is None):
            return False
        invoices = sa.select(Invoice.position).where(*self._of_buyers(self._is_buyer()))
        return self.session.scalar(invoices.offset(than).limit(1)) is not None

    def are_more_terms(self, than: int) -> bool:
        # The order that its index has keeps PostgreSQL from going through the table.
        ids = self._own_ids().order_by(SearchTerm.term)
        return self.session.scalar(ids.offset(than).limit(1)) is not None

    def are_more_to_gather(self, than: int) -> bool:
        if self.are_more_terms(than):
            return True
        if self.buyers is not None:
            return len(self.buyers) > than
        names = self._names().order_by(BuyerTerm.term)
        return self.session.scalar(names.offset(than).limit(1)) is not None

    def look_up(self, wanted: list[Condition], limit: int) -> Places:
        """The first of all that is found."""
        places = self._look_up_terms(wanted, limit)
        if self.buyers or self.buyers is None:
            # Behind the offset neither database sees that it could walk the list instead, which may take long.
            chosen = sa.select(Invoice.position, Invoice.id).where(
                *self._of_buyers(self._is_buyer()), *wanted
            )
            fenced = chosen.offset(0).subquery()
            rows = self.session.execute(sa.select(fenced).order_by(fenced.c.position).limit(limit))
            places += [(position, key) for position, key in rows]
        return places

    def look_up_each(self, wanted: list[Condition], statuses: Sequence[LinkStatus], limit: int) -> Places:
        """As look_up, by the first invoices of each buyer in each status."""
        places = self._look_up_terms(wanted, limit)
        for name in self.buyers or ():
            for status in statuses:
                first = [*self._of_buyers(Invoice.buyer_name == name), Invoice.status == status, *wanted]
                places += _in_order(self.session, first, limit)
        return places

    def _look_up_terms(self, wanted: list[Condition], limit: int) -> Places:
        # Not the organisation: the terms are its own already, and SQLite would go through all of its invoices.
        return _in_order(self.session, [*wanted, self._any_of(Invoice.id, self._own_ids())], limit)

    def asked(self) -> Condition:
        """Of an invoice that is met, by its own terms and its buyer's."""
        # Not EXISTS, of which PostgreSQL makes a join that reads all terms; nor the organisation, whose index it would
        # take: terms follow from the name, so that another organisation's of the same name are the same.
        its_term = sa.select(SearchTerm.invoice_id).where(SearchTerm.invoice_id == Invoice.id, *self.begins)
        by_terms = its_term.limit(1).scalar_subquery().is_not(None)
        if self.buyers is not None:
            return self._either(by_terms, self._has_gathered_buyer())
        of_buyer = sa.select(BuyerTerm.term).where(
            BuyerTerm.buyer_name == Invoice.buyer_name, *self.buyers_begin
        )
        return self._either(by_terms, of_buyer.limit(1).scalar_subquery().is_not(None))

    def gathered(self) -> Condition:
        """Of an invoice that is met, by all terms that are found."""
        # IS TRUE keeps both databases from a join, and the limit, above all there are, PostgreSQL from fearing more.
        by_terms = Invoice.id.in_(self._own_ids().limit(2 * MANY)).is_(sa.true())
        return self._either(by_terms, self._has_gathered_buyer())

    def _has_gathered_buyer(self) -> Condition:
        most = 2 * MANY if self.buyers is None else KNOWN_BUYERS
        return Invoice.buyer_name.in_(self._names().limit(most)).is_(sa.true())

    def _either(self, by_terms: Condition, by_buyer: Condition) -> Condition:
        """Most searches find in one of the two ways: the other needn't be asked of each invoice."""
        if self.buyers is not None and not self.buyers:
            return by_terms
        return sa.or_(by_buyer, by_terms) if self.are_more_terms(0) else by_buyer

    def _own_ids(self) -> sa.Select[int]:
        own = SearchTerm.organisation_id == self.organisation_id
        return sa.select(SearchTerm.invoice_id).where(own, *self.begins)

    def _names(self) -> sa.Select[str]:
        own = BuyerTerm.organisation_id == self.organisation_id
        return sa.select(BuyerTerm.buyer_name).where(own, *self.buyers_begin)

    def _of_buyers(self, which: Condition) -> list[Condition]:
        """Of an invoice whose buyer's terms are kept with the name; the index of names holds no others."""
        # The number as it stands in the index's condition: a parameter wouldn't be known to be the same.
        is_short = sa.func.length(Invoice.buyer_name) < sa.literal_column(str(SHORT_NAME))
        return [Invoice.organisation_id == self.organisation_id, which, is_short]

    def _is_buyer(self) -> Condition:
        if self._is_sqlite or self.buyers is None:
            return self._any_of(Invoice.buyer_name, self._names())
        # Values that PostgreSQL can look up in its statistics: of a few buyers each may have very many invoices.
        return Invoice.buyer_name == sa.any_(sa.literal(sorted(self.buyers), ARRAY(sa.Text)))

    def _any_of(self, column: InstrumentedAttribute[Any], values: sa.Select[Any]) -> Condition:
        """That a column is among those that a query finds."""
        if self._is_sqlite:
            return column.in_(values)
        # PostgreSQL sorts an array and goes once through the index, where a join would begin at its root for each.
        return column == sa.any_(sa.func.array(values.scalar_subquery()))

    @property
    def _is_sqlite(self) -> bool:
        return self.session.get_bind().dialect.name == "sqlite"


def _position_after(session: Session, stretch: list[Condition], length: int) -> str | None:
    """Where the invoice after the next ``length`` stands; None if there are fewer."""
    positions = sa.select(Invoice.position).where(*stretch).order_by(Invoice.position)
    return session.scalar(positions.offset(length).limit(1))


def _in_order(session: Session, conditions: list[Condition], limit: int) -> Places:
    chosen = sa.select(Invoice.position, Invoice.id).where(*conditions).order_by(Invoice.position)
    return [(position, key) for position, key in session.execute(chosen.limit(limit))]


def _ids(places: Places, limit: int) -> list[int]:
    """The first of them, each once."""
    return [key for _, key in sorted(set(places))[:limit]]
