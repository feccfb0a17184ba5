"""What the three places say in the end: the database, Stripe and Slack, each row of it."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.models import (
    BulkRun,
    Invoice,
    Link,
    Organisation,
    OutboxMessage,
    Payment,
    PaymentException,
    StripeEvent,
)
from domain.states import AnnouncementKind, ExceptionKind, LinkState
from tests.faults.feed import FeedBooks, read_feed
from tests.faults.processes import Ground
from tests.faults.reversals import ReversalBooks, read_reversals

Json = dict[str, Any]


@dataclass(frozen=True)
class LinkRow:
    number: str
    state: str
    status: str
    stripe_id: str | None
    amount: int
    currency: str


@dataclass(frozen=True)
class Books:
    """What the database says."""

    links: list[LinkRow]
    payments: list[tuple[str, str, str | None]]
    """Session, verdict and the link's id at Stripe."""
    exceptions: list[tuple[str, str | None]]
    outbox: list[tuple[str, str, str, str, str]]
    """Key, kind, state, where it belongs, subject."""
    paid: dict[str, tuple[str, int]]
    """By the key of the message that tells it: the number and the id of the invoice that was paid."""
    invoices: dict[str, str]
    """The status that each number shows."""
    runs_unfinished: int


@dataclass(frozen=True)
class Evidence:
    """Everything, at one moment at which nothing goes on any more."""

    books: Books
    links: list[Json]
    sessions: list[Json]
    disputes: list[Json]
    refunds: list[Json]
    reversals: ReversalBooks
    feed: FeedBooks
    channels: dict[str, list[Json]]
    direct: list[Json]


async def gather(ground: Ground, db: Database) -> Evidence:
    state = await ground.slack.get("state")
    channels = state["workspaces"][0]["channels"]
    direct = [
        message
        for channel in channels
        if channel["kind"] == "im"
        for message in await ground.slack.get("messages", channel=channel["id"])
    ]
    return Evidence(
        books=await db.read(read_books),
        links=await ground.stripe.get("links"),
        sessions=[s for s in await ground.stripe.get("sessions") if s["status"] == "complete"],
        disputes=await ground.stripe.get("disputes"),
        refunds=await ground.stripe.get("refunds"),
        reversals=await db.read(read_reversals),
        feed=await db.read(read_feed),
        channels={one: await ground.slack.get("messages", channel=one) for one in ground.channels},
        direct=direct,
    )


def read_books(session: Session) -> Books:
    links = session.execute(
        sa.select(Link, Invoice.number).join(Invoice, Invoice.id == Link.invoice_id).order_by(Link.id)
    )
    payments = session.execute(
        sa.select(Payment.session_id, Payment.verdict, Link.stripe_id).join(Link, Link.id == Payment.link_id)
    )
    exceptions = session.execute(
        sa.select(PaymentException.kind, Link.stripe_id)
        .join(Link, Link.id == PaymentException.link_id)
        # A message that can't be delivered is told of nowhere but in the list.
        .where(PaymentException.kind != ExceptionKind.UNDELIVERABLE)
    )
    outbox = session.execute(
        sa.select(OutboxMessage, Organisation.channel)
        .join(Organisation, Organisation.id == OutboxMessage.organisation_id)
        .order_by(OutboxMessage.id)
    )
    paid = session.execute(
        sa.select(OutboxMessage.key, Invoice.number, Invoice.id)
        .join(Payment, Payment.id == OutboxMessage.payment_id)
        .join(Link, Link.id == Payment.link_id)
        .join(Invoice, Invoice.id == Link.invoice_id)
        .where(OutboxMessage.kind == AnnouncementKind.PAID)
    )
    unfinished = sa.select(sa.func.count()).select_from(BulkRun).where(BulkRun.finished_at.is_(None))
    return Books(
        links=[
            LinkRow(
                number,
                link.state,
                link.status,
                link.stripe_id,
                link.amount,
                link.currency,
            )
            for link, number in links
        ],
        payments=[(row[0], row[1], row[2]) for row in payments],
        exceptions=[(row[0], row[1]) for row in exceptions],
        outbox=[
            (one.key, one.kind, one.state, one.destination or str(channel), one.subject)
            for one, channel in outbox
        ],
        paid={row[0]: (row[1], row[2]) for row in paid},
        invoices={row[0]: row[1] for row in session.execute(sa.select(Invoice.number, Invoice.status))},
        runs_unfinished=session.scalars(unfinished).one(),
    )


def count_open(session: Session, ledger_id: int | None = None) -> tuple[int, int, int]:
    """Work that is still to be done: links, events and messages. ``ledger_id``: what isn't of another account."""
    of_ledger = [
        sa.true() if ledger_id is None else table.ledger_id == ledger_id for table in (Link, StripeEvent)
    ]

    def count(table: type[Link | StripeEvent | OutboxMessage], condition: sa.ColumnElement[bool]) -> int:
        return session.scalars(sa.select(sa.func.count()).select_from(table).where(condition)).one()

    return (
        count(Link, sa.and_(of_ledger[0], Link.state == "reserved")),
        count(StripeEvent, sa.and_(of_ledger[1], StripeEvent.settled_at.is_(None))),
        count(OutboxMessage, OutboxMessage.state.in_(["waiting", "sending"])),
    )


def list_open(session: Session) -> list[str]:
    """What count_open counts."""
    links = sa.select(Link).where(Link.state == LinkState.RESERVED)
    events = sa.select(StripeEvent).where(StripeEvent.settled_at.is_(None))
    messages = sa.select(OutboxMessage).where(OutboxMessage.state.in_(["waiting", "sending"]))
    return [
        *(f"link {one.id}, {one.attempts} attempts" for one in session.scalars(links)),
        *(f"event {one.id}, {one.type}, waits for {one.waits_for}" for one in session.scalars(events)),
        *(f"message {one.key}, {one.state}, {one.attempts} attempts" for one in session.scalars(messages)),
    ]


async def count_behind(ground: Ground, db: Database) -> int:
    """Refunds and disputes that are in another state at Stripe than here."""
    statuses = (await db.read(read_reversals)).statuses
    there = await ground.stripe.get("refunds") + await ground.stripe.get("disputes")
    return sum(statuses.get(one["id"]) != one["status"] for one in there)


def count_payments(session: Session) -> int:
    return session.scalars(sa.select(sa.func.count()).select_from(Payment)).one()
