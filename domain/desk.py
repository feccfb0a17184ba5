"""What a person at their desk can do, or a program: the one door through which handlers and the API reach the domain.

Each method is one or two transactions and at most one request to Stripe (three for a recheck). Each checks the organisation, so an id from
a button may be anybody's. All raise OrganisationUnknown for a workspace that isn't set up and DatabaseUnavailable.
"""

from dataclasses import replace

from domain.audit.history import History
from domain.desks.exceptions import ExceptionDesk
from domain.desks.imports import ImportDesk
from domain.desks.lists import ListDesk
from domain.desks.open_views import ViewDesk
from domain.desks.programs import ProgramDesk
from domain.desks.runs import RunDesk
from domain.desks.scoped import record_not_made, record_refusal
from domain.desks.settings import SettingsDesk
from domain.errors import NotAllowed, NotEligible
from domain.invoices import invoices
from domain.links import rechecking
from domain.money import Money
from domain.organisations import greeting, organisations
from domain.overview import details, home
from domain.overview.summaries import HomeSummary, InvoiceDetails, LookedUp, Recheck
from domain.rights.allowances import Costly
from domain.states import Right
from domain.summaries import Actor, InvoiceOption, InvoiceSummary, OrganisationSummary, StripeState


class Desk(ListDesk, RunDesk, ExceptionDesk, ImportDesk, ViewDesk, ProgramDesk, SettingsDesk):
    """Answers and acts for people and programs: all that is asked for from outside, in parts by what it is about (domain/desks/)."""

    async def get_organisation(self, team_id: str) -> OrganisationSummary:
        return await self._db.read(organisations.get_by_team, team_id)

    # Looking at one invoice

    async def find_invoice(self, actor: Actor, number: str) -> InvoiceSummary | None:
        """By number, however it is written (domain/invoices/numbers/keys.py)."""
        return await self._read(Right.LOOK, actor, invoices.find_by_number, number)

    async def get_invoice(self, actor: Actor, invoice_id: int) -> InvoiceSummary:
        """Raises InvoiceNotFound, and audits it, when the id isn't one of this organisation's."""
        look = self._read(Right.LOOK, actor, invoices.get, invoice_id)
        return await self._audited(actor, look)

    async def find_details(
        self, actor: Actor, number: str, *, to: Right = Right.LOOK
    ) -> InvoiceDetails | None:
        """As find_invoice, with what else the details of an invoice tell. ``to``: what for: whoever may only create links sees
        what they create them for."""
        found = await self._read(to, actor, details.find_by_number, number, self._clock())
        return found and replace(found, stripe=self._aged(found.stripe))

    async def look_up(self, actor: Actor, text: str) -> LookedUp:
        """What somebody means who typed this: see find_details, and the invoices among which they have to choose."""
        found = await self._read(Right.LOOK, actor, details.look_up, text, self._clock())
        one = found.details
        return found if one is None else replace(found, details=replace(one, stripe=self._aged(one.stripe)))

    async def get_details(self, actor: Actor, invoice_id: int) -> InvoiceDetails:
        """As get_invoice, with what else the details of an invoice tell."""
        look = self._read(Right.LOOK, actor, details.get, invoice_id, self._clock())
        found = await self._audited(actor, look)
        return replace(found, stripe=self._aged(found.stripe))

    async def get_history(self, actor: Actor, invoice_id: int, page: int) -> tuple[InvoiceSummary, History]:
        """What the audit says of an invoice, a page of it. Raises InvoiceNotFound."""
        look = self._read(Right.LOOK, actor, details.get_history, invoice_id, page)
        return await self._audited(actor, look)

    async def recheck(self, actor: Actor, invoice_id: int) -> Recheck:
        """Ask Stripe about the invoice's link now, with three requests at most, and record what it says.

        Raises InvoiceNotFound, NotEligible with NOT_CONNECTED, NothingToRecheck, RecheckedLately within 30 seconds of anybody's
        last one, TooOften, StripeUnasked.
        """
        self.door.spend(actor, Costly.RECHECK)
        before = await self.get_details(actor, invoice_id)
        stripe_id = await self._write(Right.LOOK, actor, rechecking.claim, actor, invoice_id)
        await self._watching.recheck(before.organisation.id, stripe_id)
        return Recheck(before, await self.get_details(actor, invoice_id))

    async def find_nearest(self, actor: Actor, number: str) -> tuple[InvoiceOption, ...]:
        """Up to five invoices whose numbers are most like this one."""
        return await self._read(Right.LOOK, actor, invoices.find_nearest, number)

    async def find_options(self, actor: Actor, text: str) -> tuple[InvoiceOption, ...]:
        """Up to 100 invoices whose number, or any word of whose buyer, begins with the text."""
        return await self._read(Right.LOOK, actor, invoices.find_options, text)

    # Creating one link

    async def create_link(
        self,
        actor: Actor,
        invoice_id: int,
        seen: Money,
        *,
        patience: float,
        livemode: bool | None = None,
    ) -> InvoiceSummary:
        """Reserve the link, ask Stripe, record it; return the invoice as it stands then.

        ``seen`` is the amount that the person was looking at, ``livemode`` the mode, if it was shown. If Stripe hasn't settled it within ``patience``
        seconds, the invoice comes back as being created, and the work goes on by itself. If somebody else was faster,
        the invoice comes back with their link. Raises InvoiceNotFound, NotEligible, AmountChanged, LedgerChanged.
        """
        created = self.door.pass_through(
            actor,
            Right.CREATE,
            lambda enter: self._creation.create(actor, enter, invoice_id, seen, patience, livemode),
        )
        try:
            return await self._audited(actor, created)
        except NotEligible as refusal:
            refused = self._scoped(actor, record_not_made)
            await self._db.write(refused, actor, invoice_id, refusal, self._clock())
            raise

    async def record_outsider(self, actor: Actor, from_team: str) -> None:
        """Write down in the audit that somebody who acted from another workspace was refused."""
        refused = self._scoped(actor, record_refusal)
        await self._db.write(refused, actor, f"workspace {from_team}", self._clock())

    # Being met

    async def welcome(self, actor: Actor) -> bool:
        """Whether to welcome them now: once for each person, whichever process asks."""
        return await self._write(Right.LOOK, actor, greeting.welcome, actor.user_id, self._clock())

    async def forget_welcome(self, actor: Actor) -> None:
        """The welcome certainly wasn't posted."""
        await self._db.write(self._scoped(actor, greeting.forget_welcome), actor.user_id)

    async def take_event(self, actor: Actor, event_id: str) -> bool:
        """Whether this event of Slack's is to be answered: once, whichever processes it comes to."""
        return await self._db.write(self._scoped(actor, greeting.take_event), event_id, self._clock())

    # Home

    async def get_home(self, actor: Actor) -> HomeSummary:
        shown = await self._read(Right.LOOK, actor, home.get_home, actor, self._clock())
        return self._complete(shown)

    async def list_homes(self, actors: tuple[Actor, ...]) -> dict[Actor, HomeSummary | NotAllowed]:
        """As get_home, for people of one workspace, one at least; behind what people wait for. What they already see is drawn
        anew: those whom Slack doesn't say anything of are left out."""
        sorted_out = await self.door.sort_out(actors, Right.LOOK)
        refused = {actor: one for actor, one in sorted_out.items() if isinstance(one, NotAllowed)}
        let_in = {actor: one for actor, one in sorted_out.items() if not isinstance(one, NotAllowed)}
        if not let_in:
            return {**refused}
        shown = await self._db.background_read(home.list_homes, let_in, self._clock())
        return {**refused} | {actor: self._complete(one) for actor, one in shown.items()}

    def _complete(self, shown: HomeSummary) -> HomeSummary:
        """With what this process knows and the database doesn't."""
        steps = shown.steps and self._with_key(shown.steps)
        return replace(shown, stripe=self._aged(shown.stripe), steps=steps)

    async def get_stripe_state(self, actor: Actor) -> StripeState:
        """When Stripe was last checked, and why the work is paused if it is."""
        return self._aged(await self._read(Right.LOOK, actor, home.get_stripe_state))

    def _aged(self, state: StripeState) -> StripeState:
        """With how long ago the last check was, by the clock that it is written down by."""
        checked = state.last_checked_at
        ago = None if checked is None else self._clock() - checked
        return replace(state, checked_ago=ago, asked_every=self._poll_every)
