"""Requests as Stripe reads them: form-encoded, nested with brackets, checked against the official SDK's own types.

The rules come from `stripe.params`: names, requirement, types and enumerations of every parameter, at any depth.
Stripe's types leave enumerations open (`Literal[...] | str`) for newer versions of the API; the server closes them.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

from stripe import RequestOptions
from stripe._stripe_object import UntypedStripeObject
from typing_extensions import is_typeddict

from sandbox.stripe.errors import ApiError, invalid

Json = dict[str, Any]
MOST_CHARACTERS = 5000
"""Stripe's limit of most string parameters, 40,000 for a product's description (maxLength in its OpenAPI description)."""


@dataclass(slots=True)
class Spec:
    """What one parameter may be. Several of the forms may be allowed at once (`created` is an integer or a hash)."""

    scalar: type | None = None
    choices: tuple[str, ...] = ()
    fields: dict[str, Spec] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    items: Spec | None = None
    values: Spec | None = None
    unsettable: bool = False


def decode(pairs: str) -> Json:
    """A query or form body into nested dicts and lists; `a[0][b]=c` and `a[]=c` are Stripe's array notations."""
    root: Json = {}
    for name, value in parse_qsl(pairs, keep_blank_values=True, encoding="utf-8", errors="strict"):
        head, *rest = name.replace("]", "").split("[")
        node, path = root, [head, *rest]
        for step in path[:-1]:
            step = step or str(len(node))
            child = node.setdefault(step, {})
            if not isinstance(child, dict):
                raise invalid(f"Invalid object: {head}", head)
            node = child
        node[path[-1] or str(len(node))] = value
    return root


@cache
def spec_of(params: type) -> Spec:
    """The Spec of one of the SDK's parameter types. A few of their annotations name types that only a type checker
    imports; those belong to the client's own options and never travel."""
    hints = get_type_hints(params, localns={"StripeContext": object, "Mapping": Mapping})
    spec = Spec(required=frozenset(getattr(params, "__required_keys__", ())))
    for name, hint in hints.items():
        if name not in RequestOptions.__annotations__:
            spec.fields[name] = _spec_of_hint(hint)
    return spec


def _spec_of_hint(hint: Any) -> Spec:
    origin, arguments = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        return spec_of(hint)
    if origin is Literal:
        filled = tuple(choice for choice in arguments if choice != "")
        return Spec(scalar=str if filled else None, choices=filled, unsettable="" in arguments)
    if origin in (Union, types.UnionType):
        return _merged(_spec_of_hint(argument) for argument in arguments if argument is not type(None))
    if origin is list:
        return Spec(items=_spec_of_hint(arguments[0]))
    if origin is dict or hint is UntypedStripeObject or origin is UntypedStripeObject:
        return Spec(values=_spec_of_hint(arguments[-1]) if arguments else Spec(scalar=str))
    return Spec(scalar=hint)


def _merged(specs: Iterable[Spec]) -> Spec:
    merged = Spec()
    for spec in specs:
        merged.scalar = spec.scalar if merged.scalar in (None, str) and spec.scalar else merged.scalar
        merged.choices += spec.choices
        merged.fields |= spec.fields
        merged.required |= spec.required
        merged.items = merged.items or spec.items
        merged.values = merged.values or spec.values
        merged.unsettable |= spec.unsettable
    return merged


def checked(params: Mapping[str, Any], spec: Spec) -> Json:
    """The parameters with their types (integers, booleans, lists), or Stripe's refusal of the first that is wrong."""
    return _hash(params, spec, "")


def _hash(value: Mapping[str, Any], spec: Spec, path: str) -> Json:
    unknown = [_name(path, key) for key in value if key not in spec.fields]
    if len(unknown) == 1:
        raise invalid(f"Received unknown parameter: {unknown[0]}", unknown[0], "parameter_unknown")
    if unknown:
        raise invalid(f"Received unknown parameters: {', '.join(unknown)}", unknown[0], "parameter_unknown")
    for key in sorted(spec.required):
        if key not in value:
            name = _name(path, key)
            raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
    return {key: _value(item, spec.fields[key], _name(path, key)) for key, item in value.items()}


def _value(value: Any, spec: Spec, path: str) -> Any:
    if isinstance(value, dict):
        return _nested(value, spec, path)
    if value == "":
        if spec.unsettable or spec.values is not None:
            return ""
        raise _empty(path)
    if spec.scalar is None:
        raise invalid(f"Invalid {'array' if spec.items else 'object'}", path)
    return _scalar(value, spec, path)


def _nested(value: Json, spec: Spec, path: str) -> Any:
    if spec.items is not None:
        if not all(key.isdecimal() for key in value):
            raise invalid("Invalid array", path)
        ordered = sorted(value, key=int)
        return [_value(value[key], spec.items, f"{path}[{key}]") for key in ordered]
    if spec.values is not None:
        return {key: _free_text(item, _name(path, key)) for key, item in value.items()}
    if not spec.fields:
        raise invalid(f"Invalid {'integer' if spec.scalar is int else 'string'}: {value}", path)
    return _hash(value, spec, path)


def _free_text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise invalid(f"Invalid string: {value}", path)
    return value


def _scalar(value: str, spec: Spec, path: str) -> Any:
    if spec.scalar is bool:
        if value not in ("true", "false"):
            raise invalid(f"Invalid boolean: {value}", path)
        return value == "true"
    if spec.scalar is int:
        if (
            not value.removeprefix("-").isascii()
            or not value.removeprefix("-").isdecimal()
            or len(value) > 18
        ):
            raise invalid(f"Invalid integer: {value}", path, "parameter_invalid_integer")
        return int(value)
    if spec.scalar in (Decimal, float):
        try:
            return str(Decimal(value))
        except ArithmeticError:
            raise invalid(f"Invalid decimal: {value}", path) from None
    if spec.choices and value not in spec.choices:
        raise invalid(f"Invalid {path}: must be one of {_any_of(spec.choices)}", path)
    most = 40_000 if path.endswith("[description]") else MOST_CHARACTERS
    if len(value) > most:
        raise too_long(value, most, path)
    return value


def _any_of(choices: tuple[str, ...]) -> str:
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])}, or {choices[-1]}"


def _name(path: str, key: str) -> str:
    return f"{path}[{key}]" if path else key


def _empty(path: str) -> ApiError:
    """/error-codes#parameter-invalid-empty"""
    last = path.rpartition("[")[2].rstrip("]")
    return invalid(
        f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset a parameter; however "
        f"'{last}' cannot be unset. You should remove '{path}' from your request or supply a non-empty value.",
        path,
        "parameter_invalid_empty",
    )


def too_long(value: str, most: int, path: str) -> ApiError:
    last = path.rpartition("[")[2].rstrip("]")
    return invalid(
        f"Invalid string: {value[:8]}...{value[-3:]}; must be at most {most} characters", path or last
    )


def check_metadata(metadata: Mapping[str, str], path: str = "metadata") -> None:
    """/api/metadata and /metadata: 50 keys, keys of 40 characters without square brackets, values of 500."""
    if len(metadata) > 50:
        raise invalid("Metadata can't have more than 50 keys.", path)
    for key, value in metadata.items():
        if not key or len(key) > 40:
            raise invalid(f"Metadata keys can have up to 40 characters. You passed in {len(key)}.", path)
        if len(value) > 500:
            raise invalid(
                f"Metadata values can have up to 500 characters, but you passed in a value that is {len(value)} "
                f"characters. Invalid value: {value[:20]}",
                f"{path}[{key}]",
            )
