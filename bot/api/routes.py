"""Everything that can be asked for: one table for the server and for its description."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from bot.api.answers import Invoice, InvoiceList, PutOutcomes
from bot.api.deeds import Deeds
from bot.api.events import EventList
from bot.api.requests import CURSOR, MOST_SEARCH
from domain.states import LinkStatus, Right
from domain.summaries import Actor

Json = dict[str, Any]
Deed = Callable[[Deeds, Actor, web.Request], Awaitable[web.Response]]


@dataclass(frozen=True)
class Route:
    """``answers``: by status, what it says; any other is a problem, of which ``problems`` lists those of its own."""

    method: str
    path: str
    right: Right
    deed: Deed
    summary: str
    answers: dict[int, tuple[str, type[BaseModel]]]
    problems: tuple[int, ...] = ()
    parameters: tuple[Json, ...] = ()
    body: Json | None = None
    body_is_needed: bool = True


def _query(name: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


NUMBER: Json = {
    "name": "number",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
    "description": "The invoice's number, percent-encoded: `A/1` is `A%2F1`.",
}
_INVOICES = Route(
    "GET",
    "/invoices",
    Right.LOOK,
    Deeds.list_invoices,
    "List invoices",
    {200: ("A page of up to 100 invoices.", InvoiceList)},
    problems=(404,),
    parameters=(
        _query("status", {"type": "string", "enum": list(LinkStatus)}, "Only those with this status."),
        _query(
            "search",
            {"type": "string", "maxLength": MOST_SEARCH},
            "Only those whose number, or a word of whose buyer, begins so.",
        ),
        _query(
            "changed_since",
            {"type": "string", "format": "date-time"},
            "Only those that changed since then: by an import, a link, a payment, a badge or an exception. Send `as_of` of "
            "an earlier answer.",
        ),
        _query(
            "cursor",
            {"type": "string", "pattern": f"^{CURSOR.pattern}$"},
            "`next` of the page before, with the same other parameters.",
        ),
    ),
)
ROUTES = (
    Route(
        "PUT",
        "/invoices",
        Right.IMPORT,
        Deeds.put_invoices,
        "Add invoices, and change those that are known",
        {200: ("An outcome for each invoice, in their order.", PutOutcomes)},
        problems=(408, 413, 415),
        body={"$ref": "#/components/schemas/Invoices"},
    ),
    _INVOICES,
    Route(
        "GET",
        "/invoices/{number}",
        Right.LOOK,
        Deeds.get_invoice,
        "Look at an invoice",
        {200: ("The invoice.", Invoice)},
        problems=(404,),
        parameters=(NUMBER,),
    ),
    Route(
        "POST",
        "/invoices/{number}/payment-link",
        Right.CREATE,
        Deeds.create_link,
        "Create the invoice's online payment link",
        {
            200: ("It has a link.", Invoice),
            201: ("Its link was created.", Invoice),
            202: ("Its link is being created.", Invoice),
        },
        problems=(404, 408, 409, 413, 415),
        parameters=(NUMBER,),
        body={"$ref": "#/components/schemas/ExpectedAmount"},
        body_is_needed=False,
    ),
    Route(
        "GET",
        "/events",
        Right.LOOK,
        Deeds.list_events,
        "Follow what happens",
        {200: ("Up to 100 events, in order.", EventList)},
        problems=(409, 410),
        parameters=(
            _query(
                "after",
                {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
                "`next` of the answer before; without it, from the oldest event that is kept.",
            ),
        ),
    ),
)
