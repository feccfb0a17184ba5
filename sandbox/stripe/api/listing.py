"""Lists and expansion, alike for every kind of object (/api/pagination, /expand)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from sandbox.stripe.act import Act
from sandbox.stripe.errors import ApiError, invalid
from sandbox.stripe.world import KINDS

Json = dict[str, Any]
Keep = Callable[[Json], bool]
DEEPEST = 4
"""/expand: four levels."""


def listed(items: Iterable[Any], params: Json, url: str) -> Json:
    """One page; `items` come in the direction that the cursor asks for."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        bound = "greater than or equal to 1" if limit < 1 else "less than or equal to 100"
        raise invalid(f"This value must be {bound}.", "limit", "parameter_invalid_integer")
    page = list(islice(items, limit + 1))
    has_more = len(page) > limit
    page = page[:limit]
    if "ending_before" in params:
        page.reverse()
    return {"object": "list", "data": page, "has_more": has_more, "url": url}


def shelf_page(act: Act, kind: str, params: Json, url: str, keep: Keep) -> Json:
    """Newest first, after or before a cursor."""
    shelf = act.world.shelves[kind]
    cursor, param = _cursor(params)
    items: Iterator[Json]
    if cursor is None:
        items = shelf.newest_first()
    else:
        act.get(kind, cursor, param=param, status=400)
        place = shelf.place(cursor) or 0
        items = shelf.newest_first(place) if param == "starting_after" else shelf.oldest_first(place)
    return listed(filter(keep, act.world.late.listed(items, act.now)), params, url)


def event_page(act: Act, params: Json, url: str, keep: Keep) -> Json:
    """As above over the events that are visible by now. A cursor that is older than 30 days is gone."""
    log, (cursor, param) = act.world.events, _cursor(params)
    place = None if cursor is None else log.find(cursor, now=act.now)
    if cursor is not None and place is None:
        raise ApiError(400, f"No such event: '{cursor}'", param=param, code="resource_missing")
    if place is None or param == "starting_after":
        entries = log.newest_first(now=act.now, before=place, since=_created_bounds(params)[0])
    else:
        entries = log.oldest_first(now=act.now, after=place)
    page = listed((entry for entry in entries if keep(entry.head)), params, url)
    return page | {"data": [entry.shown() for entry in page["data"]]}


def _cursor(params: Json) -> tuple[str | None, str]:
    if "starting_after" in params and "ending_before" in params:
        raise invalid(
            "You may only specify one of these parameters: starting_after, ending_before.", "ending_before"
        )
    for param in ("starting_after", "ending_before"):
        if param in params:
            return params[param], param
    return None, ""


def created_within(params: Json) -> Keep:
    """The `created` filter: a time, or bounds."""
    if "created" not in params:
        return lambda item: True
    low, high = _created_bounds(params)
    return lambda item: bool(low <= item["created"] <= high)


def _created_bounds(params: Json) -> tuple[int, int]:
    asked = params.get("created", {})
    if isinstance(asked, int):
        return asked, asked
    latest = 1 << 62
    return max(asked.get("gte", 0), asked.get("gt", -1) + 1), min(
        asked.get("lte", latest), asked.get("lt", latest) - 1
    )


def expanded(act: Act, item: Json, paths: Iterable[str]) -> Json:
    """A copy with the fields that `expand[]` names in place of their ids."""
    for path in paths:
        steps = path.split(".")
        if len(steps) - (steps[0] == "data") > DEEPEST:
            raise invalid(
                f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}", "expand"
            )
        item = _expanded_at(act, item, steps, path)
    return item


def _expanded_at(act: Act, item: Json, steps: list[str], path: str) -> Json:
    step, rest = steps[0], steps[1:]
    if step == "data" and item.get("object") == "list":
        return (
            item | {"data": [_expanded_at(act, entry, rest, path) for entry in item["data"]]}
            if rest
            else item
        )
    value = item.get(step)
    if value is None:
        value = _included(act, item, step)
        if value is None:
            if step in item:
                return item
            raise invalid(
                f"This property cannot be expanded ({path})."
                + (
                    f" You may want to try expanding 'data.{path}' instead."
                    if item.get("object") == "list"
                    else ""
                ),
                "expand",
            )
    elif isinstance(value, str):
        found = act.world.find(value) if value.partition("_")[0] in KINDS and step != "id" else None
        if found is None and not value.startswith(("txn_", "pm_")):
            raise invalid(f"This property cannot be expanded ({path}).", "expand")
        value = found or value
    elif not isinstance(value, dict) or not (rest or "id" in value):
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    if rest and isinstance(value, dict):
        value = _expanded_at(act, value, rest, path)
    return item | {step: value}


def _included(act: Act, item: Json, step: str) -> Json | None:
    """Lists that only appear when they are asked for."""
    kind, object_id = item.get("object"), item.get("id")
    if step == "line_items" and kind in ("payment_link", "checkout.session"):
        lines = line_items(act, item)
        return listed(lines[:10], {}, line_items_url(item)) | {"has_more": len(lines) > 10}
    if step == "refunds" and kind == "charge":
        refunds = (
            refund for refund in act.world.shelves["refund"].newest_first() if refund["charge"] == object_id
        )
        return listed(refunds, {}, f"/v1/charges/{object_id}/refunds")
    return None


def line_items(act: Act, item: Json) -> list[Json]:
    """Of a link, or of the link that a session came from."""
    return act.world.line_items[item["payment_link"] if item["object"] == "checkout.session" else item["id"]]


def line_items_url(item: Json) -> str:
    folder = "checkout/sessions" if item["object"] == "checkout.session" else "payment_links"
    return f"/v1/{folder}/{item['id']}/line_items"
