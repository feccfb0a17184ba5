"""What the audit says of messages: that one stands in a channel."""

from sqlalchemy.orm import Session

from domain import audit
from domain.database import database_now
from domain.messages.claims import Claim
from domain.messages.summaries import Announcement
from domain.summaries import PAYLINK


def note_posted(session: Session, claim: Claim, channel: str) -> None:
    """For each invoice that it is about."""
    now = database_now(session)
    for told in (claim.announcement, *claim.announcement.together):
        invoice = _invoice_of(told)
        if invoice is not None:
            audit.record(
                session,
                audit.Deed.MESSAGE_POSTED,
                f"{told.kind} {channel}",
                by=PAYLINK,
                now=now,
                organisation_id=claim.organisation_id,
                invoice=invoice,
            )


def _invoice_of(told: Announcement) -> audit.Invoiced | None:
    if told.invoice is not None:
        return told.invoice
    about = told.exception
    if about is None or about.invoice_id is None or about.number is None:
        return None
    return audit.OfInvoice(about.invoice_id, about.number)
