"""A desk by hand: invoices in memory, and whatever happens next said in advance. Its methods are those of Desk."""

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from domain.audit.history import PAGE as ENTRIES
from domain.audit.history import History
from domain.errors import (
    AmountChanged,
    LedgerChanged,
    NotAllowed,
    NotEligible,
    NothingToRecheck,
)
from domain.invoices.invoices import totals
from domain.invoices.numbers.keys import number_key
from domain.links.run_results import RunSummary
from domain.money import Money
from domain.overview.summaries import (
    HomeSummary,
    InvoiceDetails,
    LookedUp,
    Owed,
    Recheck,
    Tally,
)
from domain.reasons import Reason
from domain.states import LinkStatus, Outcome, Right
from domain.summaries import (
    Actor,
    BulkResult,
    InvoiceOption,
    InvoiceSummary,
    OrganisationSummary,
    StripeState,
)
from tests.handlers.fake_desks.exceptions import FakeExceptionDesk
from tests.handlers.fake_desks.imports import FakeImportDesk
from tests.handlers.fake_desks.open_views import FakeViewDesk
from tests.handlers.fake_desks.runs import FakeRunDesk
from tests.handlers.fake_desks.scoped import is_late, matches
from tests.handlers.fake_desks.settings import FakeSettingsDesk
from tests.handlers.samples import NOW


