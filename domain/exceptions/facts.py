"""The facts of an exception as they are kept: a small JSON object, without what isn't known."""

import json
from dataclasses import asdict, fields
from typing import Any

from domain.money import Money
from domain.summaries import ExceptionFacts


def write_facts(facts: ExceptionFacts) -> str:
    """Amounts become a pair of smallest units and currency."""
    kept = {
        name: [value["amount"], value["currency"]] if isinstance(value, dict) else value
        for name, value in asdict(facts).items()
        if value
    }
    return json.dumps(kept, separators=(",", ":"))


def read_facts(text: str) -> ExceptionFacts:
    """What a later version added is left out."""
    kept = json.loads(text)
    known: dict[str, Any] = {
        field.name: Money(*value) if isinstance(value := kept[field.name], list) else value
        for field in fields(ExceptionFacts)
        if field.name in kept
    }
    return ExceptionFacts(**known)
