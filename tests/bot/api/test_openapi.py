"""What the API says of itself is true: schemathesis finds no request that it answers otherwise."""

import asyncio
import sys
from pathlib import Path

from bot.api.openapi import describe
from bot.api.routes import ROUTES
from tests.bot.api.conftest import Served, invoice
from tests.databases import on_sqlite

SEED = "20261130"


@on_sqlite
async def test_schemathesis_finds_nothing(served: Served, tmp_path: Path) -> None:
    await served.ours.put([invoice("INV-1"), invoice("0", "3.00")])
    found = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "schemathesis"),
        *("run", f"{served.ours.url}/api/openapi.json", "--no-color", "--seed", SEED),
        *("--max-examples", "20", "--header", f"Authorization: Bearer {served.ours.token}"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await found.communicate()
    assert found.returncode == 0, said.decode()
    assert "5 selected / 5 total" in said.decode()


@on_sqlite
async def test_the_description_needs_no_token_and_names_every_route(served: Served) -> None:
    answer = await served.bearing(None).get("/openapi.json")
    assert answer.status == 200
    assert answer.body == describe()
    assert {(method.upper(), path) for path, item in answer.body["paths"].items() for method in item} == {
        (route.method, f"/api{route.path}") for route in ROUTES
    }
