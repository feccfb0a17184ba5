"""All that the details of one invoice tell, read in one transaction: each more is a wait for the person."""

from sqlalchemy.orm import Session

from domain.invoices import invoices
from domain.organisations import organisations
from domain.overview import home
from domain.summaries import InvoiceDetails, InvoiceSummary


def get(session: Session, team_id: str, invoice_id: int, ledger_id: int) -> InvoiceDetails:
    """Raises InvoiceNotFound: unknown, or another organisation's."""
    return _with_standing(session, team_id, invoices.get(session, team_id, invoice_id, ledger_id), ledger_id)


def find_by_number(session: Session, team_id: str, number: str, ledger_id: int) -> InvoiceDetails | None:
    found = invoices.find_by_number(session, team_id, number, ledger_id)
    return None if found is None else _with_standing(session, team_id, found, ledger_id)


def _with_standing(session: Session, team_id: str, invoice: InvoiceSummary, ledger_id: int) -> InvoiceDetails:
    return InvoiceDetails(
        invoice=invoice,
        organisation=organisations.get_by_team(session, team_id),
        stripe=home.get_stripe_state(session, ledger_id),
    )
