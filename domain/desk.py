"""What a person at their desk can do: the one door through which handlers reach the domain.

Each method is one or two transactions and at most one request to Stripe. Each checks the organisation, so an id from
a button may be anybody's. All raise OrganisationUnknown for a workspace that isn't set up and DatabaseUnavailable.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import update_wrapper
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.orm import Session

from domain import audit
from domain.database import Database
from domain.errors import ExceptionNotFound, InvoiceNotFound, RunNotFound, SelectionNotFound
from domain.exceptions import listing
from domain.exceptions.resolving import resolve
from domain.invoices import invoices
from domain.links import bulk
from domain.links.creation import LinkCreation
from domain.lists import selections
from domain.lists.selection_ids import new_id
from domain.money import Money
from domain.organisations import organisations
from domain.overview import details, home
from domain.scope import Scope
from domain.states import LinkStatus
from domain.stripe.accounts import Accounts
from domain.summaries import (
    Actor,
    BulkResult,
    Confirmation,
    ExceptionPage,
    ExceptionSummary,
    HomeSummary,
    InvoiceDetails,
    InvoiceList,
    InvoiceOption,
    InvoiceSummary,
    OrganisationSummary,
    StripeState,
)

P = ParamSpec("P")
T = TypeVar("T")


class Desk:
    """Answers and acts for people; ``clock`` tells the time of the rules of the business."""

    def __init__(
        self,
        db: Database,
        accounts: Accounts,
        creation: LinkCreation,
        clock: Callable[[], datetime],
        *,
        poll_every: timedelta = timedelta(minutes=5),
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._creation = creation
        self._clock = clock
        self._poll_every = poll_every

    @property
    def livemode(self) -> bool:
        """Whether the configured Stripe key is a live one."""
        return self._accounts.livemode

    async def get_organisation(self, team_id: str) -> OrganisationSummary:
        return await self._db.read(organisations.get_by_team, team_id)

    # Looking at one invoice

    async def find_invoice(self, actor: Actor, number: str) -> InvoiceSummary | None:
        """By number, without regard to case or surrounding blanks."""
        return await self._read(actor, invoices.find_by_number, number)

    async def get_invoice(self, actor: Actor, invoice_id: int) -> InvoiceSummary:
        """Raises InvoiceNotFound, and audits it, when the id isn't one of this organisation's."""
        look = self._read(actor, invoices.get, invoice_id)
        return await self._audited(actor, look)

    async def find_details(self, actor: Actor, number: str) -> InvoiceDetails | None:
        """As find_invoice, with what else the details of an invoice tell."""
        found = await self._read(actor, details.find_by_number, number, self._clock())
        return found and replace(found, stripe=self._aged(found.stripe))

    async def get_details(self, actor: Actor, invoice_id: int) -> InvoiceDetails:
        """As get_invoice, with what else the details of an invoice tell."""
        look = self._read(actor, details.get, invoice_id, self._clock())
        found = await self._audited(actor, look)
        return replace(found, stripe=self._aged(found.stripe))

    async def find_nearest(self, actor: Actor, number: str) -> tuple[InvoiceOption, ...]:
        """Up to five invoices whose numbers are most like this one."""
        return await self._read(actor, invoices.find_nearest, number)

    async def find_options(self, actor: Actor, text: str) -> tuple[InvoiceOption, ...]:
        """Up to 100 invoices whose number, or any word of whose buyer, begins with the text."""
        return await self._read(actor, invoices.find_options, text)

    # Creating one link

    async def create_link(
        self, actor: Actor, invoice_id: int, seen: Money, *, patience: float
    ) -> InvoiceSummary:
        """Reserve the link, ask Stripe, record it; return the invoice as it stands then.

        ``seen`` is the amount that the person was looking at. If Stripe hasn't settled it within ``patience``
        seconds, the invoice comes back as being created, and the work goes on by itself. If somebody else was faster,
        the invoice comes back with their link. Raises InvoiceNotFound, NotEligible, AmountChanged, LedgerChanged.
        """
        return await self._audited(actor, self._creation.create(actor, invoice_id, seen, patience))

    # The list and its selection

    async def open_list(self, actor: Actor, search: str = "", *, room: int) -> InvoiceList:
        """A new selection with nothing ticked, on its first page, filtered by Not Created.

        ``room``: a page ends at 100 invoices or when it is used up; ten eligible invoices take one, each other one.
        """
        # No write: it would wait for an import's chunk before the person sees anything.
        return await self._read(actor, selections.open_list, actor, new_id(actor), search, room=room)

    async def show_list(
        self, actor: Actor, selection_id: int, *, room: int, opened_with: str | None = None
    ) -> InvoiceList:
        """The page that the selection is on. Raises SelectionNotFound (as all that follow do).

        ``opened_with``: the search of a list in which nothing was done yet, which isn't written down; None for others.
        """
        shown = self._read(
            actor, selections.show_list, actor, selection_id, room=room, opened_with=opened_with
        )
        return await self._audited(actor, shown, _selection(selection_id))

    async def tick(
        self,
        actor: Actor,
        selection_id: int,
        *,
        revision: int,
        displayed: set[int],
        ticked: set[int],
        action_ts: str,
        opened_with: str | None = None,
    ) -> int:
        """Replace the ticks of the displayed page if nothing newer has been taken in; return how many the cap left out.

        ``action_ts`` is Slack's, or empty for a submission, whose state wins. When some were left out the revision
        has moved, and the list must be shown again. Raises InvoiceNotFound for another organisation's, displayed or ticked.
        This is what comes first of all that is done in a list: with ``opened_with`` (see show_list) it writes it down.
        """
        taken = self._write(
            actor,
            _tick,
            actor,
            selection_id,
            revision=revision,
            displayed=displayed,
            ticked=ticked,
            action_ts=action_ts,
            opened_with=opened_with,
            now=self._clock(),
        )
        return await self._audited(actor, taken, _selection(selection_id))

    async def select_page(self, actor: Actor, selection_id: int, *, room: int) -> InvoiceList:
        """Tick every eligible invoice of the shown page, in page order, up to 100 in all."""
        return await self._change(selections.select_page, actor, selection_id, room=room, now=self._clock())

    async def clear_selection(self, actor: Actor, selection_id: int, *, room: int) -> InvoiceList:
        """Remove every tick on every page."""
        return await self._change(selections.clear, actor, selection_id, room=room, now=self._clock())

    async def untick(self, actor: Actor, selection_id: int, *, invoice_id: int, room: int) -> InvoiceList:
        """The page that the selection is on, to be rendered anew without this invoice's tick."""
        now = self._clock()
        return await self._change(
            selections.untick, actor, selection_id, invoice_id=invoice_id, room=room, now=now
        )

    async def turn_page(
        self, actor: Actor, selection_id: int, *, forward: bool, revision: int, room: int
    ) -> InvoiceList:
        """A click that came from an older rendering than the shown one turns nothing."""
        return await self._change(
            selections.turn_page,
            actor,
            selection_id,
            forward=forward,
            revision=revision,
            room=room,
            now=self._clock(),
        )

    async def narrow(
        self, actor: Actor, selection_id: int, *, filter: LinkStatus | None, search: str, room: int
    ) -> InvoiceList:
        """Apply a filter and a search; the ticks stay, the page is the first."""
        return await self._change(
            selections.narrow, actor, selection_id, filter=filter, search=search, room=room, now=self._clock()
        )

    async def refresh_list(self, actor: Actor, selection_id: int, *, room: int) -> InvoiceList:
        """Another list in its place once its bulk run has begun: same search and filter, first page, nothing ticked."""
        now = self._clock()
        return await self._change(
            selections.start_over, actor, selection_id, fresh_id=new_id(actor), room=room, now=now
        )

    # Bulk runs

    async def confirm(self, actor: Actor, selection_id: int) -> Confirmation:
        """What Create would do with what is ticked; remembers the amounts that the person is shown.

        Raises NothingSelected, and NotEligible with ADD_ON_MISSING.
        """
        confirmed = self._write(actor, bulk.confirm, actor, selection_id, now=self._clock())
        return await self._audited(actor, confirmed, _selection(selection_id))

    async def start_run(
        self, actor: Actor, selection_id: int, *, seal: str, submission: str, view_id: str | None
    ) -> BulkResult:
        """Commit a bulk run of what is ticked. The same ``submission`` again returns the run that it began.

        ``seal`` is that of the confirmation. Raises SelectionChanged and AmountsChanged (nothing was started: confirm
        again), NothingSelected, NotEligible with ADD_ON_MISSING, LedgerChanged.
        """
        started = self._write(
            actor,
            bulk.start,
            actor,
            selection_id,
            seal=seal,
            submission=submission,
            view_id=view_id,
            now=self._clock(),
        )
        result = await self._audited(actor, started, _selection(selection_id))
        self._creation.wake()
        return result

    async def retry_failed(
        self, actor: Actor, run_id: int, *, submission: str, view_id: str | None
    ) -> BulkResult:
        """A new run of what failed in that one.

        Raises AmountsChanged (nothing was started: see confirm_failed), RunNotFound, RunOfOtherMode, NothingSelected.
        """
        started = self._write(
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
        confirmed = self._write(actor, bulk.confirm_failed, actor, run_id, new_id(actor), now=self._clock())
        return await self._audited(actor, confirmed)

    async def get_result(self, actor: Actor, run_id: int) -> BulkResult:
        """Raises RunNotFound, RunOfOtherMode."""
        return await self._audited(actor, self._read(actor, bulk.get_result, run_id))

    async def is_followed(self, actor: Actor, run_id: int, view_id: str) -> bool:
        """Whether a later run is shown in that view by now: one that Retry Failed began there."""
        return await self._read(actor, bulk.is_followed, run_id, view_id)

    async def list_unfinished_runs(self) -> list[tuple[Actor, int, str]]:
        """Runs of the last hour that go on: who asked, the run's id, and the id of the view that shows it."""
        return await self._db.read(bulk.list_unfinished, self._clock() - timedelta(hours=1))

    async def record_outsider(self, actor: Actor, from_team: str) -> None:
        """Write down in the audit that somebody who acted from another workspace was refused."""
        await self._write(actor, _record_refusal, actor, f"workspace {from_team}", self._clock())

    # Exceptions

    async def list_exceptions(self, actor: Actor, page: int = 0) -> ExceptionPage:
        """The open ones: those with a deadline first, then the oldest; a page beyond the last one is the last one."""
        return await self._read(actor, listing.list_open, page)

    async def get_exception(self, actor: Actor, exception_id: int) -> ExceptionSummary:
        """Open or resolved. Raises ExceptionNotFound."""
        return await self._audited(actor, self._read(actor, listing.get, exception_id))

    async def resolve_exception(self, actor: Actor, exception_id: int, reason: str) -> ExceptionSummary:
        """End it in the person's name. Raises ExceptionNotFound, AlreadyResolved, ReasonUnusable."""
        ended = self._write(actor, _resolve, actor, exception_id, reason, self._clock())
        return await self._audited(actor, ended)

    # Home

    async def get_home(self, actor: Actor) -> HomeSummary:
        shown = await self._read(actor, home.get_home)
        return replace(shown, stripe=self._aged(shown.stripe))

    async def get_stripe_state(self, actor: Actor) -> StripeState:
        """When Stripe was last checked, and why the work is paused if it is."""
        return self._aged(await self._read(actor, home.get_stripe_state))

    def _aged(self, state: StripeState) -> StripeState:
        """With how long ago the last check was, by the clock that it is written down by."""
        checked = state.last_checked_at
        ago = None if checked is None else self._clock() - checked
        return replace(state, checked_ago=ago, asked_every=self._poll_every)

    async def _change(
        self,
        change: Callable[Concatenate[Session, Scope, Actor, int, P], InvoiceList],
        actor: Actor,
        selection_id: int,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> InvoiceList:
        changed = self._write(actor, change, actor, selection_id, *args, **kwargs)
        return await self._audited(actor, changed, _selection(selection_id))

    async def _read(
        self,
        actor: Actor,
        fn: Callable[Concatenate[Session, Scope, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        return await self._db.read(self._scoped(actor, fn), *args, **kwargs)

    async def _write(
        self,
        actor: Actor,
        fn: Callable[Concatenate[Session, Scope, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        return await self._db.write(self._scoped(actor, fn), *args, **kwargs)

    def _scoped(
        self, actor: Actor, fn: Callable[Concatenate[Session, Scope, P], T]
    ) -> Callable[Concatenate[Session, P], T]:
        """Find the actor's scope in the same transaction: by itself that would be one more way to the database."""

        def scoped(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> T:
            return fn(session, self._accounts.get_scope(session, actor.team_id), *args, **kwargs)

        update_wrapper(scoped, fn)
        return scoped

    async def _audited(self, actor: Actor, answer: Awaitable[T], what: str = "") -> T:
        """Await; an id that isn't this organisation's (or a selection of another person's) is refused, and written down."""
        try:
            return await answer
        except (InvoiceNotFound, ExceptionNotFound, RunNotFound, SelectionNotFound) as refusal:
            await self._write(actor, _record_refusal, actor, str(refusal) or what, self._clock())
            raise


def _selection(selection_id: int) -> str:
    return f"selection {selection_id}"


def _tick(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    *,
    revision: int,
    displayed: set[int],
    ticked: set[int],
    action_ts: str,
    opened_with: str | None,
    now: datetime,
) -> int:
    invoices.require_own(session, scope, displayed | ticked)
    return selections.tick(
        session,
        scope,
        actor,
        selection_id,
        revision=revision,
        displayed=displayed,
        ticked=ticked,
        action_ts=action_ts,
        opened_with=opened_with,
        now=now,
    )


def _resolve(
    session: Session, scope: Scope, actor: Actor, exception_id: int, reason: str, now: datetime
) -> ExceptionSummary:
    resolve(session, scope.organisation_id, exception_id, reason, by=actor.user_id, now=now)
    return listing.get(session, scope, exception_id)


def _record_refusal(session: Session, scope: Scope, actor: Actor, what: str, now: datetime) -> None:
    audit.record(
        session,
        "id.refused",
        what,
        actor=actor.user_id,
        now=now,
        organisation_id=scope.organisation_id,
    )
