"""All that the details of one invoice tell, read in one transaction: each more is a wait for the person."""

from sqlalchemy.orm import Session

from domain.invoices import invoices
from domain.models import Organisation
from domain.organisations import organisations
from domain.overview import home
from domain.scope import Scope
from domain.summaries import InvoiceDetails, InvoiceSummary


def get(session: Session, scope: Scope, invoice_id: int) -> InvoiceDetails:
    """Raises InvoiceNotFound: unknown, or another organisation's."""
    return _with_standing(session, scope, invoices.get(session, scope, invoice_id))


def find_by_number(session: Session, scope: Scope, number: str) -> InvoiceDetails | None:
    found = invoices.find_by_number(session, scope, number)
    return None if found is None else _with_standing(session, scope, found)


def _with_standing(session: Session, scope: Scope, invoice: InvoiceSummary) -> InvoiceDetails:
    return InvoiceDetails(
        invoice=invoice,
        organisation=organisations.summarise(session.get_one(Organisation, scope.organisation_id)),
        stripe=home.get_stripe_state(session, scope),
    )
