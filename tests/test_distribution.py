"""What is installed is what was written: the wheel is whole, and its requirements are those that the code imports."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "handlers", "domain", "sandbox")


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in the wheel."""
    directory = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = directory.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_holds_every_file_of_the_packages(contents: set[str]) -> None:
    written = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert "sandbox/page/static/index.html" in written
    assert written <= contents


def test_the_wheel_holds_nothing_but_them(contents: set[str]) -> None:
    tops = {name.split("/")[0] for name in contents}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_the_wheel_holds_the_manifest_for_the_demo_and_the_license(contents: set[str]) -> None:
    assert "sandbox/manifest.yml" in contents
    assert any(name.endswith("LICENSE") for name in contents)


def _declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return {_canonical(re.split(r"[\[<>=]", dependency)[0]) for dependency in project["dependencies"]}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported() -> set[str]:
    """The distributions that the three packages import from."""
    modules: set[str] = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    modules |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    modules.add(node.module.split(".")[0])
    modules -= set(sys.stdlib_module_names) | set(PACKAGES)
    providers = importlib.metadata.packages_distributions()
    return {_canonical(providers[module][0]) for module in modules}


def test_every_library_that_is_imported_is_declared_and_no_other() -> None:
    assert _imported() == _declared()


@pytest.mark.parametrize("name", ["runtime", "dev"])
def test_requirements_pin_what_is_declared_with_hashes_and_name_no_index(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", text, re.MULTILINE)
    assert {_canonical(pin) for pin in pins} >= _declared()
    assert "://" not in text
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in entry, entry.split("\n")[0]
