"""An invoice is locked before its link, whoever takes both: an import and a payment never wait for each other."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.exceptions.resolving import resolve
from domain.links import claiming
from domain.links.claiming import Intent, intent_of
from domain.links.known import Known
from domain.models import Invoice, Link
from domain.money import Money
from domain.payments.recording import read_session, record_payment
from domain.payments.reversals.recording import record_reversal
from domain.payments.reversals.reversals import ReversalFacts, ReversalKind
from domain.payments.session_pages import record_sessions
from domain.payments.stripe_links.states import LinkFacts, record_link
from domain.states import LinkState
from domain.stripe.errors import StripeRefused
from tests.domain.factories import NOW, make_invoice, make_link

SESSION = {
    "id": "cs_1",
    "object": "checkout.session",
    "payment_link": "plink_1",
    "status": "complete",
    "payment_status": "paid",
    "amount_total": 120_050,
    "currency": "usd",
    "created": 1_790_000_000,
    "livemode": False,
    "payment_intent": "pi_1",
}
Act = Callable[[Session, Link], Any]


def pay(session: Session, link: Link) -> object:
    return record_payment(session, read_session(SESSION), link.ledger_id, None, NOW)


def sweep(session: Session, link: Link) -> object:
    return record_sessions(session, link.ledger_id, [SESSION], NOW)


def switch_off(session: Session, link: Link) -> object:
    return record_link(
        session, LinkFacts("plink_1", active=False, completed=0, used_up=False), link.ledger_id, NOW
    )


def create(session: Session, link: Link) -> object:
    return claiming.record_created(session, link.id, "plink_1", "https://buy.example/1", NOW, NOW)


def refuse(session: Session, link: Link) -> object:
    intent: Intent = intent_of(link, NOW, Known(None, []))
    return claiming.record_refused(session, intent, "one", StripeRefused("too small", None), NOW)


def refund(session: Session, link: Link) -> object:
    facts = ReversalFacts("re_1", ReversalKind.REFUND, "pi_1", "succeeded", Money(5, "USD"), "", NOW)
    return record_reversal(session, facts, link.ledger_id, NOW, sure=False) is not None


def resolve_one(session: Session, link: Link) -> object:
    resolve(session, link.organisation_id, 1, "Dealt with", by="U0ADA", now=NOW)
    return True


def paid(session: Session, link_id: int) -> None:
    """With a second payment, which is exception 1."""
    link = session.get_one(Link, link_id)
    pay(session, link)
    record_payment(session, read_session(SESSION | {"id": "cs_2"}), link.ledger_id, None, NOW)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("act", "state"),
    [
        (pay, LinkState.CREATED),
        (sweep, LinkState.CREATED),
        (switch_off, LinkState.CREATED),
        (refund, LinkState.CREATED),
        (resolve_one, LinkState.CREATED),
        (create, LinkState.RESERVED),
        (refuse, LinkState.RESERVED),
    ],
)
def test_whoever_waits_for_the_invoice_does_not_hold_its_link(
    postgresql_url: str, act: Act, state: LinkState
) -> None:
    db = Database(postgresql_url)
    invoice_id = make_invoice(db)
    created = state is LinkState.CREATED
    more: dict[str, Any] = {"stripe_id": "plink_1"} if created else {"owner": "one"}
    link_id = make_link(db, invoice_id, state=state, **more)
    if act in (refund, resolve_one):
        db.run(paid, link_id)

    def other(session: Session) -> Any:
        return act(session, session.get_one(Link, link_id))

    def hold_invoice(session: Session) -> Any:
        """As an import does."""
        session.execute(sa.select(Invoice.id).where(Invoice.id == invoice_id).with_for_update(key_share=True))
        waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        begun = pool.submit(db.run, other)
        while not session.scalar(waiting):
            assert not begun.done()
        session.execute(sa.select(Link.id).where(Link.id == link_id).with_for_update(nowait=True))
        return begun

    with ThreadPoolExecutor(1) as pool:
        assert db.run(hold_invoice).result()
    db.close_now()
