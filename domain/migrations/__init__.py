"""The schema's versions: bringing a database up to date, and refusing to work on one that isn't.

In the repository, ``alembic -x url=... revision --autogenerate -m ...`` drafts a new version against a database that
is up to date; then it is read and cleaned, and its id added to REVISIONS. Processes of the version before work on
while it runs, and afterwards: it takes locks for moments only (locking.py), and leaves what the version before reads
and writes (decision 0015).
"""

import time
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from domain.errors import DatabaseUnavailable
from domain.migrations.indexing import build_indexes

REVISIONS: tuple[str, ...] = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
    "0015",
    "0016",
    "0017",
    "0018",
    "0019",
    "0020",
    "0021",
    "0022",
    "0023",
    "0024",
    "0025",
    "0026",
    "0027",
    "0028",
    "0029",
    "0030",
    "0031",
    "0032",
    "0033",
    "0034",
)
"""All versions, the oldest first. Known without reading them, so that a start doesn't wait for Alembic."""

# Any number, as long as all processes ask for the same.
_LOCK = 7_295_460
PATIENCE = 60.0
RETRY_SECONDS = 0.5
# Between two versions other writers of SQLite get in, who look every tenth of a second and give up after 1.8.
PAUSE_SECONDS = 0.03
# lock_not_available, deadlock_detected
_HELD = frozenset({"55P03", "40P01"})


class SchemaTooOld(Exception):
    """The database needs ``paylink db upgrade``. ``found`` is its version, None when it has no schema at all."""

    def __init__(self, found: str | None) -> None:
        super().__init__(found)
        self.found = found


class SchemaTooNew(Exception):
    """The database was upgraded by a later Paylink than this one. ``found`` is its version."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


class SchemaBusy(Exception):
    """For a minute there was no moment in which the database could be upgraded. What is done so far stands."""


class _Upgrading(Exception):
    """Another one is at it."""


def check(engine: Engine) -> None:
    """Raise SchemaTooOld or SchemaTooNew unless the schema is this Paylink's, or DatabaseUnavailable."""
    found = find_version(engine)
    if found is not None and found not in REVISIONS:
        raise SchemaTooNew(found)
    if found != REVISIONS[-1]:
        raise SchemaTooOld(found)


def find_version(engine: Engine) -> str | None:
    """The schema's, None if there is none yet. Raises DatabaseUnavailable."""
    try:
        with engine.connect().execution_options(paylink_write=False) as connection:
            return _version(connection)
    except OperationalError as error:
        raise DatabaseUnavailable(type(error.orig).__name__) from error


def upgrade(engine: Engine) -> bool:
    """Bring the schema up to date, each version all or nothing; return whether there was anything to do.

    The bot may work on the database meanwhile. Processes that do this at once wait for each other, and whoever comes
    after one that died goes on where it was. Raises SchemaTooNew, SchemaBusy, DatabaseUnavailable.
    """
    until = time.monotonic() + PATIENCE
    changed = False
    while True:
        try:
            if not _advance(engine):
                return changed
            changed, until = True, time.monotonic() + PATIENCE
            if engine.dialect.name == "sqlite":
                time.sleep(PAUSE_SECONDS)
        except OperationalError as error:
            if getattr(error.orig, "sqlite_errorname", None) == "SQLITE_ERROR":
                raise  # it was reached, and refuses the statement
            if not _is_busy(error):
                raise DatabaseUnavailable(type(error.orig).__name__) from error
            _wait(until, error)
        except _Upgrading as other:
            _wait(until, other)


def _wait(until: float, reason: Exception) -> None:
    if time.monotonic() > until:
        raise SchemaBusy from reason
    time.sleep(RETRY_SECONDS)


def _advance(engine: Engine) -> bool:
    """Make the next version, in one transaction; False if there is none."""
    with engine.connect() as connection, _transaction(connection):
        if connection.dialect.name == "postgresql":
            # Of the transaction, not of the session: a pooler may stand between. Waiting for it would hold up an index
            # that is being built, and so whoever has the lock.
            if not connection.execute(sa.text(f"SELECT pg_try_advisory_xact_lock({_LOCK})")).scalar():
                raise _Upgrading
            for limit in ("idle_in_transaction_session_timeout", "statement_timeout"):
                connection.execute(sa.text(f"SET LOCAL {limit} = 0"))
        found = _version(connection)
        if found is not None and found not in REVISIONS:
            raise SchemaTooNew(found)
        if found == REVISIONS[-1]:
            return False
        if found is None:
            # Nobody may find a new database half made, least of all another first start.
            _run(connection, REVISIONS[-1])
        else:
            revision = REVISIONS[REVISIONS.index(found) + 1]
            build_indexes(engine, revision)
            _run(connection, revision)
        return True


def _transaction(connection: sa.Connection) -> sa.RootTransaction:
    if connection.dialect.name == "postgresql":
        # With a view of the database that stays the same, an index that is being built would wait for it to end.
        connection.execution_options(isolation_level="READ COMMITTED")
    return connection.begin()


def _is_busy(error: OperationalError) -> bool:
    """Somebody else holds what is needed, for now: another writer of SQLite, or a transaction of PostgreSQL."""
    if getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
        return True
    return getattr(error.orig, "sqlstate", None) in _HELD


def prepare(engine: Engine) -> None:
    """Make the schema if this is SQLite without one, then check: what every command begins with.

    Raises as check does.
    """
    try:
        check(engine)
    except SchemaTooOld as old:
        if engine.dialect.name != "sqlite" or old.found is not None:
            raise
        upgrade(engine)


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return version


def _run(connection: sa.Connection, revision: str) -> None:
    # Alembic takes a fifth of a second to import, which only an upgrade has to spend.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
