"""What must have come of all acts, once everything works again: what was promised and paid, compared with all three places."""

from collections import Counter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.messages.summaries import Announcement
from domain.models import Invoice, Link
from domain.states import AnnouncementKind, LinkStatus
from tests.faults import evidence, reversals
from tests.faults.modelled import INVOICES, OTHER, Modelled


def has_no_second_link(model: Modelled) -> None:
    """No invoice has two, in either account."""
    for account in (model.stripe.account, OTHER):
        links = model.stripe.objects("payment_link", account=account)
        made = Counter(link["metadata"]["invoice_number"] for link in links)
        assert all(count == 1 for count in made.values()), made


def told_nothing_twice(model: Modelled) -> None:
    """A restored database doesn't know what was posted."""
    posted = Counter(_subject(one) for one in model.slack.told(model.restored_at or 0) if one.bulk is None)
    assert all(count == 1 for count in posted.values()), posted


def compare_links(model: Modelled) -> None:
    """Those of the account that is configured, at Stripe and here."""
    has_no_second_link(model)
    promises, ledger_id = model.promises[model.account], model.process.accounts.get(1).ledger_id
    rows = model.db.run(_read_links, ledger_id)
    created = {int(number.partition("-")[2]): (link, status) for number, link, status in rows}
    at_stripe = {
        number_of(link): link["id"] for link in model.stripe.objects("payment_link", account=model.account)
    }
    assert promises.surely <= created.keys()
    assert created.keys() <= promises.surely | promises.perhaps
    assert {n: link for n, (link, _) in created.items()} == at_stripe, model.account
    for n in range(INVOICES):
        paid = model.account == model.stripe.account and model.fitting[n]
        waiting = LinkStatus.PAID if paid else LinkStatus.PENDING_PAYMENT
        expected = waiting if n in created else LinkStatus.NOT_CREATED
        assert model.db.run(_read_status, f"INV-{n}") == expected


def compare_all(model: Modelled) -> None:
    """Payments, badges, exceptions and messages."""
    told_nothing_twice(model)
    books = model.db.run(evidence.read_books)
    verdicts = Counter(verdict for _, verdict, _ in books.payments)
    completed = model.fitting.total() + model.wrong.total()
    paid = sum(1 for n in model.fitting if model.fitting[n])
    assert verdicts.total() == completed
    assert verdicts["paid"] == paid
    assert verdicts.total() - paid == sum(kind in reversals.SURPLUS for kind, _ in books.exceptions)
    found = reversals.compare(
        model.db.run(reversals.read_reversals),
        {session_id: verdict for session_id, verdict, _ in books.payments},
        [one for one in model.stripe.objects("checkout.session") if one["status"] == "complete"],
        model.stripe.objects("refund"),
        model.stripe.objects("dispute"),
    )
    differences = list(found)
    assert differences == []
    kinds = Counter(one.kind.value for one in model.slack.told())
    told = {one.key for one in model.slack.posted if one.bulk is not None}
    if model.restored_at is None:
        assert kinds["paid"] == paid
        assert kinds["exception"] == len(books.exceptions)
        assert len(told) >= model.runs or OTHER in model.promises
    else:
        # What was told after the backup is told again.
        assert kinds["paid"] >= paid
        assert kinds["exception"] >= len(books.exceptions)
    # What was promised and isn't of this account waits there until its key is back.
    assert books.runs_unfinished == 0 or OTHER in model.promises


def number_of(about: dict[str, Any]) -> int:
    """The invoice that Stripe's object is about, by its place."""
    return int(about["metadata"]["invoice_number"].partition("-")[2])


def _subject(told: Announcement) -> str:
    """An invoice is paid once; those that are told together have one message's key."""
    if told.kind is not AnnouncementKind.PAID or told.invoice is None:
        return told.key
    return f"paid: {told.invoice.number}"


def _read_links(session: Session, ledger_id: int) -> list[tuple[str, str | None, LinkStatus]]:
    links = sa.select(Invoice.number, Link.stripe_id, Link.status).join(Link, Link.invoice_id == Invoice.id)
    return [(row[0], row[1], row[2]) for row in session.execute(links.where(Link.ledger_id == ledger_id))]


def _read_status(session: Session, number: str) -> LinkStatus:
    return session.scalars(sa.select(Invoice.status).where(Invoice.number == number)).one()
