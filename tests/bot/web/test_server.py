"""The HTTP server from outside: readiness, figures, and what is answered everywhere."""

import pytest

from bot.web.headers import HEADERS
from tests.bot.web.receiver import Server, command, event, server

__all__ = ["server"]


async def test_readiness_says_what_is_missing(server: Server) -> None:
    async with server.session.get(f"{server.url}/readyz") as answer:
        assert (answer.status, await answer.json()) == (200, {"ready": True, "reasons": {}})
    server.health.bad("slack", "Slack can't be reached.")
    server.database_away = True
    async with server.session.get(f"{server.url}/readyz") as answer:
        assert answer.status == 503
        assert (await answer.json())["reasons"] == {
            "slack": "Slack can't be reached.",
            "database": "The database can't be reached.",
        }
    async with server.session.get(f"{server.url}/healthz") as answer:
        assert answer.status == 200


async def test_metrics_are_in_prometheus_format(server: Server) -> None:
    await server.slack(command("INV-1"))
    await server.slack(command("INV-1"), signed=False)
    await server.stripe(event())

    async with server.session.get(f"{server.url}/metrics") as answer:
        text = await answer.text()
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'paylink_ack_seconds_count{transport="http"} 1.0' in text
    assert 'paylink_slack_requests_refused_total{status="401"} 1.0' in text
    assert 'paylink_webhooks_total{outcome="kept"} 1.0' in text


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/slack/events"), ("GET", "/stripe/webhook"), ("POST", "/x")]
)
async def test_other_methods_and_paths_are_refused(method: str, path: str, server: Server) -> None:
    async with server.session.request(method, server.url + path) as answer:
        assert answer.status in {404, 405}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/stripe/webhook", "/nothing"])
async def test_whatever_is_answered_no_browser_may_run_frame_guess_or_keep(path: str, server: Server) -> None:
    async with server.session.get(f"{server.url}{path}") as answer:
        told = {name: answer.headers.get(name) for name in HEADERS}
        assert told == HEADERS
        assert "Server" not in answer.headers
