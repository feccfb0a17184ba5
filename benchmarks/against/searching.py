"""Searches on PostgreSQL beside what the server itself takes: planning and execution of the same statements with the same values."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks.queries import questions
from domain.database import Database
from domain.scope import Scope

TIMES = 15


def measure(url: str, count: int) -> dict[str, tuple[float, float]]:
    """For each search the seconds of the clock, and those of the server: the quickest of fifteen each, since others work here too."""
    db = Database(url)
    try:
        engine = db.engine.execution_options(paylink_write=False, isolation_level="AUTOCOMMIT")
        with Session(engine) as session:
            organisation = session.scalar(sa.text("SELECT id FROM organisations")) or 0
            ledger = session.scalar(sa.text("SELECT id FROM ledgers WHERE current")) or 0
            found = {}
            for question in questions(count, Scope(organisation, ledger, livemode=False)):
                if not question.searched:
                    continue
                taken, served = [], []
                for _ in range(TIMES):
                    began = time.perf_counter()
                    with _noted(engine) as statements:
                        question.paylink(session)
                    taken.append(time.perf_counter() - began)
                    served.append(sum(_explained(session, *one) for one in statements))
                found[question.name] = (min(taken), min(served))
            return found
    finally:
        db.close_now()


@contextmanager
def _noted(engine: sa.Engine) -> Iterator[list[tuple[str, Any]]]:
    statements: list[tuple[str, Any]] = []

    def note(_c: object, _u: object, statement: str, parameters: Any, *_: object) -> None:
        statements.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def _explained(session: Session, statement: str, parameters: Any) -> float:
    explain = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}"
    [plan] = session.connection().exec_driver_sql(explain, parameters).scalar_one()
    return float(plan["Planning Time"] + plan["Execution Time"]) / 1000
