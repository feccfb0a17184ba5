"""Every way into the process over HTTP, and what holds another organisation off there: a new way without that fails."""

from aiohttp import web

from bot.api.application import Api
from bot.api.openapi import PREFIX
from bot.api.routes import ROUTES
from bot.watch.health import Health
from bot.watch.metrics import Metrics
from bot.web.installing import InstallEndpoint
from bot.web.server import HttpServer, SlackEndpoint, StripeEndpoint
from domain.database import Database
from tests.docs.test_security import _tests_in

HOLDS_NOBODYS = ""
"""It shows nothing of any one organisation, and changes nothing."""
WAYS = {
    ("GET", "/healthz"): HOLDS_NOBODYS,
    ("GET", "/readyz"): HOLDS_NOBODYS,
    ("GET", "/metrics"): HOLDS_NOBODYS,
    ("GET", "/api/openapi.json"): HOLDS_NOBODYS,
    ("POST", "/slack/events"): (
        "tests/handlers/test_foreign_ids.py::test_each_listener_of_the_app_is_among_them_and_shows_only_its_own"
    ),
    ("POST", "/stripe/webhook"): (
        "tests/domain/test_two_organisations.py::test_an_event_at_the_others_webhook_is_not_kept"
    ),
    ("POST", "/stripe/webhook/{team_id}"): (
        "tests/domain/payments/test_webhooks.py::test_only_its_own_signature_is_taken_at_an_organisations_webhook"
    ),
    ("GET", "/slack/install"): HOLDS_NOBODYS,
    ("GET", "/slack/oauth_redirect"): (
        "tests/acceptance/test_installing.py::test_a_state_is_for_one_browser_once_and_what_goes_wrong_is_said"
    ),
} | {
    (
        route.method,
        PREFIX + route.path,
    ): "tests/bot/api/test_attacks.py::test_each_place_of_each_route_is_attacked"
    for route in ROUTES
}


def ways(app: web.Application) -> set[tuple[str, str]]:
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        # What GET shows, HEAD shows less of.
        if route.method != "HEAD" and route.resource is not None
    }


async def _nothing() -> bytes:
    return b""


async def _ping() -> None:
    pass


async def test_each_way_in_has_what_holds_others_off(sqlite_url: str) -> None:
    metrics, db = Metrics(), Database(sqlite_url)
    refusing = StripeEndpoint(lambda event: None, metrics, (), False, lambda: None)  # type: ignore[arg-type,return-value]
    server = HttpServer(
        0,
        slack=SlackEndpoint(lambda: None, metrics, "", ""),
        stripe=refusing,
        health=Health(),
        ping=_ping,
        figures=_nothing,
        install=InstallEndpoint(lambda: None, db, "https://paylink.example"),
        api=Api(lambda: None, metrics),
    )
    there = ways(server._runner.app)
    await db.close()
    assert there == set(WAYS)
    for named in filter(None, WAYS.values()):
        path, name = named.split("::")
        assert name in _tests_in(path), named
