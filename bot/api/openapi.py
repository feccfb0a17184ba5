"""The description of the API, OpenAPI 3.1, made from its routes and the models of its answers."""

import functools
from typing import Any

from pydantic.json_schema import models_json_schema

from bot.api.problems import PROBLEM_TYPE, ProblemDetails
from bot.api.requests import MOST_INVOICES
from bot.api.routes import ROUTES, Json, Route
from bot.version import paylink_version
from domain.files.import_fields import OPTIONAL, STATE
from domain.programs.offered import FIELDS
from domain.reasons import BillingState

PREFIX = "/api"
_REF = "#/components/schemas/{model}"
# What any request may be answered.
_ALWAYS = {
    400: "The request can't be read.",
    401: "There is no valid token.",
    403: "The token lacks the right, or its organisation isn't served here.",
    429: "More than the token's requests a second, or too many attempts without a valid token.",
    500: "Something went wrong in Paylink.",
    503: "The database doesn't answer right now, or Paylink is starting.",
}
_OWN = {
    404: "There is no such invoice, or no such page.",
    408: "The body didn't arrive in time.",
    409: "It can't be so as things stand: `type`, `detail` and `reason` say why.",
    410: "These events aren't kept any more.",
    413: "The body is too large.",
    415: "The body isn't JSON in UTF-8.",
}
_RETRY = {429, 503}


@functools.cache
def describe() -> Json:
    """The whole document, which is for reading."""
    models = {model for route in ROUTES for _, model in route.answers.values()} | {ProblemDetails}
    _, schemas = models_json_schema(
        [(model, "serialization") for model in sorted(models, key=lambda model: model.__name__)],
        ref_template=_REF,
    )
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Paylink",
            "version": paylink_version(),
            "description": "Invoices in, online payment links and what became of them out.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"] | _bodies(),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `paylink token add`.",
                }
            },
            "responses": {str(status): _problem(status, text) for status, text in (_ALWAYS | _OWN).items()},
        },
    }


def _operation(route: Route) -> Json:
    responses: Json = {
        str(status): {
            "description": text,
            "content": {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}},
        }
        for status, (text, model) in route.answers.items()
    }
    for status in sorted({*_ALWAYS, *route.problems}):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    described: Json = {
        "operationId": getattr(route.deed, "__name__", route.path),
        "summary": route.summary,
        "description": f"Needs a token with the right `{route.right}`.",
        "parameters": list(route.parameters),
        "responses": responses,
    }
    if route.body is not None:
        described["requestBody"] = {
            "required": route.body_is_needed,
            "content": {"application/json": {"schema": route.body}},
        }
    return described


def _problem(status: int, text: str) -> Json:
    described: Json = {
        "description": text,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": _REF.format(model="ProblemDetails")}}},
    }
    if status in _RETRY:
        described["headers"] = {
            "Retry-After": {
                "description": "Seconds.",
                "required": True,
                "schema": {"type": "integer", "minimum": 1},
            }
        }
    return described


def _bodies() -> dict[str, Any]:
    text = {"type": ["string", "null"]}
    fields: Json = dict.fromkeys(FIELDS, text)
    fields |= {
        "number": {"type": "string", "minLength": 1, "maxLength": 60},
        "buyer_name": {"type": "string", "minLength": 1},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "billing_amount": {
            "type": "string",
            "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
            "description": "In major units. A number is refused: it may have been a float.",
        },
        "issue_date": {"type": ["string", "null"], "format": "date"},
        "due_date": {"type": ["string", "null"], "format": "date"},
        STATE: {"enum": [*BillingState, "", None]},
    }
    return {
        "Invoices": {
            "type": "object",
            "properties": {
                "invoices": {
                    "type": "array",
                    "maxItems": MOST_INVOICES,
                    "items": {
                        "anyOf": [{"$ref": _REF.format(model="OfferedInvoice")}, {}],
                        "description": "Whatever else stands here is refused by itself, and stops no other.",
                    },
                }
            },
            "required": ["invoices"],
            "additionalProperties": False,
        },
        "OfferedInvoice": {
            "type": "object",
            "properties": fields,
            "required": [name for name in FIELDS if name not in OPTIONAL and name != STATE],
            "additionalProperties": False,
        },
        "ExpectedAmount": {
            "type": "object",
            "description": "The amount that the link is to ask for: if it isn't that, none is created.",
            "properties": {"billing_amount": fields["billing_amount"], "currency": fields["currency"]},
            "dependentRequired": {"billing_amount": ["currency"], "currency": ["billing_amount"]},
            "additionalProperties": False,
        },
    }
