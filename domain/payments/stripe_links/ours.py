"""Which of Stripe's events are about what is ours."""

from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Base, Link, Organisation, Payment, PaymentException
from domain.payments.event_reading import (
    DISPUTE_TYPES,
    LINK_CREATED_TYPE,
    LINK_TYPES,
    SESSION_TYPES,
    Received,
)
from domain.states import ExceptionKind

_LINKS, _PAYMENTS, _EXCEPTIONS, _ORGANISATIONS = (
    Base.metadata.tables[model.__tablename__] for model in (Link, Payment, PaymentException, Organisation)
)
_LEDGER: sa.BindParameter[int] = sa.bindparam("ledger")


def _among(what: str, names: str, column: sa.ColumnElement[Any]) -> sa.Select[str, Any]:
    """Which of those that are bound as ``names`` are in the column, each with ``what`` before it."""
    given = column.in_(sa.bindparam(names, expanding=True))
    return sa.select(sa.literal(what, literal_execute=True).label("what"), column.label("name")).where(given)


# What of that which events name is ours, in one statement.
_OURS = sa.union_all(
    _among("link", "links", _LINKS.c.stripe_id).where(_LINKS.c.ledger_id == _LEDGER),
    _among("reference", "references", _LINKS.c.reference).where(_LINKS.c.ledger_id == _LEDGER),
    _among("intent", "intents", _PAYMENTS.c.payment_intent).where(_PAYMENTS.c.ledger_id == _LEDGER),
    # Of a payment that Paylink doesn't know, but has told of.
    _among("intent", "intents", _EXCEPTIONS.c.stripe_object)
    .where(_EXCEPTIONS.c.ledger_id == _LEDGER)
    .where(_EXCEPTIONS.c.kind == ExceptionKind.PAYMENT_UNKNOWN),
    _among("team", "teams", _ORGANISATIONS.c.team_id).where(_ORGANISATIONS.c.ledger_id == _LEDGER),
)


def those_of_ours(session: Session, ledger_id: int, events: list[Received]) -> list[Received]:
    """A payment of an unknown link may be of one whose answer got lost: its metadata tells. Disputes carry none, and
    thin events tell nothing."""
    may_be_unknown = [event for event in events if event.type in (*SESSION_TYPES, *LINK_TYPES)]
    named = {
        "ledger": ledger_id,
        "links": {event.stripe_link_id for event in events if event.stripe_link_id},
        "references": {event.reference for event in events if event.reference},
        "intents": {event.payment_intent for event in events if event.payment_intent},
        "teams": {event.team_id for event in may_be_unknown if event.team_id},
    }
    ours: dict[str, set[str]] = defaultdict(set)
    for row in session.execute(_OURS, named):
        ours[row.what].add(row.name)
    # That a known link was created tells nothing.
    events = [
        event
        for event in events
        if event.thin or event.type != LINK_CREATED_TYPE or event.stripe_link_id not in ours["link"]
    ]
    return [
        event
        for event in events
        if event.stripe_link_id in ours["link"]
        or (event.team_id in ours["team"] and event in may_be_unknown)
        or event.reference in ours["reference"]
        or event.payment_intent in ours["intent"]
        or event.type in DISPUTE_TYPES
        or event.thin
    ]
