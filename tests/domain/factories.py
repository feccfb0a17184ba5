"""Rows for tests, with everything that a test doesn't care about already said. All return the row's id."""

import itertools
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database, insert_into
from domain.invoices.list_position import place
from domain.invoices.numbers.keys import identity_of, written_key
from domain.invoices.search_terms import own_terms, shared_terms, terms_of_buyer, terms_of_number
from domain.lists.page_shape import PageShape
from domain.models import BuyerTerm, Invoice, Ledger, Link, Organisation, Payment, SearchTerm
from domain.outbox import enqueuing
from domain.states import AnnouncementKind, LinkState, LinkStatus, Verdict

PAGE = PageShape(rows=90, ticks_in_row=10, invoices=100)
NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
TEAM = "T0PAYLINK"
_counter = itertools.count(1)


def make_organisation(db: Database, team_id: str = TEAM, **values: object) -> int:
    """An organisation with the add-on and a channel; one that is there becomes so."""
    return db.run(_set_up, team_id, values)


def _set_up(session: Session, team_id: str, values: dict[str, object]) -> int:
    wanted = {"name": "Paylink Test", "add_on": True, "channel": "C0PAYMENTS", **values}
    known = session.scalar(sa.select(Organisation).where(Organisation.team_id == team_id))
    organisation = known or Organisation(team_id=team_id)
    for name, value in wanted.items():
        setattr(organisation, name, value)
    return _add_organisation(session, organisation)


def make_ledger(db: Database, **values: object) -> int:
    """The current ledger of all organisations: a test-mode account."""
    defaults: dict[str, object] = {"account": "acct_1", "livemode": False, "current": True, "used_at": NOW}
    return db.run(_add_ledger, Ledger(**defaults | values))


def make_invoice(db: Database, number: str | None = None, **values: Any) -> int:
    """An invoice without a link; without ``organisation_id`` it is of the organisation TEAM, made when missing."""
    return db.run(add_invoice, number, **values)


def make_invoices(db: Database, numbers: Iterable[str | None], **values: Any) -> list[int]:
    """As make_invoice, many in one transaction."""
    return db.run(lambda session: [add_invoice(session, number, **values) for number in numbers])


def add_invoice(
    session: Session,
    number: str | None = None,
    *,
    organisation_id: int | None = None,
    amount: int = 120_050,
    currency: str = "USD",
    buyer_name: str = "Acme Corporation",
    buyer_email: str = "billing@acme.example",
    issue_date: date | None = date(2026, 10, 31),
    due_date: date | None = date(2026, 11, 30),
    description: str = "",
) -> int:
    """As make_invoice, in a transaction with others."""
    number = number or f"INV-{next(_counter) + 1000}"
    invoice = Invoice(
        organisation_id=organisation_id or home_organisation(session),
        number=number.strip(),
        number_key=written_key(number),
        identity=identity_of(number),
        buyer_name=buyer_name,
        buyer_email=buyer_email,
        amount=amount,
        currency=currency,
        issue_date=issue_date,
        due_date=due_date,
        description=description,
    )
    place(invoice, None)
    _add(session, invoice)
    add_terms(session, invoice)
    return invoice.id


def add_terms(session: Session, invoice: Invoice) -> None:
    """Those that a search finds it by."""
    owner = {"organisation_id": invoice.organisation_id}
    own = own_terms(invoice.number_key, invoice.buyer_name)
    if rows := [owner | {"term": term, "invoice_id": invoice.id} for term in own]:
        session.execute(sa.insert(SearchTerm), rows)
    shared = shared_terms(invoice.buyer_name)
    if rows := [owner | {"term": term, "buyer_name": invoice.buyer_name} for term in shared]:
        session.execute(insert_into(session, BuyerTerm).on_conflict_do_nothing(), rows)


def terms_of(number_key: str, buyer_name: str) -> set[str]:
    """All that a search should find such an invoice by: what it looks for is the beginning of one of them."""
    return {*terms_of_number(number_key), *terms_of_buyer(buyer_name)}


