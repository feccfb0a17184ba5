import re
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

from domain import migrations
from domain.database import make_engine
from domain.errors import DatabaseUnavailable
from domain.migrations import REVISIONS, SchemaTooNew, SchemaTooOld, check, prepare, upgrade
from domain.models import Base

# SQLite's aren't reflected: their text is compared below.
pytestmark = pytest.mark.filterwarnings("ignore:.*expression-based index")


def structure(connection: sa.Connection) -> set[str]:
    """Everything that the database itself says of its tables: columns, collations, indexes and constraints."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")).scalars()
        found = {f"{sql.splitlines()[0]} {part}" for sql in rows for part in parts(sql)}
    else:
        found = set()
        for query in (
            "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default,"
            " collation_name FROM information_schema.columns WHERE table_schema = 'public'",
            "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace",
            "SELECT indexname, indexdef, '' FROM pg_indexes WHERE schemaname = 'public'",
        ):
            found |= {" ".join(map(str, row)) for row in connection.execute(sa.text(query))}
    return {line for line in found if "alembic_version" not in line}


def parts(sql: str) -> list[str]:
    """The columns and constraints of a definition, wherever its lines end."""
    text, depth, found = re.sub(r"\s+", " ", sql), 0, [""]
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 1 and character in "(,":
            found.append("")
        elif character != ")" or depth > 0:
            found[-1] += character
    return [part.strip() for part in found]


def test_migrated_schema_is_the_models_schema(blank_database_url: str) -> None:
    engine = make_engine(blank_database_url)
    assert upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        migrated = structure(connection)
    with engine.begin() as connection:
        Base.metadata.drop_all(connection)
        assert structure(connection) == set()
        Base.metadata.create_all(connection)
        assert migrated == structure(connection)
    engine.dispose()


def test_upgrading_again_changes_nothing(blank_database_url: str) -> None:
    engine = make_engine(blank_database_url)
    assert upgrade(engine)
    assert not upgrade(engine)
    check(engine)
    engine.dispose()


def test_processes_that_upgrade_at_once_wait_for_each_other(blank_database_url: str) -> None:
    engines = [make_engine(blank_database_url) for _ in range(3)]
    start = threading.Barrier(len(engines))
    did: list[bool] = []

    def run(engine: sa.Engine) -> None:
        start.wait()
        did.append(upgrade(engine))

    threads = [threading.Thread(target=run, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(did) == [False, False, True]
    for engine in engines:
        engine.dispose()


def test_an_upgrade_that_breaks_off_leaves_nothing_behind(
    blank_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(blank_database_url)
    run = migrations._run

    def broken(connection: sa.Connection, revision: str) -> None:
        run(connection, revision)
        raise KeyboardInterrupt

    monkeypatch.setattr(migrations, "_run", broken)
    with pytest.raises(KeyboardInterrupt):
        upgrade(engine)
    with engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    engine.dispose()


def test_a_database_without_schema_is_too_old(blank_database_url: str) -> None:
    engine = make_engine(blank_database_url)
    with pytest.raises(SchemaTooOld) as old:
        check(engine)
    assert old.value.found is None
    engine.dispose()


def test_a_later_schema_is_refused_and_left_alone(blank_database_url: str) -> None:
    engine = make_engine(blank_database_url)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    for refused in (check, upgrade, prepare):
        with pytest.raises(SchemaTooNew, match="9999"):
            refused(engine)
    engine.dispose()


def test_sqlite_is_made_on_first_start(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/data/paylink.db")
    prepare(engine)
    check(engine)
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / "paylink.db").stat().st_mode & 0o777 == 0o600
    engine.dispose()


def test_an_old_sqlite_is_not_upgraded_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/paylink.db")
    prepare(engine)
    monkeypatch.setattr(migrations, "REVISIONS", (*REVISIONS, "9999"))
    with pytest.raises(SchemaTooOld, match=REVISIONS[-1]):
        prepare(engine)
    engine.dispose()


@pytest.mark.postgres
def test_postgresql_is_never_made_by_itself(blank_postgresql_url: str) -> None:
    engine = make_engine(blank_postgresql_url)
    with pytest.raises(SchemaTooOld):
        prepare(engine)
    engine.dispose()


def test_a_database_that_cannot_be_reached_is_unavailable(tmp_path: Path) -> None:
    engine = make_engine(f"postgresql+psycopg://paylink@/paylink?host={tmp_path}")
    for refused in (check, upgrade):
        with pytest.raises(DatabaseUnavailable):
            refused(engine)
    engine.dispose()


def test_a_sqlite_that_refuses_a_statement_is_not_called_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some are built so that nobody may correct their definitions."""

    def refused(connection: sa.Connection, revision: str) -> None:
        connection.exec_driver_sql("UPDATE sqlite_master SET sql = ''")

    monkeypatch.setattr(migrations, "_run", refused)
    engine = make_engine(f"sqlite:///{tmp_path}/paylink.db")
    with pytest.raises(OperationalError, match="may not be modified"):
        upgrade(engine)
    engine.dispose()


def test_the_known_revisions_are_the_ones_that_are_there() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    revisions = ScriptDirectory.from_config(config).walk_revisions()
    assert tuple(revision.revision for revision in revisions)[::-1] == REVISIONS
