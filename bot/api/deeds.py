"""What is done for programs: each asks the desk, and answers or raises a problem."""

import asyncio

from aiohttp import web
from pydantic import BaseModel

from bot.api import answers, events, requests
from bot.api.answers import Invoice, PutOutcome, PutOutcomes
from bot.api.problems import Problem, differs, not_found, unavailable
from domain.desk import Desk
from domain.errors import AmountChanged, LedgerChanged, NotEligible
from domain.feed.reading import FeedForgotten, FeedUnknown
from domain.files.import_fields import ImportedInvoice
from domain.money import Money
from domain.overview.summaries import InvoiceDetails
from domain.programs.offered import Offered, Refusal, Repetition, read_offer, sort_out
from domain.programs.pages import CursorUnreadable
from domain.programs.putting import Outcome
from domain.states import Right
from domain.summaries import Actor
from handlers.words.sentences import REASONS

# Seconds that a program waits for Stripe before it hears that the link is being created.
PATIENCE = 5.0
# Read between two moments in which others have their turn.
AT_ONCE = 50
# Without an expectation the amount is what it is: another one is taken as often as it changes meanwhile.
_ATTEMPTS = 3


class Deeds:
    """``desk``: None before the bot has begun."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def put_invoices(self, actor: Actor, request: web.Request) -> web.Response:
        requests.read_nothing(request)
        body = await requests.read_json(request)
        assert body is not None
        offers = []
        for index, item in enumerate(requests.read_invoices(body)):
            if index % AT_ONCE == 0:
                await asyncio.sleep(0)
            offers.append(read_offer(index, item))
        sorted_out = sort_out(offers)
        rows = [one for one in sorted_out if isinstance(one, ImportedInvoice)]
        refused = sum(isinstance(one, Refusal) for one in sorted_out)
        taken = await self._desk.put_invoices(actor, rows, refused=refused) if rows else {}
        numbers = [one.number for one in offers]
        return _answer(
            PutOutcomes(
                outcomes=[
                    _outcome(one, number, taken) for one, number in zip(sorted_out, numbers, strict=True)
                ]
            )
        )

    async def list_invoices(self, actor: Actor, request: web.Request) -> web.Response:
        question = requests.read_question(request)
        try:
            page = await self._desk.list_invoices(actor, question)
        except CursorUnreadable:
            raise not_found(
                "This cursor leads to no page: send `next` of the last one, with the same parameters."
            ) from None
        return _answer(answers.page_of(page))

    async def get_invoice(self, actor: Actor, request: web.Request) -> web.Response:
        requests.read_nothing(request)
        return _answer(_shown(await self._find(actor, request)))

    async def create_link(self, actor: Actor, request: web.Request) -> web.Response:
        requests.read_nothing(request)
        expected = requests.read_expected(await requests.read_json(request, optional=True))
        for _ in range(_ATTEMPTS):
            found = await self._find(actor, request, Right.CREATE)
            invoice = found.invoice
            if invoice.link is not None or invoice.being_created:
                return _standing(found, expected, 200)
            seen = expected or invoice.amount
            try:
                made = await self._desk.create_link(actor, invoice.id, seen, patience=PATIENCE)
            except AmountChanged as changed:
                if expected is not None:
                    raise differs(str(changed.now), str(expected)) from None
                continue
            except NotEligible as refusal:
                raise Problem(409, "not-eligible", REASONS[refusal.reason], reason=refusal.reason) from None
            except LedgerChanged:
                raise unavailable("Paylink is being connected to another Stripe account.") from None
            if made.refusal is not None and made.link is None:
                raise Problem(409, "refused-by-stripe", made.refusal or "Stripe gave no reason.")
            ours = made.link is not None and made.link.created_by == actor.user_id
            return _standing(await self._find(actor, request, Right.CREATE), expected, 201 if ours else 200)
        raise unavailable("The invoice's amount changes right now.")

    async def list_events(self, actor: Actor, request: web.Request) -> web.Response:
        after = requests.read_after(request)
        try:
            page = await self._desk.list_events(actor, after)
        except FeedForgotten:
            raise Problem(
                410,
                "events-forgotten",
                "What happened after this position isn't kept any more: events are kept for 30 days. Ask without `after`, and "
                "look at your invoices anew.",
            ) from None
        except FeedUnknown:
            raise Problem(
                409,
                "events-unknown",
                "No event has this position yet. Was Paylink's database restored from a backup? Ask without `after`, and look "
                "at your invoices anew.",
            ) from None
        return _answer(events.page_of(page))

    async def _find(self, actor: Actor, request: web.Request, to: Right = Right.LOOK) -> InvoiceDetails:
        found = await self._desk.find_details(actor, requests.read_number(request), to=to)
        if found is None:
            raise not_found("There is no invoice with this number.")
        return found


_SEVERAL = "several invoices have this number: write it exactly as one of them is written"


def _outcome(one: Offered, number: str | None, taken: dict[str, Outcome]) -> PutOutcome:
    if isinstance(one, Refusal):
        return answers.refused(one)
    if isinstance(one, Repetition):
        why = f"the same as invoices[{one.index}]"
        return PutOutcome(number=number, outcome=Outcome.UNCHANGED, reason=why)
    if taken[one.number_key] is Outcome.REFUSED:
        return answers.refused(Refusal("number", _SEVERAL, number))
    return PutOutcome(number=number, outcome=taken[one.number_key])


def _standing(found: InvoiceDetails, expected: Money | None, status: int) -> web.Response:
    link = found.invoice.link
    if link is None:
        return _answer(_shown(found), 202, {"Retry-After": "1"})
    if expected is not None and expected != link.amount:
        raise differs(str(link.amount), str(expected))
    return _answer(_shown(found), status)


def _shown(found: InvoiceDetails) -> Invoice:
    return answers.invoice_of(found.invoice, found.exceptions)


def _answer(model: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        text=model.model_dump_json(), status=status, content_type="application/json", headers=headers
    )
