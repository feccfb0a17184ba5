"""What all parts of a fake desk share: its invoices in memory, and whatever happens next said in advance."""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from domain.audit.chain import Entry
from domain.connecting.summaries import AskFirst, Connected
from domain.errors import (
    InvoiceNotFound,
    KeyUnusable,
    NotAllowed,
    OrganisationUnknown,
)
from domain.lists.summaries import SelectionSummary
from domain.money import Money
from domain.organisations.settings import Settings
from domain.organisations.stripe_keys import StripeKeySummary
from domain.overview.summaries import (
    FollowedView,
    Steps,
)
from domain.states import KeyTrouble, LinkStatus, Right, Standing
from domain.summaries import (
    Actor,
    BulkResult,
    ExceptionSummary,
    InvoiceSummary,
    StripeState,
)
from tests.handlers.samples import NOW, organisation, with_link


@dataclass
class FakeHome:
    actor: Actor
    shown: str
    not_before: float
    until: float


class FakeScopedDesk:
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

    async def get_invoice(self, actor: Actor, invoice_id: int) -> InvoiceSummary:
        await self._asked(actor)
        if invoice_id not in self.invoices:
            raise InvoiceNotFound(str(invoice_id))
        return self.invoices[invoice_id]

    def settle(self, invoice_id: int) -> None:
        """Stripe has answered."""
        one = replace(self.invoices[invoice_id], reason=None)
        if isinstance(self.outcome, str):
            self.invoices[invoice_id] = replace(one, refusal=self.outcome)
        else:
            self.created.append(invoice_id)
            self.invoices[invoice_id] = with_link(one)


def matches(one: InvoiceSummary, text: str) -> bool:
    words = [one.number, *one.buyer_name.split()]
    return any(word.casefold().startswith(text.casefold()) for word in words)


def is_late(one: InvoiceSummary) -> bool:
    return one.status is not LinkStatus.PAID and one.due_date is not None and one.due_date < NOW.date()
