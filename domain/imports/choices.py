"""How somebody said that a file is read, as it is kept: with its import, and for the next file with this heading."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

from domain.files.reading.invoice_file import NO_CHOICES, Choices, InvoiceFile, OpenQuestions
from domain.files.reading.layouts.known import BY_NAME
from domain.files.reading.layouts.layout import heading_key
from domain.files.reading.maps import read_map

_PLAIN_FIELDS = ("layout", "decimal_sign", "date_order", "currency")


def written(choices: Choices) -> str:
    values = {name: value for name in _PLAIN_FIELDS if (value := getattr(choices, name))}
    if choices.map is not None:
        values["map"] = choices.map.to_toml()
    return json.dumps(values)


def read(text: str) -> Choices:
    if not text:
        return NO_CHOICES
    values = json.loads(text)
    described = values.pop("map", None)
    return Choices(**values, map=None if described is None else read_map(described))


def pinned(file: InvoiceFile, choices: Choices) -> Choices:
    """How the file was read when it was previewed, with nothing left to be found out again."""
    layout = file.layout if choices.map is None and file.layout in BY_NAME else ""
    return replace(
        choices,
        layout=layout,
        decimal_sign=file.map.decimal_sign,
        date_order=file.map.date_order,
        currency=file.map.currency,
    )


def heading_digest(heading: Sequence[str]) -> str:
    """By which a heading is known again."""
    return hashlib.sha256("\n".join(map(heading_key, heading)).encode()).hexdigest()


def with_remembered(choices: Choices, remembered: Choices, questions: OpenQuestions) -> Choices:
    """What was said of a file with this heading before, where this one leaves it open: what the file itself decides
    stands, and what contradicts itself is asked about."""
    found = choices
    if questions.refusal and choices.map is None and remembered.map is not None:
        found = replace(found, map=remembered.map)
    for doubt in questions.doubts:
        if not doubt.others:
            found = replace(
                found, **{doubt.what: getattr(found, doubt.what) or getattr(remembered, doubt.what)}
            )
    if "currency" in questions.missing:
        found = replace(found, currency=found.currency or remembered.currency)
    return found
