"""Looking at billing invoices. Every function takes the scope, so that no organisation sees another's."""

import difflib
import re
from collections.abc import Iterable
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from domain.errors import InvoiceNotFound
from domain.invoices.badges import read_badges
from domain.invoices.list_page import find_page
from domain.invoices.numbers.keys import identity_of, number_key, written_key
from domain.invoices.numbers.slips import one_slip_away
from domain.invoices.numbers.twins import choose, has_twins, ids_of, twins_between
from domain.invoices.search_terms import LAST
from domain.invoices.summarising import INVOICES, summarised, summarised_of
from domain.models import Invoice, Link
from domain.money import Money, sums
from domain.reasons import BillingState
from domain.rows_given import among
from domain.scope import Scope
from domain.states import LinkState, LinkStatus
from domain.summaries import InvoiceOption, InvoiceSummary

NEAREST = 5
OPTIONS = 100


def by_number(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The plain number that nearly everybody types; find_plain binds what it asks for."""
    own = INVOICES.c.organisation_id == sa.bindparam("own")
    return summarised(has_twins().label("has_twins"), *more).where(
        own, INVOICES.c.number_key == sa.bindparam("key")
    )


def by_id(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """The organisation's ``own``, by its ``id``."""
    own = INVOICES.c.organisation_id == sa.bindparam("own")
    return summarised(*more).where(own, INVOICES.c.id == sa.bindparam("id"))


_BY_NUMBER, _BY_ID = by_number(), by_id()

_KNOWN = among(lambda is_one: summarised().where(is_one(INVOICES.c.id)).order_by(INVOICES.c.position))


def within(scope: Scope) -> sa.Select[Invoice, Link | None]:
    """The organisation's invoices, each with its link in the ledger if it has one."""
    found = (
        sa.select(Invoice, Link)
        .outerjoin(Link, _in_ledger(scope))
        .where(Invoice.organisation_id == scope.organisation_id)
    )
    # An outer join: the second of the pair may be missing, which the types of select() can't say.
    return cast("sa.Select[Invoice, Link | None]", found)


def list_known(session: Session, scope: Scope, ids: Iterable[int]) -> list[InvoiceSummary]:
    """Invoices that are known to be the organisation's, in list order, each with its link in the ledger.

    Asked for the organisation as well, SQLite goes through all of its invoices (decision 0011).
    """
    rows = session.execute(*_KNOWN(session, ids, ledger=scope.ledger_id)).all()
    return [summarised_of(row) for row in rows]


def _is_one_of(session: Session, ids: list[int]) -> sa.ColumnElement[bool]:
    if session.get_bind().dialect.name == "sqlite":
        return Invoice.id.in_(ids)
    # One parameter instead of a hundred, each of which PostgreSQL would read and plan with.
    return Invoice.id == sa.any_(sa.literal(ids, ARRAY(sa.BigInteger)))


def get(session: Session, scope: Scope, invoice_id: int) -> InvoiceSummary:
    """Raises InvoiceNotFound: unknown, or another organisation's."""
    return summarised_of(get_row(session, scope, _BY_ID, invoice_id))


def get_row(session: Session, scope: Scope, statement: sa.Select[Any], invoice_id: int) -> sa.Row[Any]:
    """Of a statement ``by_id``. Raises InvoiceNotFound."""
    values = {"own": scope.organisation_id, "ledger": scope.ledger_id, "id": invoice_id}
    row = session.execute(statement, values).first()
    if row is None:
        raise InvoiceNotFound(f"invoice {invoice_id}")
    return row


def find_by_number(session: Session, scope: Scope, number: str) -> InvoiceSummary | None:
    """The invoice that has the number, however it is written. Of twins (domain/invoices/numbers/twins.py) the one that is written
    so; None if none is."""
    found = list_by_number(session, scope, number)
    chosen = choose(number, {one.id: written_key(one.number) for one in found})
    return next((one for one in found if one.id == chosen), None)


def list_by_number(session: Session, scope: Scope, number: str) -> list[InvoiceSummary]:
    """All that have the number, however it is written, in list order: one at most, but for twins."""
    row = find_plain(session, scope, _BY_NUMBER, number)
    return list_alike(session, scope, number) if row is None else [summarised_of(row)]


def find_plain(session: Session, scope: Scope, statement: sa.Select[Any], number: str) -> sa.Row[Any] | None:
    """Of a statement ``by_number``, if that is enough to know which invoice is meant."""
    if identity_of(number) is not None:
        return None
    key = written_key(number)
    values = {"own": scope.organisation_id, "ledger": scope.ledger_id, "key": key}
    row = session.execute(statement, values | twins_between(key)).first()
    return None if row is None or row.has_twins else row


def list_alike(session: Session, scope: Scope, number: str) -> list[InvoiceSummary]:
    """As list_by_number, where find_plain found none."""
    return list_known(session, scope, session.scalars(ids_of(scope.organisation_id, number)))


def require_own(session: Session, scope: Scope, invoice_ids: set[int]) -> None:
    """Raises InvoiceNotFound for an id that isn't one of this organisation's invoices."""
    found = sa.select(Invoice.id).where(
        Invoice.id.in_(invoice_ids), Invoice.organisation_id == scope.organisation_id
    )
    strange = invoice_ids - set(session.scalars(found)) if invoice_ids else set()
    if strange:
        raise InvoiceNotFound(f"invoice {min(strange)}")


def find_nearest(session: Session, scope: Scope, number: str) -> tuple[InvoiceOption, ...]:
    """Up to five invoices whose numbers are most like this one, the most alike first."""
    wanted = number_key(number)[:60]
    of_organisation = sa.select(Invoice).where(Invoice.organisation_id == scope.organisation_id)
    candidates: dict[str, Invoice] = {}

    def look(condition: sa.ColumnElement[bool], order: Any) -> None:
        found = session.scalars(of_organisation.where(condition).order_by(order).limit(40))
        candidates.update((invoice.number_key, invoice) for invoice in found)

    look(Invoice.number_key >= wanted, Invoice.number_key)
    look(Invoice.number_key < wanted, Invoice.number_key.desc())
    look(Invoice.number_key.in_(one_slip_away(wanted)), Invoice.number_key)
    # Somebody types 1001 and means INV-1001: try the digits behind the letters that the neighbours begin with.
    digits = re.search(r"[0-9]+$", wanted)
    if digits:
        for letters in sorted({re.split(r"[0-9]", key)[0] for key in candidates})[:5]:
            key = letters + digits.group()
            look(sa.and_(Invoice.number_key >= key, Invoice.number_key < key + LAST), Invoice.number_key)
    ranked = sorted(candidates, key=lambda key: (-difflib.SequenceMatcher(None, wanted, key).ratio(), key))
    nearest = [candidates[key] for key in ranked[:NEAREST]]
    return tuple(
        _option(one.id, one.number, one.buyer_name, one.amount, one.currency, one.status) for one in nearest
    )


def find_options(session: Session, scope: Scope, text: str) -> tuple[InvoiceOption, ...]:
    """Up to 100 invoices whose number, or any word of whose buyer, begins with the text; in list order."""
    ids = find_page(session, scope.organisation_id, text, status=None, after=None, limit=OPTIONS)
    return list_options(session, scope, ids)


def list_options(session: Session, scope: Scope, ids: list[int]) -> tuple[InvoiceOption, ...]:
    """Of invoices that are known to be the organisation's, in list order."""
    # Columns: whole invoices cost more than their links' amounts do.
    columns: list[Any] = [
        *(Invoice.id, Invoice.number, Invoice.buyer_name, Invoice.amount, Invoice.currency, Invoice.status),
        *(Link.amount, Link.currency),
        *(Invoice.billing_state, Link.badges, Link.refunded, Link.disputed),
    ]
    found = (
        sa.select(*columns)
        .outerjoin(Link, sa.and_(_in_ledger(scope), Link.state == LinkState.CREATED))
        .where(_is_one_of(session, ids))
        .order_by(Invoice.position)
    )
    return tuple(_option(*row) for row in session.execute(found))


def _in_ledger(scope: Scope) -> sa.ColumnElement[bool]:
    return sa.and_(Link.invoice_id == Invoice.id, Link.ledger_id == scope.ledger_id)


def _option(
    invoice_id: int,
    number: str,
    buyer_name: str,
    amount: int,
    currency: str,
    status: LinkStatus,
    asked: int | None = None,
    asked_in: str | None = None,
    state: str = BillingState.OPEN,
    codes: str | None = None,
    refunded: bool | None = None,
    disputed: bool | None = None,
) -> InvoiceOption:
    return InvoiceOption(
        invoice_id,
        number,
        buyer_name,
        Money(amount, currency),
        status,
        None if asked is None or asked_in is None else Money(asked, asked_in),
        read_badges(codes, refunded=refunded, disputed=disputed, state=state),
    )


def totals(invoices: Iterable[InvoiceSummary]) -> tuple[Money, ...]:
    """The sum for each currency, in the order of their codes."""
    return sums(invoice.amount for invoice in invoices)
