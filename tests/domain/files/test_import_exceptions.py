"""An import that changes what a link asks for: an exception for each link that waits, and one message for all."""

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.exceptions import listing
from domain.exceptions.resolving import resolve
from domain.files.import_fields import ImportedInvoice
from domain.files.importing import take
from domain.models import Link, OutboxMessage
from domain.money import Money
from domain.organisations import organisations
from domain.scope import Scope
from domain.states import AnnouncementKind, ExceptionKind, LinkStatus
from domain.summaries import ExceptionSummary
from tests.domain.factories import NOW, TEAM, make_invoice, make_link

SCOPE = Scope(1, 1, False)


def line(number: int, amount: int, state: str = "open", description: str = "") -> ImportedInvoice:
    key = f"inv-{number}"
    return ImportedInvoice(
        number, key.upper(), key, "Acme Corporation", "", amount, "USD", None, None, description, state
    )


def imported(db: Database, *lines: ImportedInvoice) -> None:
    take(db, db.run(organisations.get_by_team, TEAM), lines, now=NOW)


def opens(db: Database) -> list[ExceptionSummary]:
    return list(db.run(listing.list_open, SCOPE).exceptions)


def told(db: Database) -> list[AnnouncementKind]:
    return db.run(lambda session: list(session.scalars(sa.select(OutboxMessage.kind))))


@pytest.fixture(autouse=True)
def links(db: Database) -> None:
    """INV-1 and INV-2 wait for payment, INV-3 is Paid, INV-4 has no link."""
    for number in (1, 2, 3, 4):
        invoice = make_invoice(db, f"INV-{number}", amount=100)
        if number < 4:
            make_link(db, invoice, status=LinkStatus.PAID if number == 3 else LinkStatus.PENDING_PAYMENT)


def test_each_link_that_waits_is_an_exception_and_the_import_one_message(db: Database) -> None:
    imported(db, *(line(number, 250) for number in (1, 2, 3, 4)))
    assert [(one.kind, one.number, one.amount, one.facts.expected) for one in opens(db)] == [
        (ExceptionKind.AMOUNT_CHANGED, number, Money(250, "USD"), Money(100, "USD"))
        for number in ("INV-1", "INV-2")
    ]
    assert told(db) == [AnnouncementKind.AMOUNTS_CHANGED]
    [message] = db.run(lambda session: list(session.scalars(sa.select(OutboxMessage))))
    assert message.batch is not None
    assert db.run(listing.of_batch, message.batch, 1)[1] == 2


def test_what_changes_nothing_about_the_amount_opens_nothing(db: Database) -> None:
    imported(db, line(1, 100, description="new"), line(5, 100))
    assert (opens(db), told(db)) == ([], [])


def test_an_amount_that_is_the_links_again_ends_it(db: Database) -> None:
    imported(db, line(1, 250))
    imported(db, line(1, 100))
    assert opens(db) == []
    assert told(db) == [AnnouncementKind.AMOUNTS_CHANGED, AnnouncementKind.FOLLOW_UP]


def test_another_change_is_told_anew_and_stands_in_the_place_of_the_one_before(db: Database) -> None:
    imported(db, line(1, 250))
    imported(db, line(1, 300))
    assert [one.amount for one in opens(db)] == [Money(300, "USD")]
    assert told(db) == [AnnouncementKind.AMOUNTS_CHANGED] * 2


def test_what_a_person_has_resolved_comes_back_only_with_another_amount(db: Database) -> None:
    imported(db, line(1, 250))
    db.run(resolve, 1, opens(db)[0].id, "Told the buyer", by="U0ADA", now=NOW)
    imported(db, line(1, 250, description="new"))
    assert opens(db) == []
    imported(db, line(1, 251))
    assert len(opens(db)) == 1


@pytest.mark.parametrize("state", ["settled", "void"])
def test_one_that_is_not_to_be_paid_any_more_is_one_while_its_link_waits(db: Database, state: str) -> None:
    imported(db, line(1, 100, state), line(4, 100, state))
    [one] = opens(db)
    assert (one.kind, one.number, one.facts.state) == (ExceptionKind.SETTLED_ELSEWHERE, "INV-1", state)
    imported(db, line(1, 100))
    assert opens(db) == []


@pytest.mark.parametrize("state", ["settled", "void"])
def test_a_link_that_is_off_is_somebodys_task_only_while_its_invoice_is_to_be_paid(
    db: Database, state: str
) -> None:
    imported(db, line(1, 100, state))
    off = sa.update(Link).where(Link.id == 1).values(active=False, badges="link_deactivated")
    db.run(lambda session: session.execute(off) and None)
    imported(db, line(1, 100))
    assert [(one.kind, one.number) for one in opens(db)] == [(ExceptionKind.LINK_DEACTIVATED, "INV-1")]
    imported(db, line(1, 100, state))
    assert opens(db) == []
    imported(db, line(1, 100))
    assert [one.kind for one in opens(db)] == [ExceptionKind.LINK_DEACTIVATED]


def test_a_dry_run_opens_nothing(db: Database) -> None:
    take(db, db.run(organisations.get_by_team, TEAM), [line(1, 250)], now=NOW, dry_run=True)
    assert (opens(db), told(db)) == ([], [])


def test_of_a_paid_link_an_import_only_ends_what_is_open(db: Database) -> None:
    imported(db, line(1, 250, "void"))
    paid = sa.update(Link).where(Link.exception).values(status=LinkStatus.PAID, paid_at=NOW)
    db.run(lambda session: session.execute(paid) and None)
    imported(db, line(1, 300, "settled"))
    assert [one.amount for one in opens(db)] == [Money(250, "USD"), Money(100, "USD")]
    imported(db, line(1, 100))
    assert opens(db) == []
