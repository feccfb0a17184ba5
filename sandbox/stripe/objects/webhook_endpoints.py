"""Webhook endpoints over the API: made, changed, deleted (/api/webhook_endpoints)."""

from __future__ import annotations

from typing import Any

from sandbox.stripe.act import Act
from sandbox.stripe.api.parameters import check_metadata
from sandbox.stripe.errors import invalid
from sandbox.stripe.events.webhooks import new_secret
from sandbox.stripe.objects import links, shapes

Json = dict[str, Any]

MOST = 16
"""Of an account in one mode (/webhooks#register-webhook); the words are seen in public in getlago/lago-api."""


def create(act: Act, _: str, params: Json) -> Json:
    """The secret is shown once, in this answer (/api/webhook_endpoints/create). Two may have one address."""
    _check(act, params)
    if len(act.world.shelves["webhook_endpoint"]) >= MOST:
        mode = "" if act.world.livemode else "test "
        raise invalid(f"You have reached the maximum of {MOST} {mode}webhook endpoints.")
    item = shapes.webhook_endpoint(
        url=params["url"],
        enabled_events=params["enabled_events"],
        given=params,
        created=act.created,
        livemode=act.world.livemode,
    )
    act.world.add(item)
    act.world.secrets[item["id"]] = [new_secret()]
    return item | {"secret": act.world.secrets[item["id"]][0]}


def update(act: Act, endpoint_id: str, params: Json) -> Json:
    """stripe.params.WebhookEndpointUpdateParams: its API version can't be changed (/api/webhook_endpoints/update)."""
    item = act.get("webhook_endpoint", endpoint_id, param="webhook_endpoint")
    _check(act, params)
    if "disabled" in params:
        item["status"] = "disabled" if params["disabled"] else "enabled"
    for name in ("url", "enabled_events", "description"):
        if name in params:
            item[name] = params[name] or None
    if "metadata" in params:
        item["metadata"] = links.merged_metadata(item["metadata"], params["metadata"] or {})
    return item


def delete(act: Act, endpoint_id: str, _: Json) -> Json:
    """/api/webhook_endpoints/delete"""
    item = act.get("webhook_endpoint", endpoint_id, param="webhook_endpoint")
    act.world.remove(item)
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}


def _check(act: Act, params: Json) -> None:
    schemes = "https://" if act.world.livemode else ("http://", "https://")
    if "url" in params and not params["url"].startswith(schemes):
        raise invalid(
            "Invalid URL: An explicit scheme (such as https) must be provided.", "url", "url_invalid"
        )
    check_metadata(params.get("metadata") or {})
