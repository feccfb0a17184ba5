"""Recording the completed sessions of a page of Stripe's list."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from domain.invoices.locking import lock_links
from domain.models import Link, Payment
from domain.payments import recording
from domain.states import ExceptionKind
from domain.stripe.client import id_of

_log = structlog.get_logger()


def record_sessions(
    session: Session, ledger_id: int, page: list[dict[str, Any]], now: datetime
) -> tuple[str, ...]:
    """Record what isn't yet of one page of completed sessions."""
    read = [facts for facts in map(read_or_log, page) if facts is not None and facts.stripe_link_id]
    known = set(
        session.scalars(
            sa.select(Payment.session_id).where(
                Payment.ledger_id == ledger_id,
                Payment.session_id.in_([facts.session_id for facts in read]),
                Payment.verdict != ExceptionKind.COMPLETED_UNPAID,
            )
        )
    )
    # The list is newest first, and the first of two payments is the one that counts.
    fresh = [facts for facts in reversed(read) if facts.session_id not in known]
    # In the sessions' order it would meet an import crosswise.
    touched = [facts.stripe_link_id for facts in fresh]
    lock_links(session, Link.ledger_id == ledger_id, Link.stripe_id.in_(touched))
    verdicts = (recording.record_payment(session, facts, ledger_id, None, now) for facts in fresh)
    return tuple(verdict for verdict in verdicts if verdict)


def read_or_log(found: dict[str, Any]) -> recording.SessionFacts | None:
    """None, and a line in the log, for what can't be recorded: it keeps none of the others from being."""
    try:
        return recording.read_session(found)
    except (KeyError, ValueError, OverflowError, OSError) as error:
        _log.warning("stripe.session_unreadable", session=id_of(found.get("id")), reason=str(error))
        return None
