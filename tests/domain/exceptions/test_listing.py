"""The list of exceptions: those with a deadline first, then the oldest, twenty a page, each organisation its own."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.exceptions import listing
from domain.exceptions.opening import Opening, open_once
from domain.exceptions.resolving import settle
from domain.models import Link
from domain.money import Money
from domain.scope import Scope
from domain.states import ExceptionKind, Settlement
from domain.summaries import ExceptionPage
from tests.databases import on_sqlite
from tests.domain.factories import NOW, make_invoice, make_ledger, make_link, make_organisation

DAY = timedelta(days=1)

SCOPE = Scope(1, 1, False)
OTHER = Scope(2, 1, False)


def opened(
    db: Database, link_id: int, key: str, *, seen_at: datetime = NOW, due_by: datetime | None = None
) -> int:
    def work(session: Session) -> int:
        link = session.get_one(Link, link_id)
        opening = Opening(
            ExceptionKind.DISPUTED,
            key,
            link.ledger_id,
            Money(5, "USD"),
            link=link,
            seen_at=seen_at,
            due_by=due_by,
        )
        made = open_once(session, opening, NOW)
        assert made is not None
        return made

    return db.run(work)


def test_a_deadline_goes_first_then_the_oldest(db: Database) -> None:
    link = make_link(db, make_invoice(db))
    late, early = opened(db, link, "a"), opened(db, link, "b", seen_at=NOW - DAY)
    far, near = (opened(db, link, f"due-{n}", due_by=NOW + n * DAY) for n in (9, 2))
    page = db.run(listing.list_open, SCOPE)
    assert [one.id for one in page.exceptions] == [near, far, early, late]
    assert page.exceptions[0].buyer_name == "Acme Corporation"
    assert page.exceptions[0].facts.expected == Money(120_050, "USD")


def test_twenty_stand_on_a_page_and_a_page_too_far_is_the_last(db: Database) -> None:
    link = make_link(db, make_invoice(db))
    ids = [opened(db, link, str(n)) for n in range(21)]
    first, last = db.run(listing.list_open, SCOPE, 0), db.run(listing.list_open, SCOPE, 7)
    assert ([one.id for one in first.exceptions], first.has_next, first.total) == (ids[:20], True, 21)
    assert ([one.id for one in last.exceptions], last.has_next, last.page) == (ids[20:], False, 1)
    for exception_id in ids:
        db.run(settle, exception_id, Settlement.DISPUTE_WON, NOW)
    assert db.run(listing.list_open, SCOPE, 3) == ExceptionPage((), 0, False, 0)


@on_sqlite
def test_one_of_a_kind_that_only_a_later_version_knows_is_shown_and_counted(db: Database) -> None:
    opened(db, make_link(db, make_invoice(db)), "a")
    later = sa.text("UPDATE payment_exceptions SET kind = 'link_haunted'")
    db.run(lambda session: session.execute(later))
    [shown] = db.run(listing.list_open, SCOPE).exceptions
    assert shown.kind is ExceptionKind.OTHER
    assert db.run(listing.count_kinds, SCOPE) == ((ExceptionKind.OTHER, 1),)


def test_others_exceptions_and_those_of_another_key_are_not_shown(db: Database) -> None:
    other = make_organisation(db, "T0OTHER")
    own = opened(db, make_link(db, make_invoice(db)), "own")
    opened(db, make_link(db, make_invoice(db, organisation_id=other)), "theirs")
    live = make_ledger(db, account="acct_2", livemode=True, current=False)
    opened(db, make_link(db, make_invoice(db), ledger_id=live), "live")
    assert [one.id for one in db.run(listing.list_open, OTHER).exceptions] == [own]
    assert db.run(listing.count_open, OTHER) == 1


def test_an_invoice_shows_its_open_ones_and_what_ended_within_ninety_days(db: Database) -> None:
    invoice = make_invoice(db)
    link = make_link(db, invoice)
    still, lately, long_ago = (opened(db, link, key) for key in "abc")
    opened(db, make_link(db, make_invoice(db)), "of another")
    db.run(settle, lately, Settlement.DISPUTE_WON, NOW - 89 * DAY)
    db.run(settle, long_ago, Settlement.DISPUTE_WON, NOW - 91 * DAY)
    opens, ended = db.run(listing.of_invoice, SCOPE, invoice, NOW)
    assert [one.id for one in opens] == [still]
    assert [one.id for one in ended] == [lately]
