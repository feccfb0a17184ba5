"""Answers of Stripe's that were changed on their way."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.domain.world import World


def break_answers(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: Callable[[str, dict[str, Any]], dict[str, Any]]
) -> None:
    """Let what Stripe answers be changed on its way; ``broken`` takes the method and path, and the answer."""
    real = world.api._call

    async def call(method: str, path: str, *args: Any, **more: Any) -> dict[str, Any]:
        return broken(f"{method} {path}", await real(method, path, *args, **more))

    monkeypatch.setattr(world.api, "_call", call)
