"""Writing down what happened for programs, in the transaction of the fact."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from domain.database import database_clock, written_once
from domain.models import EPOCH, Base, FeedEvent, milliseconds
from domain.money import Money
from domain.states import FeedKind

Facts = dict[str, Any]
"""What can be written as JSON: codes, ids, amounts as ``money`` makes them, instants as ``instant`` does."""
_ADD = written_once(
    lambda insert: (
        insert(Base.metadata.tables[FeedEvent.__tablename__])
        .values(at=database_clock())
        .on_conflict_do_nothing(index_elements=["organisation_id", "subject"])
    )
)


def record(
    session: Session,
    kind: FeedKind,
    what: str,
    *,
    organisation_id: int,
    ledger_id: int,
    number: str | None,
    facts: Facts,
) -> None:
    """Add the event; ``what`` names the fact among those of its kind. The same fact again adds nothing."""
    event = {
        "organisation_id": organisation_id,
        "ledger_id": ledger_id,
        "subject": f"{kind}:{what}",
        "kind": kind,
        "invoice_number": number,
        "facts": json.dumps(facts, ensure_ascii=False),
    }
    session.execute(_ADD(session), event)


def money(amount: Money | None) -> list[Any] | None:
    return None if amount is None else [amount.amount, amount.currency]


def instant(moment: datetime | None) -> int | None:
    return None if moment is None else milliseconds(moment - EPOCH)
