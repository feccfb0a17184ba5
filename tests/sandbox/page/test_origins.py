"""Which pages may act for people through their browser: the workspace's own, also behind something that forwards it."""

import aiohttp
import pytest
from aiohttp import web

from sandbox.demo import has_screen
from sandbox.page import page_routes
from sandbox.slack import LocalSlack
from sandbox.stopping import clean_up

MANIFEST = {"display_information": {"name": "Tester"}, "features": {}, "oauth_config": {}}


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("own", 101),
        ("https://demo.example", 101),
        ("https://elsewhere.example", 403),
        ("https://demo.example.elsewhere.example", 403),
        ("null", 403),
    ],
)
async def test_only_the_pages_own_origin_or_its_public_one_may_open_the_socket(
    origin: str, status: int
) -> None:
    async with LocalSlack(MANIFEST, team_id="T0TEST", team_name="Test") as slack:
        slack.workspace.add_person("Ada Lindqvist", user_id="U0ADA")
        runner = web.AppRunner(page_routes(slack.workspace, public_url="https://demo.example"))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            async with aiohttp.ClientSession() as browser:
                headers = {"Origin": address if origin == "own" else origin}
                if status == 101:
                    async with browser.ws_connect(f"{address}/socket", headers=headers) as socket:
                        assert not socket.closed
                else:
                    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                        await browser.ws_connect(f"{address}/socket", headers=headers)
                    assert refused.value.status == status
        finally:
            await clean_up(runner)


def test_a_browser_is_opened_only_where_there_is_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert not has_screen({})
    assert has_screen({"DISPLAY": ":0"})
    assert has_screen({"WAYLAND_DISPLAY": "wayland-0"})
    monkeypatch.setattr("sys.platform", "darwin")
    assert has_screen({})
