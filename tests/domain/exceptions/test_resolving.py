"""Exceptions end once: by a person with a reason, or by themselves; and it is told in the thread."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.errors import AlreadyResolved, ExceptionNotFound, ReasonUnusable
from domain.exceptions import listing
from domain.exceptions.opening import Opening, open_once, open_state
from domain.exceptions.resolving import resolve, settle, settle_all
from domain.models import AuditEntry, Link, OutboxMessage, PaymentException
from domain.money import Money
from domain.scope import Scope
from domain.states import AnnouncementKind, ExceptionKind, FollowUp, Settlement
from domain.summaries import ExceptionFacts
from tests.domain.factories import NOW, make_invoice, make_ledger, make_link, make_organisation

KIND = ExceptionKind.SECOND_PAYMENT

SCOPE = Scope(1, 1, False)
OTHER = Scope(2, 1, False)


@pytest.fixture
def link(db: Database) -> int:
    return make_link(db, make_invoice(db, "INV-1"))


def opened(db: Database, link_id: int, key: str = "a", kind: ExceptionKind = KIND) -> int | None:
    def work(session: Session) -> int | None:
        link = session.get_one(Link, link_id)
        opening = Opening(kind, key, link.ledger_id, Money(5, "USD"), link=link)
        return open_once(session, opening, NOW)

    return db.run(work)


def ended(db: Database, exception_id: int | None, reason: str = "Refunded it", by: str = "U0ADA") -> None:
    assert exception_id is not None
    db.run(resolve, 1, exception_id, reason, by=by, now=NOW)


def messages(db: Database) -> list[tuple[AnnouncementKind, FollowUp | None, int | None]]:
    found = sa.select(OutboxMessage.kind, OutboxMessage.says, OutboxMessage.follows_id).order_by(
        OutboxMessage.id
    )
    return db.run(lambda session: [tuple(row) for row in session.execute(found)])  # type: ignore[misc]


def flag(db: Database, link_id: int) -> bool:
    return db.run(lambda session: session.get_one(Link, link_id).exception)


def test_a_fact_is_written_down_and_told_once(db: Database, link: int) -> None:
    assert opened(db, link) is not None
    assert opened(db, link) is None
    assert opened(db, link, "b") is not None
    assert [kind for kind, _, _ in messages(db)] == [AnnouncementKind.EXCEPTION] * 2
    assert flag(db, link)


def test_a_person_resolves_with_a_reason_and_it_is_told_in_the_thread(db: Database, link: int) -> None:
    exception_id = opened(db, link)
    ended(db, exception_id, "  Refunded it \n")
    assert exception_id is not None
    found = db.run(listing.get, SCOPE, exception_id)
    assert found.resolution is not None
    assert (found.resolution.at, found.resolution.by, found.resolution.reason) == (
        NOW,
        "U0ADA",
        "Refunded it",
    )
    assert messages(db)[1] == (AnnouncementKind.FOLLOW_UP, FollowUp.RESOLVED, 1)
    assert not flag(db, link)
    entries = sa.select(AuditEntry.actor, AuditEntry.subject).where(AuditEntry.action == "exception.resolve")
    assert db.run(lambda session: [tuple(row) for row in session.execute(entries)]) == [
        ("U0ADA", f"exception {exception_id} second_payment")
    ]


def test_the_second_reads_that_another_was_first(db: Database, link: int) -> None:
    exception_id = opened(db, link)
    ended(db, exception_id)
    # The same click delivered twice.
    ended(db, exception_id)
    for reason, by in (("Another", "U0ADA"), ("Refunded it", "U0BEN")):
        with pytest.raises(AlreadyResolved):
            ended(db, exception_id, reason, by)
    assert len(messages(db)) == 2


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 501, "a\0b"])
def test_a_reason_is_needed_and_isnt_endless(db: Database, link: int, reason: str) -> None:
    exception_id = opened(db, link)
    with pytest.raises(ReasonUnusable):
        ended(db, exception_id, reason)


def test_another_organisations_exception_isnt_found(db: Database, link: int) -> None:
    exception_id = opened(db, link)
    assert exception_id is not None
    other = make_organisation(db, "T0OTHER")
    for attempt in (
        lambda: db.run(resolve, other, exception_id, "x", by="U0EVE", now=NOW),
        lambda: db.run(resolve, 1, exception_id + 100, "x", by="U0ADA", now=NOW),
        lambda: db.run(listing.get, Scope(2, 1, False), exception_id),
    ):
        with pytest.raises(ExceptionNotFound):
            attempt()


def test_what_ended_by_itself_says_so_and_a_person_comes_too_late(db: Database, link: int) -> None:
    exception_id = opened(db, link)
    assert exception_id is not None
    assert db.run(settle, exception_id, Settlement.REFUNDED, NOW, broadcast=True)
    assert not db.run(settle, exception_id, Settlement.REFUNDED, NOW)
    with pytest.raises(AlreadyResolved):
        ended(db, exception_id)
    [(_, _, _), (kind, says, follows)] = messages(db)
    assert (kind, says, follows) == (AnnouncementKind.FOLLOW_UP, FollowUp.RESOLVED, 1)


def test_the_word_stays_while_another_is_open(db: Database, link: int) -> None:
    first, second = opened(db, link), opened(db, link, "b")
    ended(db, first)
    assert flag(db, link)
    ended(db, second)
    assert not flag(db, link)


def test_a_refund_has_its_badge_and_not_the_word(db: Database, link: int) -> None:
    opened(db, link, kind=ExceptionKind.REFUNDED)
    assert not flag(db, link)


def test_all_of_a_kind_are_settled_and_no_others(db: Database, link: int) -> None:
    for key, kind in (("a", KIND), ("b", KIND), ("c", ExceptionKind.LINK_DEACTIVATED)):
        opened(db, link, key, kind)
    assert db.run(settle_all, [KIND], Settlement.REFUNDED, NOW, link_id=link) == 2
    assert db.run(settle_all, [KIND], Settlement.REFUNDED, NOW, link_id=link) == 0
    assert db.run(listing.count_open, SCOPE) == 1


def test_a_state_is_open_once_and_may_open_again(db: Database, link: int) -> None:
    def so(session: Session, amount: int) -> int | None:
        row = session.get_one(Link, link)
        facts = ExceptionFacts(expected=Money(1, "USD"))
        opening = Opening(
            ExceptionKind.AMOUNT_CHANGED,
            f"amount_changed:{link}",
            1,
            Money(amount, "USD"),
            link=row,
            facts=facts,
        )
        return open_state(session, opening, NOW)

    first = db.run(so, 7)
    assert first is not None
    assert db.run(so, 8) is None
    assert db.run(listing.get, SCOPE, first).amount == Money(8, "USD")
    ended(db, first)
    again = db.run(so, 9)
    assert again not in (None, first)
    assert len([kind for kind, _, _ in messages(db) if kind is AnnouncementKind.EXCEPTION]) == 2


def test_what_is_of_no_link_that_is_known_belongs_to_its_organisation(db: Database) -> None:
    organisation_id, ledger_id = make_organisation(db), make_ledger(db)
    opening = Opening(
        ExceptionKind.PAYMENT_UNKNOWN,
        "payment:cs_1",
        ledger_id,
        Money(5, "USD"),
        organisation_id=organisation_id,
        number="INV-77",
    )
    exception_id = db.run(open_once, opening, NOW)
    assert exception_id is not None
    found = db.run(listing.get, SCOPE, exception_id)
    assert (found.number, found.invoice_id, found.buyer_name) == ("INV-77", None, None)
    ended(db, exception_id)


def test_the_database_refuses_an_end_without_anybody(db: Database, link: int) -> None:
    exception_id = opened(db, link)
    with pytest.raises(sa.exc.IntegrityError):
        db.run(
            lambda session: session.execute(
                sa.update(PaymentException).filter_by(id=exception_id).values(resolved_at=NOW)
            )
        )
