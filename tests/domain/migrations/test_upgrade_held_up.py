"""What holds an upgrade up: tables that are kept, a database that is written to, large indexes, the settings of a server."""

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from domain import migrations
from domain.migrations import REVISIONS, SchemaBusy, SchemaTooOld, check, upgrade
from domain.migrations.indexing import build_indexes, has_index
from domain.models import Base
from tests.domain.factories import TEAM
from tests.domain.migrations.first_schema import make_first
from tests.domain.migrations.upgrades import (
    at_work,
    in_use,
    opened,
    opened_before,
    organisations_before,
)


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