class FakeDesk(FakeRunDesk, FakeExceptionDesk, FakeImportDesk, FakeViewDesk, FakeSettingsDesk):
    """A whole one, its parts by what they are about (tests/handlers/fake_desks/)."""

    async def get_organisation(self, team_id: str) -> OrganisationSummary:
        await self._asked(Actor(team_id, ""))
        return self.organisation

    async def get_stripe_state(self, actor: Actor) -> StripeState:
        await self._asked()
        return self.stripe

    async def find_invoice(self, actor: Actor, number: str) -> InvoiceSummary | None:
        await self._asked(actor)
        return next(iter(self._numbered(number)), None)

    def _numbered(self, number: str) -> list[InvoiceSummary]:
        return [one for one in self.invoices.values() if number_key(one.number) == number_key(number)]

    async def find_details(
        self, actor: Actor, number: str, *, to: Right = Right.LOOK
    ) -> InvoiceDetails | None:
        found = await self.find_invoice(actor, number)
        return None if found is None else self._details(found)

    async def look_up(self, actor: Actor, text: str) -> LookedUp:
        await self._asked(actor)
        found = self._numbered(text)
        if len(found) == 1:
            return LookedUp(self._details(found[0]))
        found = found or [one for one in self.invoices.values() if matches(one, text)]
        return LookedUp(options=tuple(map(_option, found))[:10], more=len(found) > 10)

    async def get_details(self, actor: Actor, invoice_id: int) -> InvoiceDetails:
        return self._details(await self.get_invoice(actor, invoice_id))

    def _details(self, invoice: InvoiceSummary) -> InvoiceDetails:
        of_invoice = [one for one in self.exceptions.values() if one.invoice_id == invoice.id]
        opens = tuple(one for one in of_invoice if one.resolution is None)
        resolved = tuple(one for one in of_invoice if one.resolution is not None)
        return InvoiceDetails(invoice, self.organisation, self.stripe, NOW.date(), opens, resolved)

    async def get_history(self, actor: Actor, invoice_id: int, page: int) -> tuple[InvoiceSummary, History]:
        found, begin = await self.get_invoice(actor, invoice_id), page * ENTRIES
        shown = tuple(reversed(self.entries))[begin : begin + ENTRIES]
        return found, History(shown, page, len(self.entries) > begin + ENTRIES)

    async def recheck(self, actor: Actor, invoice_id: int) -> Recheck:
        before = await self.get_details(actor, invoice_id)
        if before.invoice.link is None:
            raise NothingToRecheck
        if isinstance(self.rechecked, Exception):
            raise self.rechecked
        if self.rechecked is not None:
            self.invoices[invoice_id] = self.rechecked
        return Recheck(before, await self.get_details(actor, invoice_id))

    async def find_nearest(self, actor: Actor, number: str) -> tuple[InvoiceOption, ...]:
        await self._asked(actor)
        by_number = {one.number: one for one in self.invoices.values()}
        return tuple(_option(by_number[each]) for each in difflib.get_close_matches(number, by_number, 5, 0))

    async def find_options(self, actor: Actor, text: str) -> tuple[InvoiceOption, ...]:
        await self._asked(actor)
        return tuple(_option(one) for one in self.invoices.values() if matches(one, text))[:100]

    async def create_link(
        self,
        actor: Actor,
        invoice_id: int,
        seen: Money,
        *,
        patience: float,
        livemode: bool | None = None,
    ) -> InvoiceSummary:
        if livemode not in (None, self.livemode):
            raise LedgerChanged
        one = await self.get_invoice(actor, invoice_id)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        if one.link is not None:
            return one
        if one.amount != seen:
            raise AmountChanged(one.number, seen, one.amount)
        if one.reason is not None:
            raise NotEligible(one.number, one.reason)
        if not self.answers.is_set():
            self.invoices[invoice_id] = replace(one, reason=Reason.BEING_CREATED)
        else:
            self.settle(invoice_id)
        return self.invoices[invoice_id]

    async def record_outsider(self, actor: Actor, from_team: str) -> None:
        pass

    async def welcome(self, actor: Actor) -> bool:
        await self._asked(actor)
        new = actor not in self.welcomed
        self.welcomed.add(actor)
        return new

    async def forget_welcome(self, actor: Actor) -> None:
        self.welcomed.discard(actor)

    async def take_event(self, actor: Actor, event_id: str) -> bool:
        await self._asked(actor)
        new = (actor.team_id, event_id) not in self.heard
        self.heard.add((actor.team_id, event_id))
        return new

    async def get_home(self, actor: Actor) -> HomeSummary:
        await self._asked(actor)
        waiting = tuple(one for one in self.invoices.values() if one.status is LinkStatus.PENDING_PAYMENT)
        done = tuple(one for one in self.invoices.values() if one.status is LinkStatus.PAID)
        opens = [one for one in self.exceptions.values() if one.resolution is None]
        kinds = Counter(one.kind for one in opens)
        not_created = [
            one
            for one in self.invoices.values()
            if one.status is LinkStatus.NOT_CREATED and one.amount.amount > 0
        ]
        late = [one for one in (*not_created, *waiting) if is_late(one)]
        return HomeSummary(
            self.organisation,
            self.stripe,
            len(waiting),
            len(done),
            waiting[:5],
            done[:5],
            0,
            0,
            len(opens),
            kinds=tuple(kinds.most_common()),
            deadlines=tuple(one for one in opens if one.due_by is not None)[:5],
            owed=Owed(_tally(not_created), _tally(waiting), _tally(late), len(done)),
            paid_lately=_tally(done),
            runs=tuple(_in_numbers(run) for run in self.runs.values() if run.requested_by == actor.user_id)[
                :-6:-1
            ],
            rights=self.rights,
            steps=None if self.steps.done else self.steps,
            today=NOW.date(),
        )

    async def list_homes(self, actors: tuple[Actor, ...]) -> dict[Actor, HomeSummary | NotAllowed]:
        return {actor: await self.get_home(actor) for actor in actors}


def _option(one: InvoiceSummary) -> InvoiceOption:
    asked = one.link.amount if one.link else None
    return InvoiceOption(one.id, one.number, one.buyer_name, one.amount, one.status, asked, one.badges)


def _tally(invoices: Sequence[InvoiceSummary]) -> Tally:
    return Tally(len(invoices), totals(invoices))


def _in_numbers(run: BulkResult) -> RunSummary:
    created, failed = run.count(Outcome.CREATED), run.count(Outcome.FAILED)
    return RunSummary(run.id, run.requested_at, len(run.items), created, failed, run.final)
