"""The schema is brought up to date while processes of the version before work on it."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.orm import Session

from domain import migrations
from domain.database import Database
from domain.files import importing
from domain.migrations import REVISIONS, SchemaBusy, SchemaTooOld, check, upgrade
from domain.migrations.indexing import build_indexes, has_index
from domain.models import Base, Invoice, Link, OutboxMessage, Payment, SearchTerm, StripeEvent
from domain.models.sums import RECEIVED
from domain.organisations import organisations
from domain.overview import sums
from domain.states import LinkStatus
from tests.domain.factories import NOW, TEAM, terms_of
from tests.domain.files.test_importing import line
from tests.domain.migrations.first_schema import make_first
from tests.domain.migrations.version_before import load_beside

# What runs while the schema is brought up to date has the version before's code.
before, in_use, organisations_before = load_beside(
    "domain.database", "tests.domain.migrations.in_use", "domain.organisations.organisations"
)


@pytest.fixture
def old(blank_database_url: str) -> Iterator[Database]:
    """A database of the first version, with rows in every table."""
    db = Database(blank_database_url)
    make_first(db.engine)
    yield db
    db.close_now()


@contextlib.contextmanager
def opened(url: str) -> Iterator[Database]:
    """What a process has of the database."""
    db = Database(url)
    try:
        yield db
    finally:
        db.close_now()


@contextlib.contextmanager
def opened_before(url: str) -> Iterator[Any]:
    """What a process of the version before has of it."""
    db = before.Database(url)
    try:
        yield db
    finally:
        db.close_now()


@contextlib.contextmanager
def at_work(*writers: Any) -> Iterator[None]:
    """Each has begun, and each goes on afterwards."""
    for writer in writers:
        writer.start()
    try:
        for writer in writers:
            writer.wait_for(3)
        yield
        for writer in writers:
            writer.wait_for(3)
    finally:
        for writer in writers:
            writer.stop()
    assert [writer.failure for writer in writers] == [None] * len(writers)


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


@pytest.mark.postgres
def test_whoever_keeps_a_table_delays_the_upgrade_and_nobody_else(
    blank_postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup, for one, reads all tables in one long transaction."""
    monkeypatch.setattr(migrations, "PATIENCE", 0.6)
    with opened(blank_postgresql_url) as backup, opened_before(blank_postgresql_url) as serving:
        make_first(backup.engine)
        organisation = serving.run(organisations_before.get_by_team, TEAM)
        billing = in_use.Billing(serving, organisation, "ann")
        with backup.engine.connect() as connection:
            connection.execute(sa.text("SELECT count(*) FROM search_terms"))
            with at_work(billing), pytest.raises(SchemaBusy):
                upgrade(backup.engine)
            assert billing.troubles == 0
            with pytest.raises(SchemaTooOld, match="0001"):
                check(backup.engine)
        assert upgrade(backup.engine)


def test_a_sqlite_that_is_written_to_for_long_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "PATIENCE", 0.0)
    with opened(f"sqlite:///{tmp_path}/blank.db") as writing, opened(f"sqlite:///{tmp_path}/blank.db") as db:
        make_first(db.engine)
        with writing.engine.begin() as connection:
            connection.execute(sa.text("UPDATE organisations SET name = 'Held'"))
            with pytest.raises(SchemaBusy):
                upgrade(db.engine)
        assert upgrade(db.engine)


def test_an_upgrade_goes_on_after_a_moment_in_which_it_was_held_up(
    blank_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(blank_database_url) as other, opened(blank_database_url) as db:
        make_first(db.engine)
        held = threading.Event()
        with other.engine.connect() as connection:
            connection.execute(sa.text("UPDATE organisations SET name = 'Held'"))

            def let_go(seconds: float) -> None:
                connection.commit()
                held.set()

            monkeypatch.setattr("domain.migrations.time.sleep", let_go)
            assert upgrade(db.engine)
        assert held.is_set()


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


@pytest.mark.postgres
def test_an_index_whose_building_was_broken_off_is_built_anew(blank_postgresql_url: str) -> None:
    with opened(blank_postgresql_url) as db:
        make_first(db.engine)
        with db.engine.begin() as connection:
            connection.exec_driver_sql("CREATE INDEX ix_invoices_buyer_name ON invoices (buyer_name)")
            # What PostgreSQL leaves when CREATE INDEX CONCURRENTLY fails.
            connection.exec_driver_sql(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_invoices_buyer_name'::regclass"
            )
        assert upgrade(db.engine)
        with db.engine.connect() as connection:
            assert has_index(connection, "ix_invoices_buyer_name")
            assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


@pytest.mark.postgres
def test_while_a_big_index_is_built_everybody_writes(
    blank_postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []

    def building(engine: sa.Engine, revision: str) -> None:
        billing.wait_for(3)
        build_indexes(engine, revision)
        built.append(revision)
        with engine.connect() as connection:
            assert (revision != "0003") or has_index(connection, "ix_invoices_buyer_name")

    monkeypatch.setattr(migrations, "build_indexes", building)
    with opened_before(blank_postgresql_url) as serving, opened(blank_postgresql_url) as db:
        make_first(db.engine)
        billing = in_use.Billing(serving, serving.run(organisations_before.get_by_team, TEAM), "ann")
        with at_work(billing):
            assert upgrade(db.engine)
        # A version whose lock was held at that moment is tried again.
        assert list(dict.fromkeys(built)) == list(REVISIONS[1:])
        assert billing.troubles == 0


@pytest.mark.postgres
def test_what_a_server_is_set_to_doesnt_stop_an_upgrade(
    blank_postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limits that hosted servers have, and transactions that keep their view of the database."""
    monkeypatch.setattr(migrations, "PATIENCE", 5.0)
    with opened(blank_postgresql_url) as before:
        make_first(before.engine)
        name = sa.make_url(blank_postgresql_url).database
        with before.engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET statement_timeout = '10ms'")
            connection.exec_driver_sql(
                f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"
            )
            connection.exec_driver_sql(
                "INSERT INTO invoices (organisation_id, number, number_key, buyer_name, buyer_email, amount, currency,"
                " description, status, position) SELECT 1, n, n, 'Acme ' || n, '', 1, 'USD', '', 'Paid', n"
                " FROM generate_series(1, 40000) n"
            )
    with opened(blank_postgresql_url) as db:
        assert upgrade(db.engine)
        with db.engine.connect() as connection:
            assert has_index(connection, "ix_invoices_buyer_name")
            assert connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "10ms"
