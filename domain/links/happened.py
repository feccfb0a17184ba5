"""What programs are told of a link: that it is there."""

from sqlalchemy.orm import Session

from domain.feed import recording as feed
from domain.money import Money
from domain.states import FeedKind


def note_created(
    session: Session, link_id: int, organisation_id: int, ledger_id: int, number: str, url: str, amount: Money
) -> None:
    feed.record(
        session,
        FeedKind.LINK_CREATED,
        str(link_id),
        organisation_id=organisation_id,
        ledger_id=ledger_id,
        number=number,
        facts={"url": url, "amount": feed.money(amount)},
    )
