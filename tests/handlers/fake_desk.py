"""A desk by hand: invoices in memory, and whatever happens next said in advance. Its methods are those of Desk."""

import asyncio
import contextlib
import difflib
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Unpack

from domain.audit.chain import Entry
from domain.audit.history import PAGE as ENTRIES
from domain.audit.history import History
from domain.connecting.summaries import AskFirst, Connected
from domain.desks.settings import SettingsShown, SetUp
from domain.errors import (
    AlreadyResolved,
    AmountChanged,
    AmountsChanged,
    ExceptionNotFound,
    ImportNotFound,
    InvoiceNotFound,
    KeyUnusable,
    LedgerChanged,
    NotAllowed,
    NotEligible,
    NothingSelected,
    NothingToRecheck,
    OrganisationUnknown,
    RunNotFound,
    SelectionChanged,
    SelectionNotFound,
)
from domain.exceptions.resolving import read_reason
from domain.import_results import ImportCounts, ImportStanding
from domain.imports.summaries import FileColumn, ImportAnswers, ImportPreview, ImportQuestion
from domain.invoices.invoices import totals
from domain.invoices.numbers.keys import number_key
from domain.links.run_results import RunSummary
from domain.lists.page_shape import PageShape
from domain.lists.summaries import Confirmation, Extent, InvoiceList, SelectionSummary
from domain.money import Money
from domain.organisations.settings import Changes, Settings
from domain.organisations.stripe_keys import StripeKeySummary
from domain.overview.summaries import (
    FollowedHome,
    FollowedView,
    HomeSummary,
    InvoiceDetails,
    LookedUp,
    Owed,
    Recheck,
    Steps,
    Tally,
)
from domain.reasons import Reason
from domain.states import Due, ImportState, KeyTrouble, LinkStatus, ListFilter, Outcome, Right, Standing
from domain.summaries import (
    Actor,
    BulkItem,
    BulkResult,
    ExceptionPage,
    ExceptionSummary,
    InvoiceOption,
    InvoiceSummary,
    OrganisationSummary,
    Resolution,
    StripeState,
)
from handlers.views.listing import PAGE
from tests.handlers.samples import NOW, organisation, with_link


@dataclass
class FakeHome:
    actor: Actor
    shown: str
    not_before: float
    until: float


