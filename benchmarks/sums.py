"""What keeping sums costs an import, and what it saves Home: `python -m benchmarks.sums INVOICES` prints a line for each database."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks import data, importing
from benchmarks.postgres import create, postgresql
from domain.database import Database
from domain.overview import sums

_TODAY = data.NOW.date()
_ROUNDS = 15


def main(count: str) -> None:
    with tempfile.TemporaryDirectory() as directory, postgresql(Path(directory) / "server") as server:
        file = Path(directory) / "invoices.csv"
        data.write_csv(file, int(count))
        for name, kept, plain in (
            ("SQLite", f"sqlite:///{directory}/kept.db", f"sqlite:///{directory}/plain.db"),
            ("PostgreSQL", create(server, "kept"), create(server, "plain")),
        ):
            print(f"{name}, {int(count):,} invoices: {_measured(kept, plain, file, int(count))}")


def _measured(kept: str, plain: str, file: Path, count: int) -> str:
    for url in (kept, plain):
        data.prepare_paylink(url)
    _without_triggers(plain)
    without = importing.measure(plain, file, count).seconds
    with_sums = importing.measure(kept, file, count).seconds
    data.add_links(kept, count)
    db = Database(kept)
    try:
        organisation_id = db.run(lambda session: session.scalar(sa.text("SELECT id FROM organisations")) or 0)
        while not db.is_sqlite and db.run(sums.put_together):
            pass
        data.settle(db.engine)
        assert not db.run(sums.compare, organisation_id)
        read = _milliseconds(db, sums.read, organisation_id, _TODAY)
        counted = _milliseconds(db, sums.compare, organisation_id)
    finally:
        db.close_now()
    return (
        f"an import takes {with_sums:.1f} s, and without sums {without:.1f} s; "
        f"reading what is kept takes {read:.1f} ms, counting it {counted:.0f} ms"
    )


def _without_triggers(url: str) -> None:
    db = Database(url)
    with db.engine.begin() as connection:
        for name in ("added", "changed", "removed"):
            of = "" if db.is_sqlite else " ON invoices"
            connection.exec_driver_sql(f"DROP TRIGGER invoice_sums_{name}{of}")
    db.close_now()


def _milliseconds(db: Database, fn: Callable[..., Any], *given: Any) -> float:
    took = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        db.run(fn, *given)
        took.append(time.perf_counter() - began)
    return 1000 * statistics.median(took)


if __name__ == "__main__":
    main(*sys.argv[1:])
