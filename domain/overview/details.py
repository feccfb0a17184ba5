"""All that the details of one invoice tell, read in one transaction: each more is a wait for the person."""

from datetime import datetime

from sqlalchemy.orm import Session

from domain.audit import history
from domain.audit.history import History
from domain.exceptions import listing
from domain.invoices import invoices
from domain.invoices.list_page import find_page
from domain.invoices.numbers.finding import find_meant
from domain.invoices.search_terms import phrase_of
from domain.models import Organisation
from domain.organisations import organisations
from domain.overview import home
from domain.overview.summaries import InvoiceDetails, LookedUp
from domain.scope import Scope
from domain.summaries import InvoiceSummary

CHOICES = 10


def get(session: Session, scope: Scope, invoice_id: int, now: datetime) -> InvoiceDetails:
    """Raises InvoiceNotFound: unknown, or another organisation's."""
    return _with_standing(session, scope, invoices.get(session, scope, invoice_id), now)


def find_by_number(session: Session, scope: Scope, number: str, now: datetime) -> InvoiceDetails | None:
    found = invoices.find_by_number(session, scope, number)
    return None if found is None else _with_standing(session, scope, found, now)


def get_history(session: Session, scope: Scope, invoice_id: int, page: int) -> tuple[InvoiceSummary, History]:
    """Raises InvoiceNotFound."""
    invoice = invoices.get(session, scope, invoice_id)
    return invoice, history.read(session, scope.organisation_id, invoice.id, page)


def look_up(session: Session, scope: Scope, text: str, now: datetime) -> LookedUp:
    """What is meant by what somebody typed; else the invoices whose number or buyer begins so, ten at most."""
    found = invoices.list_by_number(session, scope, text)
    meant = [one.id for one in found] or list(find_meant(session, scope, text))
    if len(meant) == 1:
        one = found[0] if found else invoices.get(session, scope, meant[0])
        return LookedUp(_with_standing(session, scope, one, now))
    if not meant and phrase_of(text):
        meant = find_page(session, scope.organisation_id, text, status=None, after=None, limit=CHOICES + 1)
    options = invoices.list_options(session, scope, meant[:CHOICES])
    return LookedUp(options=options, more=len(meant) > CHOICES)


def _with_standing(session: Session, scope: Scope, invoice: InvoiceSummary, now: datetime) -> InvoiceDetails:
    opens, resolved = listing.of_invoice(session, scope, invoice.id, now)
    return InvoiceDetails(
        invoice=invoice,
        organisation=organisations.summarise(session.get_one(Organisation, scope.organisation_id)),
        stripe=home.get_stripe_state(session, scope),
        today=scope.today(now),
        exceptions=opens,
        resolved=resolved,
        rights=scope.rights,
    )