class FakeDesk:
    """``failure`` is raised by whatever is asked from then on; ``delay`` holds every answer back, in seconds,
    or until ``hurry`` is set."""

    livemode = False

    def __init__(self, invoices: Iterable[InvoiceSummary] = ()) -> None:
        self.organisation = organisation()
        self.stripe = StripeState(False, NOW, None)
        self.invoices = {one.id: one for one in invoices}
        self.selections: dict[int, SelectionSummary] = {}
        self.offsets: dict[int, list[int]] = {}
        self.last_actions: dict[int, str] = {}
        self.shown: dict[int, dict[int, Money]] = {}
        self.asked_for: dict[int, Money] = {}
        self.runs: dict[int, BulkResult] = {}
        self.exceptions: dict[int, ExceptionSummary] = {}
        self.submissions: dict[str, int] = {}
        self.followed: dict[str, FollowedView] = {}
        self.homes: dict[Actor, FakeHome] = {}
        self.minutes = 0.0
        """By its clock, which tests put forward."""
        self.brought: list[tuple[Actor, str]] = []
        self.entries: list[Entry] = []
        """Of every invoice's history, in their order."""
        self.rechecked: InvoiceSummary | Exception | None = None
        """What Stripe says when it is asked again: an error, the invoice from then on, or (None) the same."""
        self.welcomed: set[Actor] = set()
        self.heard: set[tuple[str, str]] = set()
        self.failure: Exception | None = None
        self.settings = Settings()
        self.rights = frozenset(Right)
        """What everybody may do."""
        self.steps = Steps(stripe=True, channel=True, invoices=True, tried=True)
        self.key: StripeKeySummary | None = None
        self.given: list[tuple[str, str, str]] = []
        """Keys that were to be connected, with signing secret and what was confirmed."""
        self.connected: Connected | AskFirst | Exception = KeyUnusable(KeyTrouble.REFUSED)
        """What comes of it."""
        self.checked = asyncio.Event()
        """Until it is set, Stripe hasn't answered."""
        self.checked.set()
        self.delay = 0.0
        self.hurry = asyncio.Event()
        self.outcome: Exception | str | None = None
        """What comes of create_link: an error, the sentence of a refusal, or (None) a link."""
        self.answers = asyncio.Event()
        """Until it is set, a link that is asked for stays being created after ``patience``."""
        self.answers.set()
        self.created: list[int] = []

    async def _asked(self, actor: Actor | None = None) -> None:
        if self.delay:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.hurry.wait(), self.delay)
        if self.failure is not None:
            raise self.failure
        if actor is not None and actor.team_id != self.organisation.team_id:
            raise OrganisationUnknown(actor.team_id)

    async def check(self, actor: Actor, deed: Right) -> None:
        await self._asked(actor)
        if deed not in self.rights:
            raise NotAllowed(deed, Standing.MEMBER)

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

    async def get_invoice(self, actor: Actor, invoice_id: int) -> InvoiceSummary:
        await self._asked(actor)
        if invoice_id not in self.invoices:
            raise InvoiceNotFound(str(invoice_id))
        return self.invoices[invoice_id]

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
        found = found or [one for one in self.invoices.values() if _found(one, text)]
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

    def follow_view(self, view: FollowedView) -> None:
        if view.invoice_id in self.invoices:
            self.followed[view.view_id] = view

    async def write_down_followed(self) -> None:
        pass

    async def follow_longer(self, actor: Actor, view_id: str) -> None:
        await self._asked(actor)

    async def list_followed_teams(self) -> frozenset[str]:
        homes = {home.actor.team_id for home in self.homes.values() if home.until > self.minutes}
        return frozenset(view.actor.team_id for view in self.followed.values()) | homes

    async def list_followed(self, team_id: str) -> tuple[FollowedView, ...]:
        return tuple(self.followed.values())

    async def mark_followed(self, view: FollowedView, shown: str) -> bool:
        if self.followed.get(view.view_id) != view:
            return False
        self.followed[view.view_id] = replace(view, shown=shown)
        return True

    async def forget_view(self, view: FollowedView) -> None:
        self.followed.pop(view.view_id, None)

    async def follow_home(self, actor: Actor, shown: str) -> None:
        await self._asked(actor)
        whose = Actor(actor.team_id, actor.user_id)
        self.homes[whose] = FakeHome(whose, shown, self.minutes + 10 / 60, self.minutes + 30)

    async def list_due_homes(self, team_id: str) -> tuple[FollowedHome, ...]:
        now = self.minutes
        due = [one for one in self.homes.values() if one.not_before <= now < one.until]
        return tuple(FollowedHome(one.actor, one.shown) for one in due if one.actor.team_id == team_id)

    async def take_home(self, home: FollowedHome) -> bool:
        kept = self.homes[home.actor]
        if kept.shown != home.shown or kept.not_before > self.minutes:
            return False
        kept.not_before = self.minutes + 10 / 60
        return True

    async def mark_home(self, home: FollowedHome, shown: str) -> None:
        self.homes[home.actor].shown = shown

    async def list_exceptions(self, actor: Actor, page: int = 0) -> ExceptionPage:
        await self._asked(actor)
        opens = [one for one in self.exceptions.values() if one.resolution is None]
        page = max(min(page, (len(opens) - 1) // 20), 0)
        shown = tuple(opens[page * 20 : page * 20 + 20])
        return ExceptionPage(shown, page, page * 20 + 20 < len(opens), len(opens))

    async def get_exception(self, actor: Actor, exception_id: int) -> ExceptionSummary:
        await self._asked(actor)
        if exception_id not in self.exceptions:
            raise ExceptionNotFound(f"exception {exception_id}")
        return self.exceptions[exception_id]

    async def resolve_exception(self, actor: Actor, exception_id: int, reason: str) -> ExceptionSummary:
        one = await self.get_exception(actor, exception_id)
        reason = read_reason(reason)
        if one.resolution is None:
            ended = Resolution(NOW, actor.user_id, reason)
            self.exceptions[exception_id] = replace(one, resolution=ended)
        elif (one.resolution.by, one.resolution.reason) != (actor.user_id, reason):
            raise AlreadyResolved(exception_id)
        return self.exceptions[exception_id]

    async def bring_in(self, actor: Actor, name: str, content: bytes) -> int:
        await self._asked(actor)
        self.brought.append((actor, name))
        return len(self.brought)

    async def preview_import(self, actor: Actor, import_id: int) -> ImportPreview | ImportQuestion:
        name = await self._brought(actor, import_id)
        return ImportPreview(import_id, name, "plain", (), ImportCounts(new=1), (), (), ())

    async def answer_import(
        self, actor: Actor, import_id: int, answers: ImportAnswers
    ) -> ImportPreview | ImportQuestion:
        return await self.preview_import(actor, import_id)

    async def question_import(self, actor: Actor, import_id: int) -> ImportQuestion:
        name = await self._brought(actor, import_id)
        columns = (FileColumn(0, "Number", ("INV-1",)),)
        return ImportQuestion(import_id, name, columns, asks_columns=True, asks_currency=True)

    async def start_import(self, actor: Actor, import_id: int, *, view_id: str | None) -> ImportStanding:
        return await self.get_import(actor, import_id)

    async def get_import(self, actor: Actor, import_id: int) -> ImportStanding:
        name = await self._brought(actor, import_id)
        counts = ImportCounts(new=1)
        return ImportStanding(import_id, name, ImportState.FINISHED, counts, counts)

    async def list_unfinished_imports(self) -> list[tuple[Actor, int, str]]:
        return []

    async def _brought(self, actor: Actor, import_id: int) -> str:
        await self._asked(actor)
        if not 1 <= import_id <= len(self.brought) or self.brought[import_id - 1][0] != actor:
            raise ImportNotFound(f"import {import_id}")
        return self.brought[import_id - 1][1]

    async def find_nearest(self, actor: Actor, number: str) -> tuple[InvoiceOption, ...]:
        await self._asked(actor)
        by_number = {one.number: one for one in self.invoices.values()}
        return tuple(_option(by_number[each]) for each in difflib.get_close_matches(number, by_number, 5, 0))

    async def find_options(self, actor: Actor, text: str) -> tuple[InvoiceOption, ...]:
        await self._asked(actor)
        return tuple(_option(one) for one in self.invoices.values() if _found(one, text))[:100]

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

    def settle(self, invoice_id: int) -> None:
        """Stripe has answered."""
        one = replace(self.invoices[invoice_id], reason=None)
        if isinstance(self.outcome, str):
            self.invoices[invoice_id] = replace(one, refusal=self.outcome)
        else:
            self.created.append(invoice_id)
            self.invoices[invoice_id] = with_link(one)

    async def open_list(self, actor: Actor, search: str = "", *, shape: PageShape) -> InvoiceList:
        await self._asked(actor)
        new = len(self.selections) + 1
        self.selections[new] = SelectionSummary(new, LinkStatus.NOT_CREATED, search, 1, frozenset())
        self.offsets[new] = [0]
        return self._page(new, shape)

    async def show_list(
        self, actor: Actor, selection_id: int, *, shape: PageShape, opened_with: str | None = None
    ) -> InvoiceList:
        await self._asked(actor)
        self._get(selection_id)
        return self._page(selection_id, shape)

    async def tick(
        self,
        actor: Actor,
        selection_id: int,
        *,
        revision: int,
        displayed: set[int],
        ticked: set[int],
        acted_at: str,
        opened_with: str | None = None,
    ) -> int:
        await self._asked(actor)
        selection = self._get(selection_id)
        if acted_at and (selection.revision != revision or not self._is_newer(selection_id, acted_at)):
            return 0
        self.last_actions[selection_id] = acted_at or self.last_actions.get(selection_id, "")
        kept = selection.ticked - (displayed - ticked) if selection.revision == revision else selection.ticked
        wanted = sorted(ticked - kept)
        added = wanted[: 100 - len(kept)]
        left_out = len(wanted) - len(added)
        self._set(selection_id, ticked=kept | set(added), revision=revision + bool(left_out))
        return left_out

    async def select_page(self, actor: Actor, selection_id: int, *, shape: PageShape) -> InvoiceList:
        await self._asked(actor)
        selection = self._touch(selection_id)
        page = self._page(selection_id, shape)
        wanted = [one.id for one in page.invoices if one.eligible and one.id not in selection.ticked]
        added = wanted[: 100 - len(selection.ticked)]
        self._set(selection_id, ticked=selection.ticked | set(added))
        return replace(self._page(selection_id, shape), left_out=len(wanted) - len(added))

    async def clear_selection(self, actor: Actor, selection_id: int, *, shape: PageShape) -> InvoiceList:
        await self._asked(actor)
        self._touch(selection_id)
        self._set(selection_id, ticked=frozenset())
        return self._page(selection_id, shape)

    async def untick(
        self, actor: Actor, selection_id: int, *, invoice_id: int, shape: PageShape
    ) -> InvoiceList:
        await self._asked(actor)
        self._set(selection_id, ticked=self._touch(selection_id).ticked - {invoice_id})
        return self._page(selection_id, shape)

    async def turn_page(
        self, actor: Actor, selection_id: int, *, forward: bool, revision: int, shape: PageShape
    ) -> InvoiceList:
        await self._asked(actor)
        if self._get(selection_id).revision == revision:
            offsets, page = self.offsets[selection_id], self._page(selection_id, shape)
            if forward and page.has_next:
                offsets.append(offsets[-1] + len(page.invoices))
            elif not forward and len(offsets) > 1:
                offsets.pop()
            self._touch(selection_id)
        return self._page(selection_id, shape)

    async def narrow(
        self, actor: Actor, selection_id: int, *, filter: ListFilter | None, search: str, shape: PageShape
    ) -> InvoiceList:
        await self._asked(actor)
        self._touch(selection_id)
        self._set(selection_id, filter=filter, search=search)
        self.offsets[selection_id] = [0]
        return self._page(selection_id, shape)

    async def refresh_list(self, actor: Actor, selection_id: int, *, shape: PageShape) -> InvoiceList:
        self.offsets[selection_id] = [0]
        return await self.clear_selection(actor, selection_id, shape=shape)

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
        late = [one for one in (*not_created, *waiting) if _is_late(one)]
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

    async def get_settings(self, actor: Actor) -> Settings:
        await self.check(actor, Right.SETTINGS)
        return self.settings

    async def change_settings(
        self, actor: Actor, *, channel: str | None = None, **changes: Unpack[Changes]
    ) -> Settings:
        await self.check(actor, Right.SETTINGS)
        if channel is not None:
            self.organisation = replace(self.organisation, channel=channel)
        self.settings = replace(self.settings, **changes)
        return self.settings

    async def get_set_up(self, actor: Actor) -> SetUp:
        await self.check(actor, Right.LOOK)
        return SetUp(self.steps, Right.SETTINGS in self.rights)

    async def note_tried(self, actor: Actor) -> None:
        await self._asked(actor)
        self.steps = replace(self.steps, tried=True)

    async def show_settings(self, actor: Actor) -> SettingsShown:
        await self.check(actor, Right.SETTINGS)
        return SettingsShown(self.settings, self.organisation.channel, self.key, key_is_given=False)

    async def connect_stripe(
        self, actor: Actor, key: str, signing_secret: str, *, confirmed: str
    ) -> Connected | AskFirst:
        await self.check(actor, Right.SETTINGS)
        self.given.append((key, signing_secret, confirmed))
        await self.checked.wait()
        if isinstance(self.connected, Exception):
            raise self.connected
        return self.connected

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

    def _get(self, selection_id: int) -> SelectionSummary:
        if selection_id not in self.selections:
            raise SelectionNotFound
        return self.selections[selection_id]

    def _set(self, selection_id: int, **changes: object) -> None:
        self.selections[selection_id] = replace(self._get(selection_id), **changes)  # type: ignore[arg-type]

    def _is_newer(self, selection_id: int, acted_at: str) -> bool:
        last = self.last_actions.get(selection_id)
        return not last or Decimal(acted_at) > Decimal(last)

    def _touch(self, selection_id: int) -> SelectionSummary:
        self._set(selection_id, revision=self._get(selection_id).revision + 1)
        return self._get(selection_id)

    def _page(self, selection_id: int, shape: PageShape) -> InvoiceList:
        selection = self._get(selection_id)
        found = [one for one in self.invoices.values() if _found(one, selection.search)]
        found = [one for one in found if selection.filter in (None, one.status, Due.OVERDUE)]
        if selection.filter is Due.OVERDUE:
            found = [one for one in found if _is_late(one)]
        found.sort(key=lambda one: (not one.eligible, one.due_date or date.max, one.number))
        start = self.offsets[selection_id][-1]
        page = found[start : start + shape.count_fitting(found[start:])]
        more = start + len(page) < len(found)
        number = len(self.offsets[selection_id])
        ticks = sum(one.eligible for one in found)
        extent = Extent(len(found), shape.count_pages(ticks, len(found) - ticks))
        return InvoiceList(
            self.organisation,
            selection,
            tuple(page),
            number,
            more,
            NOW.date(),
            extent if not selection.search or (number == 1 and not more) else None,
            totals(self.invoices[key] for key in selection.ticked),
        )


def _option(one: InvoiceSummary) -> InvoiceOption:
    asked = one.link.amount if one.link else None
    return InvoiceOption(one.id, one.number, one.buyer_name, one.amount, one.status, asked, one.badges)


def _found(one: InvoiceSummary, text: str) -> bool:
    words = [one.number, *one.buyer_name.split()]
    return any(word.casefold().startswith(text.casefold()) for word in words)


def _is_late(one: InvoiceSummary) -> bool:
    return one.status is not LinkStatus.PAID and one.due_date is not None and one.due_date < NOW.date()


def _tally(invoices: Sequence[InvoiceSummary]) -> Tally:
    return Tally(len(invoices), totals(invoices))


def _in_numbers(run: BulkResult) -> RunSummary:
    created, failed = run.count(Outcome.CREATED), run.count(Outcome.FAILED)
    return RunSummary(run.id, run.requested_at, len(run.items), created, failed, run.final)


def _sum(invoices: Iterable[InvoiceSummary], currency: str) -> int:
    return sum(one.amount.amount for one in invoices if one.amount.currency == currency)


def _queued(one: InvoiceSummary) -> BulkItem:
    outcome = Outcome.BEING_CREATED if one.eligible else Outcome.SKIPPED
    return BulkItem(one.id, one.number, outcome, reason=one.reason)
