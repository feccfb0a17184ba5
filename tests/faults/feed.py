"""The feed for programs, compared with the facts that it is to tell: each once, and none that isn't."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import FeedEvent, Link, Payment, PaymentException, Reversal
from domain.states import LinkState, Verdict


@dataclass(frozen=True)
class FeedBooks:
    """Facts and events, each by what it is about."""

    facts: Counter[str]
    may_be: frozenset[str]
    """Facts that were so at some time, perhaps."""
    events: Counter[str]


def read_feed(session: Session) -> FeedBooks:
    created = session.scalars(sa.select(Link.id).where(Link.state == LinkState.CREATED))
    paid = session.scalars(sa.select(Payment.id).where(Payment.verdict == Verdict.PAID))
    exceptions = session.execute(
        sa.select(PaymentException.id, PaymentException.resolved_at).where(
            PaymentException.organisation_id.is_not(None)
        )
    ).all()
    reversals = session.execute(sa.select(Reversal.id, Reversal.kind, Reversal.status)).all()
    facts = [
        *(f"link_created:{key}" for key in created),
        *(f"paid:{key}" for key in paid),
        *(f"exception_opened:{key}" for key, _ in exceptions),
        *(f"exception_resolved:{key}" for key, resolved_at in exceptions if resolved_at is not None),
        *(f"refunded:{key}" for key, kind, status in reversals if (kind, status) == ("refund", "succeeded")),
    ]
    may_be = {f"refunded:{key}" for key, kind, _ in reversals if kind == "refund"}
    may_be |= {
        f"disputed:{key}:{what}"
        for key, kind, _ in reversals
        for what in ("inquiry", "dispute")
        if kind == "dispute"
    }
    events = session.scalars(sa.select(FeedEvent.subject))
    return FeedBooks(Counter(facts), frozenset(may_be), Counter(events))


def compare_feed(books: FeedBooks) -> Iterator[str]:
    for fact in books.facts.keys() | books.events.keys():
        told, happened = books.events[fact], books.facts[fact]
        if told > 1 or (told < happened) or (told > happened and fact not in books.may_be):
            yield f"{fact} happened {happened} times and is {told} times in the feed"
