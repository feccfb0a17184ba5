"""All that the details of one invoice tell, read in one transaction: each more is a wait for the person."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.audit import history
from domain.audit.history import History
from domain.exceptions import listing
from domain.invoices import invoices
from domain.invoices.list_page import find_page
from domain.invoices.numbers.finding import find_behind_words, find_meant
from domain.invoices.search_terms import phrase_of
from domain.invoices.summarising import summarised_of
from domain.models import Base, Ledger
from domain.organisations import organisations
from domain.overview import home
from domain.overview.summaries import InvoiceDetails, LookedUp
from domain.scope import Scope
from domain.summaries import InvoiceSummary

CHOICES = 10

# All of it in one statement: whatever shows an invoice asks it, and so does each look at a modal that stands open.
_LEDGERS = Base.metadata.tables[Ledger.__tablename__]


def _with_ledger(found: sa.Select[Any]) -> sa.Select[Any]:
    return found.outerjoin(_LEDGERS, _LEDGERS.c.id == sa.bindparam("ledger"))


_MORE = (listing.any_of_invoice().label("any_exceptions"), *home.STANDING)
_BY_ID = _with_ledger(invoices.by_id(*_MORE))
_BY_NUMBER = _with_ledger(invoices.by_number(*_MORE))


def get(session: Session, scope: Scope, invoice_id: int, now: datetime) -> InvoiceDetails:
    """Raises InvoiceNotFound: unknown, or another organisation's."""
    return _told(session, scope, invoices.get_row(session, scope, _BY_ID, invoice_id), now)


def find_by_number(session: Session, scope: Scope, number: str, now: datetime) -> InvoiceDetails | None:
    row = invoices.find_plain(session, scope, _BY_NUMBER, number)
    if row is not None:
        return _told(session, scope, row, now)
    found = invoices.find_by_number(session, scope, number)
    return None if found is None else get(session, scope, found.id, now)


def get_history(session: Session, scope: Scope, invoice_id: int, page: int) -> tuple[InvoiceSummary, History]:
    """Raises InvoiceNotFound."""
    invoice = invoices.get(session, scope, invoice_id)
    return invoice, history.read(session, scope.organisation_id, invoice.id, page)


def look_up(session: Session, scope: Scope, text: str, now: datetime) -> LookedUp:
    """What is meant by what somebody typed; else the invoices whose number or buyer begins so, ten at most."""
    row = invoices.find_plain(session, scope, _BY_NUMBER, text)
    if row is not None:
        return LookedUp(_told(session, scope, row, now))
    alike = [one.id for one in invoices.list_alike(session, scope, text)]
    meant = alike or list(find_meant(session, scope, text))
    if len(meant) == 1:
        return LookedUp(get(session, scope, meant[0], now))
    if not meant and phrase_of(text):
        meant = find_page(session, scope.organisation_id, text, status=None, after=None, limit=CHOICES + 1)
    if not meant:
        meant = list(find_behind_words(session, scope, text))
        if len(meant) == 1:
            return LookedUp(get(session, scope, meant[0], now))
    options = invoices.list_options(session, scope, meant[:CHOICES])
    return LookedUp(options=options, more=len(meant) > CHOICES)


def _told(session: Session, scope: Scope, row: sa.Row[Any], now: datetime) -> InvoiceDetails:
    invoice = summarised_of(row)
    opens, resolved = listing.of_invoice(session, scope, invoice.id, now) if row.any_exceptions else ((), ())
    return InvoiceDetails(
        invoice=invoice,
        organisation=organisations.get_summary(session, scope.organisation_id),
        stripe=home.stripe_state_of(row, scope),
        today=scope.today(now),
        exceptions=opens,
        resolved=resolved,
        rights=scope.rights,
    )
