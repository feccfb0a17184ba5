"""What is installed is what was written: the wheel is whole, and its requirements are those that the code imports."""

import ast
import asyncio
import contextlib
import importlib.metadata
import json
import re
import signal
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.version import DISTRIBUTION

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "handlers", "domain", "sandbox")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (made,) = directory.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def contents(wheel: Path) -> set[str]:
    """The names of the files in the wheel."""
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


async def test_installed_beside_nothing_else_the_demo_leads_from_a_command_to_a_paid_message(
    wheel: Path, tmp_path: Path
) -> None:
    """Of all that is installed here, only what requirements/runtime.txt names is there: as `uvx paylink-bot demo` has it."""
    installed = _install_alone(wheel, tmp_path / "venv")
    process = await asyncio.create_subprocess_exec(
        installed / "paylink-bot",
        *("demo", "--port", "0", "--no-browser", "--data", tmp_path / "data"),
        cwd=tmp_path,
        env={"HOME": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        while not (address := re.search(rb"http://\S+", await process.stdout.readline())):
            assert not process.stdout.at_eof()
        await _create_pay_and_hear(address.group().decode())
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0


def _install_alone(wheel: Path, place: Path) -> Path:
    """A new virtual environment with the wheel, and with links to what running needs; where its commands are."""
    venv.create(place, with_pip=False, symlinks=True)
    into = next(place.glob("lib/python*/site-packages"))
    for name in _pins("runtime"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):  # of another platform
            installed = importlib.metadata.distribution(name)
            for top in {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}:
                if not (into / top).exists():
                    (into / top).symlink_to(Path(str(installed.locate_file(top))).resolve())
    pip = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python")]
    subprocess.run([*pip, "install", "-q", "--no-deps", "--no-index", str(wheel)], check=True, timeout=60)
    return place / "bin"


async def _create_pay_and_hear(address: str) -> None:
    """As the page in the browser speaks with the demo."""
    async with aiohttp.ClientSession() as browser, browser.ws_connect(f"{address}socket") as tab:
        await tab.send_json({"id": 1, "op": "say", "channel": "C0BILLING", "text": "/invoice INV-1001"})
        said = await _hear(tab, "Create Payment Link")
        (view,) = said["views"]
        block, button = _button(view, "create_link")
        await tab.send_json(
            {"id": 2, "op": "click", "surface": view["id"], "block_id": block, "action_id": button}
        )
        link = re.search(rf"{address}pay/\w+", json.dumps(await _hear(tab, "Pending Payment")))
        assert link is not None
        async with browser.get(link.group()) as checkout:
            assert checkout.status == 200
        form = {"action": "pay", "email": "buyer@example.com", "card": "4242424242424242"}
        async with browser.post(checkout.url, data=form) as paid:
            assert "Thanks for your payment" in await paid.text()
        await _hear(tab, "Paid: invoice INV-1001")


async def _hear(tab: aiohttp.ClientWebSocketResponse, text: str) -> dict[str, Any]:
    """The first event with ``text`` in it."""
    async with asyncio.timeout(60):
        while text not in (said := await tab.receive_str()):
            pass
    return dict(json.loads(said))


def _button(view: dict[str, Any], action_id: str) -> tuple[str, str]:
    for block in view["blocks"]:
        for element in block.get("elements", ()):
            if element.get("action_id") == action_id:
                return block["block_id"], action_id
    raise AssertionError(view)


def test_the_version_is_asked_of_our_own_distribution() -> None:
    """`paylink` on the index is somebody else's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == DISTRIBUTION
    assert set(project["scripts"]) == {"paylink", DISTRIBUTION}
    assert len(set(project["scripts"].values())) == 1


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
    text = _requirements(name)
    assert _pins(name) >= _declared()
    assert "://" not in text
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in entry, entry.split("\n")[0]


def _requirements(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")


def _pins(name: str) -> set[str]:
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", _requirements(name), re.MULTILINE)
    return {_canonical(pin) for pin in pins}
