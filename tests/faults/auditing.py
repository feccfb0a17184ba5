"""The three places that must agree in the end: the database, Stripe and Slack, compared row by row."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
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
from domain.states import AnnouncementKind, ExceptionKind, LinkState, LinkStatus
from tests.faults.feed import FeedBooks, compare_feed, read_feed
from tests.faults.processes import Ground
from tests.faults.reversals import ReversalBooks, compare, read_reversals

Json = dict[str, Any]
PAID_NUMBER = re.compile(r"^(?:\W*Paid: |• )invoice (\S+) of ", re.MULTILINE)


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
        books=await db.read(_read_books),
        links=await ground.stripe.get("links"),
        sessions=[s for s in await ground.stripe.get("sessions") if s["status"] == "complete"],
        disputes=await ground.stripe.get("disputes"),
        refunds=await ground.stripe.get("refunds"),
        reversals=await db.read(read_reversals),
        feed=await db.read(read_feed),
        channels={one: await ground.slack.get("messages", channel=one) for one in ground.channels},
        direct=direct,
    )


def _read_books(session: Session) -> Books:
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


def audit(evidence: Evidence, promised: Iterable[str]) -> list[str]:
    """Everything that isn't as promised, in sentences; none if all is well."""
    return [
        *_audit_links(evidence, promised),
        *_audit_payments(evidence),
        *compare(
            evidence.reversals,
            {session_id: verdict for session_id, verdict, _ in evidence.books.payments},
            evidence.sessions,
            evidence.refunds,
            evidence.disputes,
        ),
        *compare_feed(evidence.feed),
        *_audit_messages(evidence),
    ]


def _audit_links(evidence: Evidence, promised: Iterable[str]) -> Iterator[str]:
    made = Counter(link["metadata"].get("invoice_number") for link in evidence.links)
    yield from (
        f"invoice {number} has {count} links at Stripe" for number, count in made.items() if count > 1
    )
    known = {link.stripe_id: link for link in evidence.books.links if link.stripe_id}
    for link in evidence.links:
        ours = known.pop(link["id"], None)
        if ours is None:
            yield f"link {link['id']} of {link['metadata'].get('invoice_number')} is unknown to Paylink"
        elif ours.number != link["metadata"]["invoice_number"]:
            yield f"link {link['id']} was made for another invoice than {ours.number}"
    yield from (f"link {stripe_id} isn't at Stripe" for stripe_id in known)
    rows = Counter(link.number for link in evidence.books.links)
    yield from (f"invoice {number} has {count} rows" for number, count in rows.items() if count > 1)
    created = {link.number: link.status for link in evidence.books.links if link.state == LinkState.CREATED}
    yield from (
        f"link of {link.number} is still {link.state}"
        for link in evidence.books.links
        if link.state != LinkState.CREATED
    )
    yield from (f"promised link of {number} is missing" for number in sorted(set(promised) - created.keys()))
    for number, status in evidence.books.invoices.items():
        if status != created.get(number, LinkStatus.NOT_CREATED):
            yield f"invoice {number} shows {status}, its link {created.get(number)}"
    if evidence.books.runs_unfinished:
        yield f"{evidence.books.runs_unfinished} bulk runs are unfinished"


def _audit_payments(evidence: Evidence) -> Iterator[str]:
    verdicts = {session_id: verdict for session_id, verdict, _ in evidence.books.payments}
    if len(verdicts) != len(evidence.books.payments):
        yield "a session is recorded twice"
    rows = {link.stripe_id: link for link in evidence.books.links if link.stripe_id}
    fitting: Counter[str] = Counter()
    paid: Counter[str] = Counter()
    for session in evidence.sessions:
        verdict = verdicts.pop(session["id"], None)
        link = rows.get(session["payment_link"])
        if verdict is None or link is None:
            yield f"session {session['id']} isn't recorded"
            continue
        fits = (session["amount_total"], session["currency"].upper()) == (link.amount, link.currency)
        counts = fits and session["payment_status"] == "paid"
        fitting[session["payment_link"]] += counts
        paid[session["payment_link"]] += verdict == "paid"
        allowed = {"paid", "second_payment"} if counts else {"amount_differs", "currency_differs"}
        if verdict not in allowed | ({"second_payment"} if not fits else set()):
            yield f"session {session['id']} is recorded as {verdict}"
    yield from (f"session {session_id} is recorded but unknown to Stripe" for session_id in verdicts)
    for stripe_id, link in rows.items():
        if paid[stripe_id] != min(fitting[stripe_id], 1):
            yield f"link {stripe_id} has {fitting[stripe_id]} payments that fit and {paid[stripe_id]} recorded"
        if (link.status == LinkStatus.PAID) != (paid[stripe_id] == 1):
            yield f"link {stripe_id} is {link.status} with {paid[stripe_id]} payments"