def kept_terms(session: Session, invoice: Invoice) -> set[str]:
    """All that a search finds the invoice by, besides its number."""
    own = session.scalars(sa.select(SearchTerm.term).filter_by(invoice_id=invoice.id))
    of_buyer = session.scalars(
        sa.select(BuyerTerm.term).filter_by(
            organisation_id=invoice.organisation_id, buyer_name=invoice.buyer_name
        )
    )
    return {*own, *of_buyer}


def make_link(
    db: Database,
    invoice_id: int,
    *,
    ledger_id: int | None = None,
    state: LinkState = LinkState.CREATED,
    **values: object,
) -> int:
    """A link of the current ledger (made when missing), waiting for payment, or paid with ``status=LinkStatus.PAID``."""

    def add(session: Session) -> int:
        invoice = session.get_one(Invoice, invoice_id)
        ledger = session.get_one(Ledger, ledger_id) if ledger_id else _current_ledger(session)
        unique = next(_counter)
        link = Link(
            organisation_id=invoice.organisation_id,
            invoice_id=invoice.id,
            ledger_id=ledger.id,
            state=state,
            status=LinkStatus.NOT_CREATED,
            amount=invoice.amount,
            currency=invoice.currency,
            reference=f"reference-{unique}",
            idempotency_key=f"key-{unique}",
            request="{}",
            api_version="2026-01-01",
            requested_by="U0ALICE",
            reserved_at=NOW,
            next_attempt_at=NOW,
            changed_at=NOW,
        )
        if state is LinkState.CREATED:
            link.status = LinkStatus.PENDING_PAYMENT
            link.stripe_id = f"plink_{unique}"
            link.url = f"https://buy.stripe.com/test_{unique}"
            link.created_at = NOW
        if values.get("status") is LinkStatus.PAID:
            link.paid_at = NOW + timedelta(hours=1)
            link.amount_received = invoice.amount
            link.stripe_payment = f"pi_{unique}"
        for name, value in values.items():
            setattr(link, name, value)
        if ledger.id == session.get_one(Organisation, invoice.organisation_id).ledger_id:
            place(invoice, link)
        return _add(session, link)

    return db.run(add)


def make_payment(db: Database, link_id: int, *, session_id: str | None = None) -> int:
    """A payment of this link, as it is recorded, with its announcement."""

    def add(session: Session) -> int:
        link = session.get_one(Link, link_id)
        payment = Payment(
            link_id=link.id,
            ledger_id=link.ledger_id,
            session_id=session_id or f"cs_{link.id}",
            amount=link.amount,
            currency=link.currency,
            verdict=Verdict.PAID,
            paid_at=NOW,
            seen_at=NOW,
        )
        payment_id = _add(session, payment)
        enqueuing.enqueue(
            session,
            AnnouncementKind.PAID,
            f"paid:{payment_id}",
            organisation_id=link.organisation_id,
            now=NOW,
            payment_id=payment_id,
        )
        return payment_id

    return db.run(add)


def _add(session: Session, row: Organisation | Ledger | Invoice | Link | Payment) -> int:
    session.add(row)
    session.flush()
    return row.id


def home_organisation(session: Session) -> int:
    """The organisation TEAM, made when missing."""
    known = session.scalar(sa.select(Organisation.id).where(Organisation.team_id == TEAM))
    made = Organisation(team_id=TEAM, name="Paylink Test", channel="C0PAYMENTS")
    return known or _add_organisation(session, made)


def _add_organisation(session: Session, organisation: Organisation) -> int:
    if organisation.ledger_id is None:
        organisation.ledger_id = session.scalar(sa.select(Ledger.id).where(Ledger.current))
    return _add(session, organisation)


def _add_ledger(session: Session, ledger: Ledger) -> int:
    _add(session, ledger)
    if ledger.current:
        session.execute(sa.update(Organisation).values(ledger_id=ledger.id))
    return ledger.id


def _current_ledger(session: Session) -> Ledger:
    known = session.scalar(sa.select(Ledger).where(Ledger.current))
    if known is None:
        known = Ledger(account="acct_1", livemode=False, current=True, used_at=NOW)
        _add_ledger(session, known)
    return known
