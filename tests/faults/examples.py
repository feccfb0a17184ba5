"""Examples of the model at length: `make model`, or `python -m tests.faults.examples --database both --examples 500 --steps 50`.

Each database has its processes side by side, each with a seed of its own, which is printed: with --seed they are the same again.
What one came to is one line of JSON. The exit status is 1 if an order of acts led to anything else than the model says; the
shortest that was found stands above, as a test can do it.
"""

import argparse
import contextlib
import json
import logging
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ClassVar

import structlog
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from domain.database import Database, make_engine
from tests.conftest import created_database, make_schema, start_postgresql
from tests.databases import empty
from tests.faults.model import PaylinkModel

DATABASES = ("sqlite", "postgresql")


@dataclass
class Count:
    """What was done of the model, in one process."""

    database: str
    seed: int
    examples: int = 0
    steps: int = 0
    seconds: int = 0
    divergences: int = 0


class Counted(PaylinkModel):
    """Says now and then how far it has come."""

    count: ClassVar[Count]
    began: ClassVar[float]
    every: ClassVar[int] = 25

    def check_invariants(self, *args: Any, **how: Any) -> None:
        """After the beginning, and after every step."""
        type(self).count.steps += 1
        super().check_invariants(*args, **how)

    def teardown(self) -> None:
        count = type(self).count
        count.examples += 1
        count.steps -= 1
        count.seconds = round(time.monotonic() - type(self).began)
        if count.examples % self.every == 0:
            _tell(count)
        super().teardown()


def examine(model: type[PaylinkModel], *, examples: int, steps: int, chosen: int | None) -> None:
    """Look for acts that lead to anything else than the model says, by a seed; without one always the same few."""
    how = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=chosen is None,
        deadline=None,
        database=None,
        phases=(Phase.generate,) if chosen is None else (Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(model if chosen is None else seed(chosen)(model), settings=how)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.examples")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both")
    parser.add_argument("--examples", type=int, default=500, help="on each database")
    parser.add_argument("--steps", type=int, default=50, help="of each example")
    parser.add_argument("--seed", type=int, help="of a run that is to be repeated")
    parser.add_argument("--processes", type=int, default=1, help="for each database")
    given = parser.parse_args(argv)
    first = random.randrange(10**9) if given.seed is None else given.seed
    databases = DATABASES if given.database == "both" else (given.database,)
    works = [(database, first + n) for n in range(given.processes) for database in databases]
    share = -(-given.examples // given.processes)
    with ProcessPoolExecutor(len(works), mp_context=get_context("spawn")) as pool:
        found = list(pool.map(partial(_work, examples=share, steps=given.steps), works))
    for count in found:
        _tell(count)
    return min(sum(count.divergences for count in found), 1)


def _work(work: tuple[str, int], *, examples: int, steps: int) -> Count:
    # Thousands of deaths would fill them.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    Counted.count = count = Count(*work)
    Counted.began = time.monotonic()
    with _place_for(count.database):
        try:
            examine(Counted, examples=examples, steps=steps, chosen=count.seed)
        except Exception:
            count.divergences = 1
            traceback.print_exc()
    return count


@contextlib.contextmanager
def _place_for(database: str) -> Iterator[None]:
    """Each example finds an empty database: a file of its own, or the one of a server that nobody else uses."""
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="paylink-model-")))
        url = f"sqlite:///{directory}/template.db"
        if database == "postgresql":
            server = start_postgresql(directory / "postgresql")
            stack.callback(server.cleanup)
            url = stack.enter_context(created_database(server.get_uri(driver="psycopg"), "model"))
        engine = make_engine(url)
        make_schema(engine)
        engine.dispose()
        Counted.open_database = staticmethod(
            emptied(url) if database == "postgresql" else copied(directory / "template.db")
        )
        yield


def copied(template: Path) -> Callable[[Path], Database]:
    """Opens a copy of a database of SQLite."""

    def open_database(directory: Path) -> Database:
        shutil.copyfile(template, directory / "paylink.db")
        return Database(f"sqlite:///{directory}/paylink.db")

    return open_database


def emptied(url: str) -> Callable[[Path], Database]:
    """Opens that database of PostgreSQL, in which nothing is left."""

    def open_database(directory: Path) -> Database:
        db = Database(url)
        db.run(lambda session: empty(session.connection()))
        return db

    return open_database


def _tell(count: Count) -> None:
    print(json.dumps(asdict(count)), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
