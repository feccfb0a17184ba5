"""Paylink with one of its safeguards taken out, to show that the campaign sees what the safeguard prevents."""

import uuid
from collections.abc import Callable
from typing import Any

from domain.stripe.client import StripeApi
from handlers.poster import SlackPoster


def use_fresh_keys() -> Callable[[], None]:
    """A new idempotency key for each attempt: Stripe can't tell a repetition from a second wish."""
    original = StripeApi.create_payment_link

    async def create(self: StripeApi, request: Any, *, key: str, version: str) -> Any:
        return await original(self, request, key=f"{key}-{uuid.uuid4()}", version=version)

    StripeApi.create_payment_link = create  # type: ignore[method-assign]

    def undo() -> None:
        StripeApi.create_payment_link = original  # type: ignore[method-assign]

    return undo


def post_blindly() -> Callable[[], None]:
    """Never look into the channel's history before posting again."""
    original = SlackPoster.find

    async def find(self: SlackPoster, announcement: Any) -> None:
        return None

    SlackPoster.find = find  # type: ignore[method-assign]

    def undo() -> None:
        SlackPoster.find = original  # type: ignore[method-assign]

    return undo


ABLATIONS: dict[str, Callable[[], Callable[[], None]]] = {
    "fresh_keys": use_fresh_keys,
    "blind_posts": post_blindly,
}