def _audit_messages(evidence: Evidence) -> Iterator[str]:
    verdicts = Counter(verdict for _, verdict, _ in evidence.books.payments)
    kinds = Counter(kind for kind, _ in evidence.books.exceptions)
    for verdict in ("second_payment", "amount_differs", "currency_differs"):
        if kinds[verdict] != verdicts[verdict]:
            yield f"{verdicts[verdict]} times {verdict}, and {kinds[verdict]} exceptions"
    announced = [row for row in evidence.books.outbox if row[3] in evidence.channels]
    if len([row for row in announced if row[1] == "paid"]) != verdicts["paid"]:
        yield "payments and their announcements differ in number"
    if len([row for row in announced if row[1] == "exception"]) != len(evidence.books.exceptions):
        yield "exceptions and their announcements differ in number"
    posted = Counter(
        (channel, key)
        for channel, messages in evidence.channels.items()
        for key in _told(messages, evidence.books.paid)
    )
    for key, kind, state, channel, subject in announced:
        count = posted.pop((channel, key), 0)
        if state != "posted" or count != 1:
            yield f"{kind} message {subject} is {state} and stands in its channel {count} times"
    yield from (f"message {key} doesn't belong into {channel}" for channel, key in posted)
    in_person = Counter(_keys(evidence.direct))
    for key, kind, state, destination, subject in evidence.books.outbox:
        if destination not in evidence.channels and (state != "posted" or in_person[key] < 1):
            yield f"{kind} message {subject} to {destination} is {state} and arrived {in_person[key]} times"


def audit_order(evidence: Evidence) -> list[str]:
    """Whether each channel got its announcements in the order in which the facts were recorded.

    On SQLite alone: on PostgreSQL the numbers of rows are given before their transactions commit.
    """
    order = {row[0]: place for place, row in enumerate(evidence.books.outbox)}
    return [
        f"the messages in {channel} are out of order"
        for channel, messages in evidence.channels.items()
        if (places := [order[key] for key in _keys(messages) if key in order]) != sorted(places)
    ]


def _keys(messages: list[Json]) -> list[str]:
    payloads = ((message.get("metadata") or {}).get("event_payload") or {} for message in messages)
    return [payload["key"] for payload in payloads if isinstance(payload.get("key"), str)]


def _told(messages: list[Json], paid: dict[str, tuple[str, int]]) -> Iterator[str]:
    """The key of each thing that the messages tell: one may name several payments, each in words and with a button."""
    of_number = {number: (key, invoice_id) for key, (number, invoice_id) in paid.items()}
    for message in messages:
        for key in _keys([message]):
            if key not in paid:
                yield key
                continue
            named = [of_number.get(number, ("", 0)) for number in PAID_NUMBER.findall(message["text"])]
            buttons = [
                int(accessory["value"])
                for block in message["blocks"]
                if (accessory := block.get("accessory")) and accessory["text"]["text"] == "View Invoice"
            ]
            yield from (told for told, _ in named)
            if buttons != [invoice_id for _, invoice_id in named]:
                yield f"{key}, whose buttons are for other invoices"


def count_together(evidence: Evidence) -> int:
    """Payments that were told in a message with others."""
    told = [
        list(_told([one], evidence.books.paid)) for messages in evidence.channels.values() for one in messages
    ]
    return sum(len(keys) for keys in told if len(keys) > 1)


def extra_links(evidence: Evidence) -> int:
    """Links at Stripe beyond one an invoice."""
    made = Counter(link["metadata"].get("invoice_number") for link in evidence.links)
    return sum(count - 1 for count in made.values())


def extra_messages(evidence: Evidence) -> int:
    """Announcements in the channel beyond one each."""
    posted = Counter(
        key for messages in evidence.channels.values() for key in _told(messages, evidence.books.paid)
    )
    return sum(count - 1 for count in posted.values())
