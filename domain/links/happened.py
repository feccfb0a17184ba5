"""What programs are told of a link: that it is there."""

from sqlalchemy.orm import Session

from domain.feed import recording as feed
from domain.models import Invoice, Link
from domain.money import Money
from domain.states import FeedKind


def note_created(session: Session, link: Link) -> None:
    feed.record(
        session,
        FeedKind.LINK_CREATED,
        str(link.id),
        organisation_id=link.organisation_id,
        ledger_id=link.ledger_id,
        number=session.get_one(Invoice, link.invoice_id).number,
        facts={"url": link.url, "amount": feed.money(Money(link.amount, link.currency))},
    )
