"""Write down intents: the links of one reservation, in one statement for each table however many they are."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.coordination.leases import Lease
from domain.database import database_clock
from domain.invoices.list_position import Billed, HowFar, position
from domain.models import Base, Invoice, Link, Organisation
from domain.money import Money
from domain.rows_given import among, given, over
from domain.scope import Scope
from domain.states import LinkState, LinkStatus
from domain.stripe.client import API_VERSION
from domain.summaries import Actor

_LINKS = Base.metadata.tables[Link.__tablename__]
_INVOICES = Base.metadata.tables[Invoice.__tablename__]
Columns = dict[str, Any]


class Reservable(Billed, Protocol):
    """What a reservation asks of an invoice: of a row of the ORM, or of the columns that were asked for."""

    @property
    def id(self) -> int: ...

    @property
    def number(self) -> str: ...


class Existing(HowFar, Protocol):
    """What it asks of the link that there is."""

    @property
    def id(self) -> int: ...

    @property
    def reference(self) -> str: ...


class Chosen(NamedTuple):
    """As Reservable: as objects of the ORM a hundred take as long as all else."""

    id: int
    organisation_id: int
    number: str
    number_key: str
    amount: int
    currency: str
    due_date: date | None
    billing_state: str
    position: str


class Linked(NamedTuple):
    """What it asks of the link that there is."""

    id: int
    invoice_id: int
    reference: str
    state: LinkState
    status: LinkStatus


_LOCK = among(
    lambda is_one: (
        sa.select(*(_INVOICES.c[name] for name in Chosen._fields))
        .where(is_one(_INVOICES.c.id))
        .order_by(_INVOICES.c.id)
        .with_for_update(key_share=True)
    )
)
_EXISTING = among(
    lambda is_one: sa.select(*(_LINKS.c[name] for name in Linked._fields)).where(
        is_one(_LINKS.c.invoice_id), _LINKS.c.ledger_id == sa.bindparam("ledger")
    )
)
# Statements over all links of a reservation, written once: a run has a hundred.
_ASKED = {
    "amount": sa.BigInteger,
    "currency": sa.Text,
    "reference": sa.Text,
    "idempotency_key": sa.Text,
    "request": sa.Text,
}
_ALIKE = (
    "organisation_id ledger_id state status refusal api_version requested_by reserved_at changed_at attempts look_first "
    "first_sent_at last_sent_at next_attempt_at owner lease_until"
)
_common = {name: sa.bindparam(f"common_{name}", type_=_LINKS.c[name].type) for name in _ALIKE.split()}
_RESERVE = over(
    {"invoice_id": sa.BigInteger, **_ASKED},
    lambda given: (
        sa.insert(_LINKS)
        .from_select(
            ["invoice_id", *_ASKED, *_common],
            sa.select(given.c.invoice_id, *(given.c[name] for name in _ASKED), *_common.values()),
        )
        .returning(_LINKS.c.invoice_id, _LINKS.c.id)
    ),
)
_RENEW = over(
    {"link_id": sa.BigInteger, **_ASKED},
    lambda given: (
        sa.update(_LINKS)
        .where(_LINKS.c.id == given.c.link_id)
        .values(_common | {name: given.c[name] for name in _ASKED})
    ),
)


def _place(changed: Columns) -> Callable[[Session], sa.Executable]:
    return over(
        {"invoice_id": sa.BigInteger, "place": sa.Text},
        lambda given: (
            sa.update(_INVOICES)
            .where(_INVOICES.c.id == given.c.invoice_id)
            .values(status=sa.bindparam("stands_at"), position=given.c.place, **changed)
        ),
    )


_PLACE = _place({"changed_at": database_clock()})


@dataclass(frozen=True)
class Reservation:
    """Who asks for links and when; with a ``lease`` whoever holds it will send them at once."""

    by: Actor
    now: datetime
    clock: datetime
    """The database's."""
    lease: Lease | None = None


@dataclass(frozen=True)
class Decision:
    """What becomes of an invoice that gets a link: one that it hadn't, or the refused one with a new request."""

    invoice: Reservable
    money: Money
    existing: Existing | None
    intent: Columns


def lock_invoices(session: Session, scope: Scope, ids: Iterable[int]) -> list[Chosen]:
    """In list order; locked in the order of their ids, so that two runs never wait for each other."""
    locked = (Chosen(*row) for row in session.execute(*_LOCK(session, ids)))
    own = [invoice for invoice in locked if invoice.organisation_id == scope.organisation_id]
    return sorted(own, key=lambda invoice: invoice.position)


def find_existing(session: Session, scope: Scope, ids: Iterable[int]) -> dict[int, Linked]:
    """The links that there are of these invoices in the ledger, by invoice."""
    found = session.execute(*_EXISTING(session, ids, ledger=scope.ledger_id))
    return {row.invoice_id: Linked(*row) for row in found}


def write(
    session: Session,
    scope: Scope,
    organisation: Organisation,
    decisions: Sequence[Decision],
    reservation: Reservation,
) -> dict[int, int]:
    """In one statement for each table, whatever their number."""
    common = _in_common(scope, organisation, reservation)
    made: dict[int, int] = {}
    fresh = [{"invoice_id": one.invoice.id, **one.intent} for one in decisions if one.existing is None]
    if fresh:
        made = {row[0]: row[1] for row in session.execute(_RESERVE(session), common | given(fresh))}
    renewed = {one.invoice.id: one.existing.id for one in decisions if one.existing is not None}
    if renewed:
        again = [
            {"link_id": renewed[one.invoice.id], **one.intent}
            for one in decisions
            if one.invoice.id in renewed
        ]
        session.execute(_RENEW(session), common | given(again))
    places = [
        {
            "invoice_id": one.invoice.id,
            # While a link is made an invoice isn't eligible, whatever it says itself.
            "place": position(
                eligible=False, due_date=one.invoice.due_date, number_key=one.invoice.number_key
            ),
        }
        for one in decisions
    ]
    session.execute(_PLACE(session), {"stands_at": LinkStatus.NOT_CREATED} | given(places))
    audit.record_all(
        session,
        audit.Deed.LINK_ASKED,
        [(one.invoice, str(one.money)) for one in decisions],
        by=reservation.by,
        now=reservation.now,
        organisation_id=organisation.id,
    )
    return made | renewed


def _in_common(scope: Scope, organisation: Organisation, reservation: Reservation) -> Columns:
    """What all links of a reservation have in common; of a refused one nothing else is left."""
    lease = reservation.lease
    said: Columns = {
        "organisation_id": organisation.id,
        "ledger_id": scope.ledger_id,
        "state": LinkState.RESERVED,
        "status": LinkStatus.NOT_CREATED,
        "refusal": None,
        "api_version": API_VERSION,
        "requested_by": reservation.by.user_id,
        "reserved_at": reservation.now,
        "changed_at": reservation.now,
        "attempts": 0,
        "look_first": False,
        "first_sent_at": None,
        "last_sent_at": None,
        "next_attempt_at": reservation.clock,
        "owner": lease and lease.owner,
        "lease_until": lease and reservation.clock + lease.length,
    }
    return {_common[name].key: value for name, value in said.items()}
