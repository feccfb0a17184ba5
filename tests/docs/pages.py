"""The documentation as the tests read it."""

import re
from pathlib import Path
from typing import Any

import typer

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "deploy" / "README.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
)
REFERENCE = ROOT / "docs" / "reference"

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_FENCE = re.compile(r"```\w*\n(.*?)```", re.DOTALL)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def links_of(page: Path) -> list[str]:
    """Where the page's links and pictures lead, without those that lead elsewhere in the world."""
    found: list[str] = _LINK.findall(page.read_text("utf-8"))
    return [link for link in found if not link.startswith(("http://", "https://"))]


def anchors_of(page: Path) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands_of(page: Path) -> list[str]:
    """Every command line that the page shows: indented, fenced or between backticks."""
    text = page.read_text("utf-8")
    lines = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    lines += [line.strip() for block in _FENCE.findall(text) for line in block.splitlines()]
    lines += _CODE.findall(text)
    return [re.sub(r"^\S*bin/paylink\b", "paylink", line) for line in lines]


def table_rows(page: Path) -> list[list[str]]:
    """The cells of each table row, without headings' rules."""
    rows = [line for line in page.read_text("utf-8").splitlines() if line.lstrip().startswith("|")]
    cells = [[cell.strip() for cell in row.strip().strip("|").split(" | ")] for row in rows]
    return [row for row in cells if not set("".join(row)) <= set("-| ")]


def first_codes(rows: list[list[str]]) -> dict[str, list[str]]:
    """The rows whose first cell is a name in backticks, by that name."""
    return {row[0].strip("`"): row for row in rows if re.fullmatch(r"`[^`]+`", row[0])}


def command_below(group: Any, name: str) -> Any:
    """The group's command of that name, or None; one that is loaded when it is called comes whole."""
    if name not in group.commands:
        return None
    return group.resolve_command(typer.Context(group), [name])[1]


def command_of(words: list[str]) -> Any:
    """The command of ``paylink`` that these words name, or None."""
    from bot.cli.app import command

    here: Any = command()
    for word in words:
        here = here and command_below(here, word)
    return here
