"""The threat model names tests that exist, and what it says of all connections holds in all the code."""

import ast
import re
from functools import cache

import pytest

from tests.docs.pages import ROOT, table_rows

ROWS = [row for row in table_rows(ROOT / "docs" / "security.md") if len(row) == 4 and row[0] != "threat"]
# What tells a client that any certificate will do.
_BLIND = re.compile(
    r"\bssl=False|\bverify(_ssl|_ssl_certs)?\s*=\s*False|check_hostname\s*=\s*False|CERT_NONE|_unverified_context"
)


@cache
def _tests_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    named = (node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in named if name.startswith("test_"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_threat_has_tests_that_exist(row: list[str]) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", row[3])
    assert named
    for path, name in named:
        assert _tests_in(path), path
        assert not name or name in _tests_in(path), f"{path}::{name}"
    assert re.fullmatch(r"\d+\.\d+\.\d+(, \d+\.\d+\.\d+)*", row[2])


def test_none_of_the_threats_is_left_out() -> None:
    assert len(ROWS) > 30


def test_no_connection_goes_without_its_certificate_being_checked() -> None:
    blind = [
        str(file.relative_to(ROOT))
        for package in ("bot", "handlers", "domain")
        for file in (ROOT / package).rglob("*.py")
        if _BLIND.search(file.read_text("utf-8"))
    ]
    assert blind == []
