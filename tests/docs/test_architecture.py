"""The page of the architecture names the shelves in the order that is checked, and answers with what is there."""

import re
import tomllib

import pytest

from tests.docs.pages import ROOT, table_rows

PAGE = ROOT / "docs" / "explanation" / "architecture.md"
ROWS = table_rows(PAGE)
ANSWERS = ROWS[ROWS.index(["looking for", "look in"]) + 1 :]
_ANSWER = re.compile(r"`([\w./]+)`(?: \(`(\w+)`\))?")


@pytest.mark.parametrize("package", ["bot", "handlers", "handlers.features", "domain", "sandbox.slack"])
def test_the_shelves_stand_in_the_order_that_is_checked(package: str) -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    [layers] = [one["layers"] for one in config["contracts"] if one.get("containers") == [package]]
    [written] = [row[1] for row in ROWS if row[0] == f"`{package.replace('.', '/')}/`"]
    assert [set(re.findall(r"\w+", shelf)) for shelf in written.split(" > ")] == [
        set(re.findall(r"\w+", layer)) for layer in layers
    ]


@pytest.mark.parametrize("package", ["bot", "handlers", "domain", "sandbox"])
def test_no_folder_has_more_than_a_dozen_modules(package: str) -> None:
    crowded = {}
    for folder in [ROOT / package, *(ROOT / package).rglob("*/")]:
        modules = [file.name for file in folder.glob("*.py") if not file.name.startswith("__")]
        if folder.name not in {"models", "views", "versions"} and len(modules) > 12:
            crowded[str(folder.relative_to(ROOT))] = modules
    assert crowded == {}


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row[0])
def test_an_answer_names_a_file_and_what_stands_in_it(row: list[str]) -> None:
    answers = _ANSWER.findall(row[1])
    assert answers
    for path, name in answers:
        assert (ROOT / path).exists(), path
        if name:
            defined = rf"^\s*((async )?def|class) {name}\b|^{name}\b.*="
            assert re.search(defined, (ROOT / path).read_text("utf-8"), re.MULTILINE), f"{path}: {name}"


def test_none_of_the_questions_is_left_out() -> None:
    assert len(ANSWERS) == 24
