"""The API as an application of aiohttp's, to be put under /api: whatever goes wrong there is a problem in JSON."""

import json
import secrets
import time
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from bot.api import problems
from bot.api.access import PER_SECOND, Access, Clock
from bot.api.deeds import Deeds
from bot.api.openapi import PREFIX, describe
from bot.api.problems import Problem, unavailable
from bot.api.routes import ROUTES, Route
from bot.watch.metrics import Metrics
from domain.desk import Desk
from domain.errors import DatabaseUnavailable, NotAllowed, OrganisationUnknown

MOST_LINE = 64 * 1024
"""Bytes of a request's first line: a longer one aiohttp itself refuses, in words of its own."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """``desk`` gives None before the bot has begun."""

    def __init__(
        self,
        desk: Callable[[], Desk | None],
        metrics: Metrics,
        *,
        per_second: int = PER_SECOND,
        clock: Clock = time.monotonic,
    ) -> None:
        self._desk = desk
        self._metrics = metrics
        self._access = Access(lambda token: self._begun().admit(token), per_second=per_second, clock=clock)
        self._described = json.dumps(describe(), ensure_ascii=False, indent=1)
        self._log = structlog.get_logger("bot.api.application")

    def add_to(self, app: web.Application) -> None:
        """Serve it there under /api."""
        api = web.Application(middlewares=[self._answering])
        for route in ROUTES:
            path = route.path.replace("{number}", "{number:[^/]+}")
            api.router.add_route(route.method, path, self._handler(route))
        api.router.add_get("/openapi.json", self._describe, allow_head=False)
        app.add_subapp(PREFIX, api)

    def _handler(self, route: Route) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            program = await self._access.enter(request.headers.get("Authorization"), request.remote or "")
            desk = self._begun()
            # Before a body is read; each act asks it again.
            if route.right not in program.rights:
                await desk.check(program.actor, route.right)
            return await route.deed(Deeds(desk), program.actor, request)

        return handle

    def _begun(self) -> Desk:
        desk = self._desk()
        if desk is None:
            raise unavailable("Paylink is starting.")
        return desk

    async def _describe(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._described, content_type="application/json")

    @web.middleware
    async def _answering(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await self._answer(request, handler)
        self._metrics.api_requests.labels(str(answer.status)).inc()
        return answer

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Problem as problem:
            return problem.answer()
        except web.HTTPException as error:
            return problems.of_http(error).answer()
        except DatabaseUnavailable:
            return unavailable("The database doesn't answer.").answer()
        except NotAllowed as refusal:
            return Problem(403, "forbidden", f"The token lacks the right `{refusal.deed}`.").answer()
        except OrganisationUnknown:
            return Problem(403, "forbidden", "The token's organisation isn't served here.").answer()
        except Exception:
            reference = secrets.token_hex(4)
            resource = request.match_info.route.resource
            self._log.exception(
                "api.request_failed", path=resource and resource.canonical, reference=reference
            )
            return Problem(
                500,
                "unforeseen",
                "Something went wrong in Paylink. Try again; if it stays so, tell whoever runs it the reference.",
                reference=reference,
            ).answer()
