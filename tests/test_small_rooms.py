"""A file that holds two things is split, and a function fits on a screen."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LONGEST_FILE = 300
LONGEST_FUNCTION = 60
_WIRING = "bot/wiring.py"
_MIGRATIONS = "domain/migrations/versions/"


def sources() -> Iterator[tuple[str, str]]:
    for package in ("bot", "handlers", "domain"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(_MIGRATIONS):
                yield name, path.read_text("utf-8")


def test_no_file_is_long() -> None:
    lengths = {name: len(text.splitlines()) for name, text in sources()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_long_but_the_wiring() -> None:
    functions = [
        (f"{name}: {node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for name, text in sources()
        if name != _WIRING
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [one for one in functions if one[1] > LONGEST_FUNCTION] == []
