"""The fake desk is kept honest: the same doors as the real one, with the same parameters."""

import inspect

from domain.desk import Desk
from tests.handlers.fake_desk import FakeDesk


def test_the_fake_has_every_method_of_the_desk_with_the_same_parameters() -> None:
    for name, method in inspect.getmembers(Desk, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.signature(getattr(FakeDesk, name)) == inspect.signature(method), name
