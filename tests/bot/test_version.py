"""Which Paylink this is, installed or not."""

import re
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


def test_the_changelog_has_this_version_as_its_latest() -> None:
    root = Path(__file__).parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    released = re.findall(
        r"^## \[(\d\S*)\] - \d{4}-\d{2}-\d{2}$", (root / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert released[0] == project["version"]
