"""The feed is read in order and whole, whoever writes meanwhile, and forgets only what it says that it forgot."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.feed import reading, recording
from domain.feed.reading import FeedForgotten, FeedPage, FeedUnknown
from domain.models import FeedEvent
from domain.scope import Scope
from domain.states import FeedKind
from tests.domain.factories import make_ledger, make_organisation


@pytest.fixture
def scope(db: Database) -> Scope:
    organisation_id = make_organisation(db)
    return Scope(organisation_id, make_ledger(db), livemode=False)


def record(session: Session, scope: Scope, what: str) -> None:
    recording.record(
        session,
        FeedKind.PAID,
        what,
        organisation_id=scope.organisation_id,
        ledger_id=scope.ledger_id,
        number=what,
        facts={"what": what},
    )


def read(db: Database, scope: Scope, after: int | None = None) -> FeedPage:
    db.run(reading.number, scope.organisation_id)
    return db.run(reading.read_page, scope, after)


def numbers_of(page: FeedPage) -> list[str | None]:
    return [event.invoice_number for event in page.events]


def test_each_fact_is_there_once_in_the_order_in_which_it_was_written(db: Database, scope: Scope) -> None:
    for what in ("b", "a", "b", "c"):
        db.run(record, scope, what)
    page = read(db, scope)
    assert numbers_of(page) == ["b", "a", "c"]
    assert [event.position for event in page.events] == [1, 2, 3]
    assert numbers_of(read(db, scope, 1)) == ["a", "c"]
    assert read(db, scope, page.last) == FeedPage((), 3, has_more=False)


def test_what_is_rolled_back_leaves_nothing(db: Database, scope: Scope) -> None:
    def fail(session: Session) -> None:
        record(session, scope, "lost")
        raise KeyError

    with pytest.raises(KeyError):
        db.run(fail)
    db.run(record, scope, "kept")
    assert numbers_of(read(db, scope)) == ["kept"]


@pytest.mark.postgres
def test_what_is_committed_late_comes_after_what_was_read(postgresql_url: str) -> None:
    db = Database(postgresql_url)
    scope = Scope(make_organisation(db), make_ledger(db), livemode=False)
    with Session(db.engine) as slow:
        record(slow, scope, "slow")
        db.run(record, scope, "fast")
        first = read(db, scope)
        assert numbers_of(first) == ["fast"]
        slow.commit()
    assert numbers_of(read(db, scope, first.last)) == ["slow"]
    db.close_now()


@pytest.mark.postgres
def test_two_who_number_at_once_give_no_position_twice(postgresql_url: str) -> None:
    db = Database(postgresql_url)
    scope = Scope(make_organisation(db), make_ledger(db), livemode=False)
    for what in "abc":
        db.run(record, scope, what)
    db.run(reading.number, scope.organisation_id)
    db.run(record, scope, "d")
    with Session(db.engine) as one:
        assert reading.number(one, scope.organisation_id) == 1
        db.run(record, scope, "e")
        with Session(db.engine) as other:
            other.execute(sa.text("SET LOCAL lock_timeout = '100ms'"))
            with pytest.raises(sa.exc.OperationalError):
                reading.number(other, scope.organisation_id)
        # Nothing of it shows before all of it does.
        assert numbers_of(db.run(reading.read_page, scope, None)) == ["a", "b", "c"]
        one.commit()
    assert numbers_of(read(db, scope, 3)) == ["d", "e"]
    db.close_now()


def test_pages_go_on_where_the_last_one_ended(db: Database, scope: Scope) -> None:
    for number in range(reading.PAGE + 3):
        db.run(record, scope, str(number))
    first = read(db, scope)
    assert (len(first.events), first.last, first.has_more) == (reading.PAGE, reading.PAGE, True)
    rest = read(db, scope, first.last)
    assert numbers_of(rest) == ["100", "101", "102"]
    assert not rest.has_more


def test_another_ledgers_events_are_passed_over_and_count(db: Database, scope: Scope) -> None:
    live = Scope(scope.organisation_id, make_ledger(db, livemode=True, current=False), livemode=True)
    db.run(record, scope, "test")
    db.run(record, live, "live")
    page = read(db, live)
    assert numbers_of(page) == ["live"]
    assert page.last == 2
    assert numbers_of(read(db, scope)) == ["test"]


def test_another_organisations_events_are_not_seen(db: Database, scope: Scope) -> None:
    other = Scope(make_organisation(db, team_id="T0OTHER"), scope.ledger_id, livemode=False)
    db.run(record, scope, "ours")
    assert read(db, other) == FeedPage((), 0, has_more=False)


async def test_only_the_beginning_is_forgotten_and_asking_for_it_is_told(db: Database, scope: Scope) -> None:
    for what in "abcd":
        db.run(record, scope, what)
    old = datetime.now(UTC) - timedelta(days=31)

    def age(session: Session) -> None:
        session.execute(sa.update(FeedEvent).where(FeedEvent.invoice_number.in_(list("abd"))).values(at=old))

    db.run(age)
    # Nobody has read any of it, so nothing is numbered yet.
    await reading.forget_old(db)
    page = read(db, scope)
    assert numbers_of(page) == ["c", "d"]
    assert numbers_of(read(db, scope, 2)) == ["c", "d"]
    with pytest.raises(FeedForgotten):
        read(db, scope, 1)
    with pytest.raises(FeedUnknown):
        read(db, scope, 5)


async def test_all_of_it_may_be_forgotten(db: Database, scope: Scope) -> None:
    db.run(record, scope, "a")
    db.run(
        lambda session: session.execute(
            sa.update(FeedEvent).values(at=datetime.now(UTC) - timedelta(days=31))
        )
    )
    await reading.forget_old(db)
    assert read(db, scope) == FeedPage((), 1, has_more=False)
    db.run(record, scope, "b")
    assert numbers_of(read(db, scope, 1)) == ["b"]


def test_what_is_forgotten_while_it_is_read_is_told(
    db: Database, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read may be its statements, each on its own."""
    for what in "abc":
        db.run(record, scope, what)
    db.run(reading.number, scope.organisation_id)
    monkeypatch.setattr(reading, "_deleted", lambda *_: 2)
    with pytest.raises(FeedForgotten):
        db.run(reading.read_page, scope, 1)
    assert numbers_of(db.run(reading.read_page, scope, 2)) == ["c"]
