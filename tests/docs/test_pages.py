"""Links lead somewhere, and the commands that pages show exist."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from bot.cli.app import command
from tests.docs.pages import PAGES, ROOT, anchors_of, command_below, commands_of, links_of, name_of

PICTURE_BYTES = 150_000
MOVING_BYTES = 2_000_000


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    for link in links_of(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert ROOT in target.parents, link
        assert not anchor or anchor in anchors_of(target), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links_of(page)]
    assert {name_of(page) for page in PAGES} <= {name_of(page) for page in reached}


def test_the_decisions_are_all_listed_in_their_order() -> None:
    decisions = ROOT / "docs" / "decisions"
    listed = re.findall(
        r"^(\d+)\. .*\((\d{4}-[\w-]+\.md)\)$", (decisions / "README.md").read_text("utf-8"), re.MULTILINE
    )
    records = sorted(record.name for record in decisions.glob("[0-9]*.md"))
    assert listed == [(str(n), record) for n, record in enumerate(records, start=1)]


def test_every_picture_is_shown_described_and_small() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for picture in (ROOT / "docs" / "images").glob("*.*"):
        if picture.suffix == ".py":
            continue
        assert re.search(rf"!\[[^\]]{{20,}}\]\(docs/images/{picture.name}\)", readme), picture.name
        most = MOVING_BYTES if picture.suffix == ".webp" else PICTURE_BYTES
        assert picture.stat().st_size < most, picture.name


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paylinks_commands_on_a_page_exist_with_their_options(page: Path) -> None:
    for line in commands_of(page):
        if line.startswith("paylink "):
            _check_command(shlex.split(re.split(r"\s[>|]\s", line)[0], comments=True)[1:])


def _check_command(words: list[str]) -> None:
    here: Any = command()
    for word in words:
        name = word.partition("=")[0]
        options = {flag for option in here.params for flag in option.opts} | {"--help"}
        if name.startswith("-"):
            assert name in options, words
        elif getattr(here, "commands", None) is not None or hasattr(here, "list_commands"):
            found = command_below(here, word)
            assert found is not None, words
            here = found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_makes_targets_on_a_page_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for line in commands_of(page):
        if line.startswith("make "):
            wanted = {word for word in shlex.split(line, comments=True)[1:] if "=" not in word}
            assert wanted <= targets, line


def test_the_files_that_pages_name_in_the_code_exist() -> None:
    for page in PAGES:
        for path in re.findall(
            r"`((?:bot|handlers|domain|tests|requirements|docs)/[\w./]+)`", page.read_text("utf-8")
        ):
            assert (ROOT / path).exists(), f"{name_of(page)}: {path}"
