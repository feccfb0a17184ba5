"""Every event that Paylink logs is a noun and what became of it, and stands in the reference with its level and ids."""

import ast
import re
from collections.abc import Iterator

from tests.docs.pages import REFERENCE, ROOT, table_rows

LEVELS = {"debug", "info", "warning", "error", "exception"}
# What structlog itself takes besides ids.
OF_STRUCTLOG = {"exc_info"}
STYLE = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")


def test_events_are_written_in_one_style() -> None:
    assert [event for event, *_ in _logged() if not STYLE.fullmatch(event)] == []


def test_the_reference_lists_each_event_with_its_levels_and_ids() -> None:
    written = {
        row[0].strip("`"): (set(row[1].split(", ")), set(re.findall(r"`(\w+)`", row[2])))
        for row in table_rows(REFERENCE / "log-events.md")[1:]
    }
    logged: dict[str, tuple[set[str], set[str]]] = {}
    for event, level, ids in _logged():
        levels, names = logged.setdefault(event, (set(), set()))
        levels.add("error" if level == "exception" else level)
        names |= ids
    assert written == logged


def _logged() -> Iterator[tuple[str, str, set[str]]]:
    """Each call of a logger: its event, its level, and the names of what it says besides."""
    for package in ("bot", "handlers", "domain", "sandbox"):
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and _is_log(node.func):
                    assert isinstance(node.func, ast.Attribute)
                    [event] = node.args
                    assert isinstance(event, ast.Constant), (
                        f"{file}:{node.lineno}: an event's name is written out"
                    )
                    ids = {str(word.arg) for word in node.keywords} - OF_STRUCTLOG
                    yield str(event.value), node.func.attr, ids


def _is_log(called: ast.expr) -> bool:
    """``log.info``, ``self._log.error``, ``structlog.get_logger(...).exception`` and the like."""
    return (
        isinstance(called, ast.Attribute)
        and called.attr in LEVELS
        and re.search(r"(\blog|_log|get_logger\(.*\))$", ast.unparse(called.value)) is not None
    )
