"""Which Paylink this is, installed or not."""

import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from bot.version import paylink_version


def test_a_repository_that_is_not_installed_knows_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `make demo` runs it."""

    def unknown(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr("bot.version.version", unknown)
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert paylink_version() == project["project"]["version"]
