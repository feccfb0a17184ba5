"""What is owed and was due before a day: what Home counts as overdue."""

from datetime import date

import sqlalchemy as sa

from domain.models import Invoice
from domain.reasons import BillingState
from domain.states import LinkStatus

IN_SQL = (
    "status <> 'Paid' AND billing_state = 'open' AND amount > 0 AND due_date < CAST(:due_before AS {date})"
)
"""As is_overdue, for a statement that is written out."""


def is_overdue(today: date) -> list[sa.ColumnElement[bool]]:
    """Of an invoice."""
    return [
        Invoice.status != LinkStatus.PAID,
        Invoice.billing_state == BillingState.OPEN,
        Invoice.amount > 0,
        Invoice.due_date < today,
    ]
