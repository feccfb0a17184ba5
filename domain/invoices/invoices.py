"""Looking at billing invoices. Every function takes the scope, so that no organisation sees another's."""

import difflib
import json
import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from domain.errors import InvoiceNotFound
from domain.invoices.badges import read_badges
from domain.invoices.eligibility import ineligible_because
from domain.invoices.list_page import find_page
from domain.invoices.list_position import existing_reason
from domain.invoices.numbers.keys import identity_of, number_key, written_key
from domain.invoices.numbers.twins import choose, has_twins, ids_of, twins_between
from domain.invoices.search_terms import LAST
from domain.models import Invoice, Link
from domain.money import Money, sums
from domain.reasons import BillingState
from domain.scope import Scope
from domain.states import Badge, LinkState, LinkStatus
from domain.summaries import InvoiceOption, InvoiceSummary, LinkSummary

NEAREST = 5
OPTIONS = 100


class InvoiceRow(NamedTuple):
    """What a summary says of an invoice: a page of a hundred rows as objects of the ORM takes three times as long."""

    id: int
    number: str
    buyer_name: str
    buyer_email: str
    amount: int
    currency: str
    issue_date: date | None
    due_date: date | None
    description: str
    billing_state: str


class LinkRow(NamedTuple):
    """What a summary says of a link."""

    state: LinkState
    status: LinkStatus
    refusal: str | None
    url: str | None
    amount: int
    currency: str
    created_at: datetime | None
    requested_by: str | None
    paid_at: datetime | None
    amount_received: int | None
    stripe_payment: str | None
    refunded: bool
    disputed: bool
    exception: bool
    badges: str


_SUMMARISED: list[Any] = [
    *(getattr(Invoice, name) for name in InvoiceRow._fields),
    *(getattr(Link, name) for name in LinkRow._fields),
]
# The plain number that nearly everybody types, in one statement that is written once for all.
_PLAIN = (
    sa.select(*_SUMMARISED, has_twins().label("has_twins"))
    .outerjoin(Link, sa.and_(Link.invoice_id == Invoice.id, Link.ledger_id == sa.bindparam("ledger")))
    .where(Invoice.organisation_id == sa.bindparam("own"), Invoice.number_key == sa.bindparam("key"))
)

# One parameter instead of a hundred, each of which would be read and planned with.
_OF_IDS = sa.func.json_each(sa.bindparam("ids", type_=sa.Text)).table_valued("value")
_IDS = sa.bindparam("ids", type_=ARRAY(sa.BigInteger))
_KNOWN = (
    sa.select(*_SUMMARISED)
    .outerjoin(Link, sa.and_(Link.invoice_id == Invoice.id, Link.ledger_id == sa.bindparam("ledger")))
    .order_by(Invoice.position)
)
_KNOWN_ON_SQLITE = _KNOWN.where(Invoice.id.in_(sa.select(_OF_IDS.c.value)))
_KNOWN_ON_POSTGRESQL = _KNOWN.where(Invoice.id == sa.any_(_IDS))


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
    known = list(ids)
    if session.get_bind().dialect.name == "sqlite":
        return _listed(
            session.execute(_KNOWN_ON_SQLITE, {"ids": json.dumps(known), "ledger": scope.ledger_id})
        )
    return _listed(session.execute(_KNOWN_ON_POSTGRESQL, {"ids": known, "ledger": scope.ledger_id}))


def _listed(rows: Iterable[Any]) -> list[InvoiceSummary]:
    """Of rows that begin with what is summarised."""
    count = len(InvoiceRow._fields)
    listed = []
    for row in rows:
        # A link without a state is the outer join's word for none.
        link = None if row[count] is None else LinkRow(*row[count : len(_SUMMARISED)])
        listed.append(summarise(InvoiceRow(*row[:count]), link))
    return listed


def _is_one_of(session: Session, ids: list[int]) -> sa.ColumnElement[bool]:
    if session.get_bind().dialect.name == "sqlite":
        return Invoice.id.in_(ids)
    # One parameter instead of a hundred, each of which PostgreSQL would read and plan with.
    return Invoice.id == sa.any_(sa.literal(ids, ARRAY(sa.BigInteger)))


def get(session: Session, scope: Scope, invoice_id: int) -> InvoiceSummary:
    """Raises InvoiceNotFound: unknown, or another organisation's."""
    row = session.execute(within(scope).where(Invoice.id == invoice_id)).first()
    if row is None:
        raise InvoiceNotFound(f"invoice {invoice_id}")
    return summarise(row[0], row[1])


def find_by_number(session: Session, scope: Scope, number: str) -> InvoiceSummary | None:
    """The invoice that has the number, however it is written. Of twins (domain/invoices/numbers/twins.py) the one that is written
    so; None if none is."""
    found = list_by_number(session, scope, number)
    chosen = choose(number, {one.id: written_key(one.number) for one in found})
    return next((one for one in found if one.id == chosen), None)


def list_by_number(session: Session, scope: Scope, number: str) -> list[InvoiceSummary]:
    """All that have the number, however it is written, in list order: one at most, but for twins."""
    if identity_of(number) is None:
        key = written_key(number)
        values = {"own": scope.organisation_id, "ledger": scope.ledger_id, "key": key}
        row = session.execute(_PLAIN, values | twins_between(key)).first()
        if row is not None and not row.has_twins:
            return _listed([row])
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


def summarise(invoice: Invoice | InvoiceRow, link: Link | LinkRow | None) -> InvoiceSummary:
    """``link`` is the one of the ledger in use."""
    money = Money(invoice.amount, invoice.currency)
    created = link is not None and link.state is LinkState.CREATED
    return InvoiceSummary(
        id=invoice.id,
        number=invoice.number,
        buyer_name=invoice.buyer_name,
        buyer_email=invoice.buyer_email,
        amount=money,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        description=invoice.description,
        status=link.status if link is not None and created else LinkStatus.NOT_CREATED,
        reason=ineligible_because(money, existing_reason(link), invoice.billing_state),
        link=summarise_link(link) if link is not None and created else None,
        refusal=link.refusal if link is not None and link.state is LinkState.REFUSED else None,
        badges=_badges(invoice, link),
    )


def _badges(invoice: Invoice | InvoiceRow, link: Link | LinkRow | None) -> tuple[Badge, ...]:
    if link is None:
        return read_badges("", refunded=False, disputed=False, state=invoice.billing_state)
    return read_badges(
        link.badges, refunded=link.refunded, disputed=link.disputed, state=invoice.billing_state
    )


def summarise_link(link: Link | LinkRow) -> LinkSummary:
    assert link.url is not None
    assert link.created_at is not None
    received = None if link.amount_received is None else Money(link.amount_received, link.currency)
    return LinkSummary(
        url=link.url,
        amount=Money(link.amount, link.currency),
        created_at=link.created_at,
        created_by=link.requested_by,
        paid_at=link.paid_at,
        amount_received=received,
        stripe_payment=link.stripe_payment,
        exception=link.exception,
    )


def totals(invoices: Iterable[InvoiceSummary]) -> tuple[Money, ...]:
    """The sum for each currency, in the order of their codes."""
    return sums(invoice.amount for invoice in invoices)
