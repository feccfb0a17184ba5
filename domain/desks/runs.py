"""Bulk runs at the desk: confirm what is ticked, create it, look at what became of it."""

from datetime import timedelta

from domain.desks.scoped import ScopedDesk
from domain.links import bulk, run_results
from domain.lists.selection_ids import new_id
from domain.lists.summaries import Confirmation
from domain.states import Right
from domain.summaries import Actor, BulkResult


class RunDesk(ScopedDesk):
    async def confirm(self, actor: Actor, selection_id: int) -> Confirmation:
        """What Create would do with what is ticked; remembers the amounts that the person is shown.

        Raises NothingSelected, and NotEligible with ADD_ON_MISSING.
        """
        confirmed = self._write(Right.CREATE, actor, bulk.confirm, actor, selection_id, now=self._clock())
        return await self._audited(actor, confirmed, f"selection {selection_id}")

    async def start_run(
        self, actor: Actor, selection_id: int, *, seal: str, submission: str, view_id: str | None
    ) -> BulkResult:
        """Commit a bulk run of what is ticked. The same ``submission`` again returns the run that it began.

        ``seal`` is that of the confirmation. Raises SelectionChanged and AmountsChanged (nothing was started: confirm
        again), NothingSelected, NotEligible with ADD_ON_MISSING, LedgerChanged.
        """
        started = self._write(
            Right.CREATE,
            actor,
            bulk.start,
            actor,
            selection_id,
            seal=seal,
            submission=submission,
            view_id=view_id,
            now=self._clock(),
        )
        result = await self._audited(actor, started, f"selection {selection_id}")
        self._creation.wake()
        return result

    async def retry_failed(
        self, actor: Actor, run_id: int, *, submission: str, view_id: str | None
    ) -> BulkResult:
        """A new run of what failed in that one.

        Raises AmountsChanged (nothing was started: see confirm_failed), RunNotFound, RunOfOtherMode, NothingSelected.
        """
        started = self._write(
            Right.CREATE,
            actor,
            bulk.retry_failed,
            actor,
            run_id,
            submission=submission,
            view_id=view_id,
            now=self._clock(),
        )
        result = await self._audited(actor, started)
        self._creation.wake()
        return result

    async def confirm_failed(self, actor: Actor, run_id: int) -> Confirmation:
        """What failed in that run, ticked in a selection of its own, as confirm shows it. Raises as get_result does."""
        confirmed = self._write(
            Right.CREATE, actor, bulk.confirm_failed, actor, run_id, new_id(actor), now=self._clock()
        )
        return await self._audited(actor, confirmed)

    async def get_result(self, actor: Actor, run_id: int) -> BulkResult:
        """Raises RunNotFound, RunOfOtherMode."""
        return await self._audited(actor, self._read(Right.LOOK, actor, run_results.get_result, run_id))

    async def is_followed(self, actor: Actor, run_id: int, view_id: str) -> bool:
        """Whether a later run is shown in that view by now: one that Retry Failed began there."""
        return await self._read(Right.LOOK, actor, run_results.is_followed, run_id, view_id)

    async def list_unfinished_runs(self) -> list[tuple[Actor, int, str]]:
        """Runs of the last hour that go on: who asked, the run's id, and the id of the view that shows it."""
        return await self._db.read(run_results.list_unfinished, self._clock() - timedelta(hours=1))
