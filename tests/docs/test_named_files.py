"""Whatever file, module, page or decision is named, in the code's comments and docstrings or on a page, exists."""

import ast
import io
import re
import subprocess
import tokenize
from functools import cache
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, anchors_of, name_of

PACKAGES = ("bot", "handlers", "domain", "sandbox", "tests", "benchmarks", "docs")
CODE = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

_ELSEWHERE = re.compile(r"https?://\S+|\b[\w-]+(\.[\w-]+)*\.(com|org|io|dev)/\S*")
_FILE = re.compile(r"(?<![\w./<*-])[\w./-]*\w\.(?:py|md|toml|yml|sh|mako|js|css|html|svg|png)(?![\w*])")
_UNDER = re.compile(rf"(?<![\w./-])(?:{'|'.join(PACKAGES)}|requirements)/(?:[\w.-]+/)*[\w.-]*\w/?")
_MODULE = re.compile(r"(?<![\w./-])(?:bot|handlers|domain|sandbox|tests|benchmarks)(?:\.[a-z_]\w*)+")
_DECISION = re.compile(r"\bdecision (\d+)")
_SECTION = re.compile(r"(docs/[\w/-]+\.md), ([\w ]+)[;:)]")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_a_page_names_exists(page: Path) -> None:
    assert _missing(page.read_text("utf-8"), page.parent) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_what_comments_and_docstrings_name_exists(package: str) -> None:
    missing = {
        f"{name_of(file)}: {name}"
        for file in CODE
        if file.is_relative_to(ROOT / package)
        for said in _said(file)
        for name in _missing(said, file.parent)
    }
    assert missing == set()


def _said(file: Path) -> list[str]:
    """The comments, and the strings that stand by themselves: docstrings."""
    source = file.read_text("utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return comments + [
        node.value.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]


def _missing(text: str, beside: Path) -> list[str]:
    text = _ELSEWHERE.sub(" ", text)
    files = [name for name in _FILE.findall(text) if not _is_file(name, beside)]
    under = [name for name in _UNDER.findall(text) if not (ROOT / name).exists()]
    modules = [name for name in _MODULE.findall(text) if not (_FILE.fullmatch(name) or _is_module(name))]
    decisions = [number for number in _DECISION.findall(text) if not _is_decision(int(number))]
    sections = [
        f"{page}, {section}"
        for page, section in _SECTION.findall(text)
        if (ROOT / page).exists() and section.strip().lower().replace(" ", "-") not in anchors_of(ROOT / page)
    ]
    return [*files, *under, *modules, *decisions, *sections]


def _is_file(name: str, beside: Path) -> bool:
    """A path from the root or from beside; or a name alone that some file has."""
    if "/" not in name:
        return name in _names()
    return (ROOT / name).is_file() or (beside / name).is_file()


def _is_module(name: str) -> bool:
    """A package or module, or something in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:length])
        if path.with_suffix(".py").is_file() or path.is_dir():
            file = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
            rest = parts[length : length + 1]
            return not rest or (file.is_file() and re.search(rf"\b{rest[0]}\b", file.read_text()) is not None)
    return False


def _is_decision(number: int) -> bool:
    return any((ROOT / "docs" / "decisions").glob(f"{number:04}-*.md"))


@cache
def _names() -> frozenset[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    files = listed.stdout.splitlines() if listed.returncode == 0 else map(str, ROOT.rglob("*"))
    return frozenset(Path(file).name for file in files)
