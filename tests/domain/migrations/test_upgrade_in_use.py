"""The schema is brought up to date while processes of the version before work on it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import migrations
from domain.database import Database
from domain.files import importing
from domain.migrations import REVISIONS, SchemaTooOld, check, upgrade
from domain.models import Invoice, Link, OutboxMessage, Payment, SearchTerm, StripeEvent
from domain.models.sums import RECEIVED
from domain.organisations import organisations
from domain.overview import sums
from domain.states import LinkStatus
from tests.domain.factories import NOW, TEAM, terms_of
from tests.domain.files.test_importing import line
from tests.domain.migrations.first_schema import make_first
from tests.domain.migrations.upgrades import at_work, in_use, opened, opened_before, organisations_before


@pytest.fixture
def old(blank_database_url: str) -> Iterator[Database]:
    """A database of the first version, with rows in every table."""
    db = Database(blank_database_url)
    make_first(db.engine)
    yield db
    db.close_now()


def test_no_write_is_lost_and_everybody_goes_on(
    old: Database, blank_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_use.importing, "CHUNK_ROWS", 200)
    with opened_before(blank_database_url) as serving, opened_before(blank_database_url) as beside:
        organisation = serving.run(organisations_before.get_by_team, TEAM)
        imports = in_use.Importing(beside, organisation)
        billing = [in_use.Billing(serving, organisation, name) for name in ("ann", "bob")]
        posting = in_use.Posting(serving)
        writers = [imports, *billing, posting, in_use.Reading(serving)]
        with at_work(*writers):
            assert upgrade(old.engine)

    check(old.engine)
    old.run(_imported, imports.written)
    old.run(_billed, [key for one in billing for key in one.written])
    # What was paid before, meanwhile and afterwards is in what is kept, each once.
    monkeypatch.setattr(sums, "RECEIVED_KEPT", timedelta(days=36_500))
    assert [one for one in old.run(sums.compare, 1) if one.kept is RECEIVED] == []
    posted = old.run(lambda session: session.scalars(sa.select(OutboxMessage.key).filter_by(state="posted")))
    assert set(posting.written) <= set(posted)
    # Locks are held for moments: hardly anybody had to try again.
    assert sum(writer.troubles for writer in writers) <= 1


def test_what_the_version_before_writes_after_the_upgrade_is_found_by_an_import(
    old: Database, blank_database_url: str
) -> None:
    upgrade(old.engine)
    organisation = old.run(organisations.get_by_team, TEAM)
    with opened_before(blank_database_url) as beside:
        for number in ("INV\u20119", "Ä-9"):
            in_use.importing.take(beside, organisation, [in_use.imported(number.casefold())], now=in_use.NOW)
        lines = [line("INV-9", amount=7), line("A\u0308-9", amount=7)]
        assert importing.take(old, organisation, lines, now=NOW) == importing.ImportResult(updated=2)
        # It finds what the new one keeps in its own form.
        in_use.importing.take(beside, organisation, [in_use.imported("inv\u20119")], now=in_use.NOW)
    kept = old.run(
        lambda s: [
            (i.number, i.amount, i.identity)
            for i in s.scalars(sa.select(Invoice).where(Invoice.identity.is_not(None)).order_by(Invoice.id))
        ]
    )
    assert kept == [("inv\u20119", in_use.SEEN.amount, "inv-9"), ("ä-9", 7, "ä-9")]


def _imported(session: Session, keys: list[str]) -> None:
    kept = {row.number_key: row.id for row in session.execute(sa.select(Invoice.number_key, Invoice.id))}
    terms: dict[int, set[str]] = {}
    for invoice_id, term in session.execute(sa.select(SearchTerm.invoice_id, SearchTerm.term)):
        terms.setdefault(invoice_id, set()).add(term)
    for key in keys:
        assert terms.get(kept[key]) == terms_of(key, in_use.imported(key).buyer_name)


def _billed(session: Session, keys: list[str]) -> None:
    _imported(session, keys)
    paid = set(session.scalars(sa.select(Link.stripe_id).where(Link.status == LinkStatus.PAID)))
    events = set(session.scalars(sa.select(StripeEvent.id)))
    told = set(
        session.scalars(
            sa.select(Payment.session_id).join(OutboxMessage, OutboxMessage.payment_id == Payment.id)
        )
    )
    for key in keys:
        assert {f"plink_{key}"} <= paid
        assert {f"evt_{key}"} <= events
        assert {f"cs_{key}"} <= told


def test_nothing_is_done_twice_by_two_who_upgrade_at_once(
    blank_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    run = migrations._run

    def counted(connection: sa.Connection, revision: str) -> None:
        run(connection, revision)
        done.append(revision)

    with opened(blank_database_url) as one, opened(blank_database_url) as other:
        make_first(one.engine)
        monkeypatch.setattr(migrations, "_run", counted)
        with ThreadPoolExecutor(2) as threads:
            did = list(threads.map(upgrade, [one.engine, other.engine]))
        check(one.engine)
        assert tuple(done) == REVISIONS[1:]
        assert any(did)
        with one.engine.connect() as connection:
            assert connection.execute(sa.text("SELECT count(*) FROM alembic_version")).scalar() == 1


def test_an_upgrade_that_was_killed_between_two_versions_goes_on_where_it_was(
    blank_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(blank_database_url) as db:
        make_first(db.engine)
        run = migrations._run

        def killed(connection: sa.Connection, revision: str) -> None:
            run(connection, revision)
            raise KeyboardInterrupt

        monkeypatch.setattr(migrations, "_run", killed)
        with pytest.raises(KeyboardInterrupt):
            upgrade(db.engine)
        with pytest.raises(SchemaTooOld, match="0001"):
            check(db.engine)
        assert len(sa.inspect(db.engine).get_foreign_keys("search_terms")) == 2
        monkeypatch.setattr(migrations, "_run", run)
        assert upgrade(db.engine)
        check(db.engine)
        assert sa.inspect(db.engine).get_foreign_keys("search_terms") == []
