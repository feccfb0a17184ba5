"""Of a fake desk what bulk runs need: they go on when a test says what comes of them."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from domain.errors import (
    AmountsChanged,
    NotEligible,
    NothingSelected,
    RunNotFound,
    SelectionChanged,
)
from domain.lists.summaries import Confirmation
from domain.money import Money
from domain.reasons import Reason
from domain.states import Outcome
from domain.summaries import (
    Actor,
    BulkItem,
    BulkResult,
    InvoiceSummary,
)
from handlers.views.listing import PAGE
from tests.handlers.fake_desks.lists import FakeListDesk
from tests.handlers.samples import NOW


class FakeRunDesk(FakeListDesk):
    async def confirm(self, actor: Actor, selection_id: int) -> Confirmation:
        await self._asked(actor)
        chosen = [self.invoices[each] for each in sorted(self._get(selection_id).ticked)]
        if not chosen:
            raise NothingSelected
        if not self.organisation.add_on:
            raise NotEligible("", Reason.ADD_ON_MISSING)
        before = self.shown.get(selection_id, {})
        self.shown[selection_id] = {one.id: one.amount for one in chosen}
        targets = tuple(one for one in chosen if one.eligible)
        currencies = sorted({one.amount.currency for one in targets})
        return Confirmation(
            selection_id=selection_id,
            targets=targets,
            skipped=tuple(one for one in chosen if not one.eligible),
            totals=tuple(Money(_sum(targets, currency), currency) for currency in currencies),
            livemode=self.livemode,
            seal=self._seal(selection_id),
            changed=tuple(one.number for one in chosen if before.get(one.id, one.amount) != one.amount),
        )

    def _seal(self, selection_id: int) -> str:
        ticked = sorted(self._get(selection_id).ticked)
        return hashlib.sha256(repr((self.livemode, ticked)).encode()).hexdigest()[:16]

    async def start_run(
        self, actor: Actor, selection_id: int, *, seal: str, submission: str, view_id: str | None
    ) -> BulkResult:
        await self._asked(actor)
        if submission in self.submissions:
            return self.runs[self.submissions[submission]]
        chosen = [self.invoices[each] for each in sorted(self._get(selection_id).ticked)]
        if self._seal(selection_id) != seal:
            raise SelectionChanged
        seen = self.shown.get(selection_id, {})
        changed = tuple(one.number for one in chosen if seen.get(one.id) != one.amount)
        if changed:
            raise AmountsChanged(changed)
        self._set(selection_id, ticked=frozenset())
        return self._begin(actor, [one.id for one in chosen], submission, view_id)

    async def retry_failed(
        self, actor: Actor, run_id: int, *, submission: str, view_id: str | None
    ) -> BulkResult:
        run = await self.get_result(actor, run_id)
        if submission in self.submissions:
            return self.runs[self.submissions[submission]]
        failed = self._failed(run)
        if not failed:
            raise NothingSelected
        now = [self.invoices[each] for each in failed]
        changed = tuple(one.number for one in now if one.amount != self.asked_for[one.id])
        if changed:
            raise AmountsChanged(changed)
        return self._begin(actor, failed, submission, view_id)

    def _failed(self, run: BulkResult) -> list[int]:
        """What failed and needn't fail again."""
        return [
            item.invoice_id
            for item in run.items
            if item.outcome is Outcome.FAILED
            and not (
                item.refused_for_good
                and self.invoices[item.invoice_id].amount == self.asked_for[item.invoice_id]
            )
        ]

    async def confirm_failed(self, actor: Actor, run_id: int) -> Confirmation:
        run = await self.get_result(actor, run_id)
        page = await self.open_list(actor, shape=PAGE)
        self._set(page.selection.id, ticked=frozenset(self._failed(run)))
        return await self.confirm(actor, page.selection.id)

    async def is_followed(self, actor: Actor, run_id: int, view_id: str) -> bool:
        return any(run.id > run_id and run.view_id == view_id for run in self.runs.values())

    async def list_unfinished_runs(self) -> list[tuple[Actor, int, str]]:
        return [
            (Actor(self.organisation.team_id, run.requested_by), run.id, run.view_id)
            for run in self.runs.values()
            if not run.final and run.view_id
        ]

    async def get_result(self, actor: Actor, run_id: int) -> BulkResult:
        await self._asked(actor)
        if run_id not in self.runs:
            raise RunNotFound
        return self.runs[run_id]

    def finish(
        self,
        run_id: int,
        *,
        failed: dict[int, str] | None = None,
        only: set[int] | None = None,
        for_good: bool = False,
    ) -> None:
        """What of the run was being created is settled, all or ``only`` these: ``failed`` says what Stripe refused, and why."""
        failed, run = failed or {}, self.runs[run_id]
        items = (
            self._settled(item, failed, for_good) if only is None or item.invoice_id in only else item
            for item in run.items
        )
        self.runs[run_id] = replace(run, items=tuple(items))

    def _settled(self, item: BulkItem, failed: dict[int, str], for_good: bool) -> BulkItem:
        if item.outcome is not Outcome.BEING_CREATED:
            return item
        if item.invoice_id in failed:
            self.invoices[item.invoice_id] = replace(self.invoices[item.invoice_id], reason=None)
            said = failed[item.invoice_id]
            return replace(item, outcome=Outcome.FAILED, refusal=said, refused_for_good=for_good)
        self.settle(item.invoice_id)
        return replace(item, outcome=Outcome.CREATED, url=f"https://buy.stripe.com/test_{item.invoice_id}")

    def _begin(self, actor: Actor, ids: list[int], submission: str, view_id: str | None) -> BulkResult:
        run_id = len(self.runs) + 1
        self.asked_for |= {each: self.invoices[each].amount for each in ids}
        self.submissions[submission] = run_id
        items = tuple(_queued(self.invoices[each]) for each in ids)
        for each in ids:
            if self.invoices[each].eligible:
                self.invoices[each] = replace(self.invoices[each], reason=Reason.BEING_CREATED)
        self.runs[run_id] = BulkResult(run_id, 1, actor.user_id, NOW, items, view_id)
        return self.runs[run_id]


def _sum(invoices: Iterable[InvoiceSummary], currency: str) -> int:
    return sum(one.amount.amount for one in invoices if one.amount.currency == currency)


def _queued(one: InvoiceSummary) -> BulkItem:
    outcome = Outcome.BEING_CREATED if one.eligible else Outcome.SKIPPED
    return BulkItem(one.id, one.number, outcome, reason=one.reason)
