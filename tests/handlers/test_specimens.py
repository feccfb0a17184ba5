"""There is a specimen of each view and message, and each is one that Slack takes."""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from handlers import views
from handlers.specimens import whole as specimens
from handlers.views.blocks import Json
from sandbox.slack.blocks.surfaces import check_message, check_view


def makers() -> dict[str, Callable[..., Any]]:
    """What makes a view or message, or a block of one; handlers/views/blocks.py has the pieces of which all are made."""
    found: dict[str, Callable[..., Any]] = {}
    for module in pkgutil.iter_modules(views.__path__):
        loaded = importlib.import_module(f"handlers.views.{module.name}")
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            returned = function.__annotations__.get("return")
            if (
                module.name != "blocks"
                and function.__module__ == loaded.__name__
                and not name.startswith("_")
                and returned is Json
            ):
                found[f"{module.name}.{name}"] = function
    return found


@pytest.mark.parametrize("name", specimens.views())
def test_slack_takes_each_view(name: str) -> None:
    assert check_view(specimens.views()[name]) == []


@pytest.mark.parametrize("name", specimens.messages())
def test_slack_takes_each_message(name: str) -> None:
    message = specimens.messages()[name]
    assert check_message({"text": message["text"], "blocks": message["blocks"]}) == []


def test_none_is_left_out() -> None:
    called = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            called.add(frame.f_code)

    sys.setprofile(note)
    specimens.views()
    specimens.messages()
    sys.setprofile(None)
    assert {name for name, maker in makers().items() if maker.__code__ not in called} == set()
