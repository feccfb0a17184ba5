"""The page of periodic jobs is the plan's table, and the wiring builds all of it."""

from pathlib import Path

from bot.plan import PeriodicJob, periodic_jobs
from bot.settings import Settings, load_settings
from bot.wiring import build
from tests.docs.pages import REFERENCE, table_rows

DEFAULT_POLL = Settings.model_fields["paylink_poll_seconds"].default


def test_the_page_shows_the_plan() -> None:
    rows = table_rows(REFERENCE / "periodic-jobs.md")[1:]
    assert rows == [_row(job) for job in periodic_jobs(DEFAULT_POLL)]


def _row(job: PeriodicJob) -> list[str]:
    woken = "asked from outside" if job.wake_seconds is None else _seconds(job.wake_seconds)
    due = "each time" if job.due_seconds is None else _seconds(job.due_seconds)
    return [f"`{job.name}`", woken, due, job.does, job.why]


def _seconds(number: float) -> str:
    return f"{number:g} s"


async def test_each_job_that_is_woken_has_a_worker_and_each_worker_a_job(tmp_path: Path) -> None:
    settings = load_settings(
        {"STRIPE_API_KEY": "rk_test_1234", "DATABASE_URL": f"sqlite:///{tmp_path}/x.db"}, tmp_path
    )
    bot = build(settings)
    try:
        woken = [job.name for job in periodic_jobs(DEFAULT_POLL) if job.wake_seconds is not None]
        assert sorted(worker.name for worker in bot.workers) == sorted(woken)
        assert [tick.name for tick in bot.ticks] == woken
    finally:
        await bot.close()
