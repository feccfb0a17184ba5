"""What a start of serve leaves unloaded, each in a process of its own, since this one has loaded everything."""

import subprocess
import sys

START = """
import gc, sys
from bot.run.lean import lean_imports
with lean_imports():
    import bot.cli.app
    import bot.run.service
from domain.database import Database
from domain.migrations import prepare
prepare(Database(sys.argv[1]).engine)
print(gc.isenabled(), sorted({"alembic", "requests", "rich", "psycopg", "babel"} & sys.modules.keys()))
import requests, rich
"""


def test_a_start_on_a_schema_that_is_up_to_date_loads_nothing_that_it_has_no_use_for(sqlite_url: str) -> None:
    started = subprocess.run(
        [sys.executable, "-c", START, sqlite_url], capture_output=True, text=True, check=False
    )
    assert (started.stdout, started.stderr) == ("True []\n", "")
