"""All that a browser sees of the demo, behind one address: the workspaces, Slack's own pages, installing, the buyers', the merchant's."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, hdrs, web

from sandbox.page.routes import page_routes
from sandbox.page.tab import Place
from sandbox.slack import LocalSlack
from sandbox.stopping import clean_up
from sandbox.stripe.server import LocalStripe

INSTALL = "/slack/install"
REDIRECT = "/slack/oauth_redirect"
AUTHORIZE = "/oauth/v2/authorize"
PASSED_ON = (hdrs.CONTENT_TYPE, hdrs.SET_COOKIE, hdrs.CONTENT_SECURITY_POLICY, hdrs.REFERRER_POLICY)


class Pages:
    """``bot`` is where the bot's own pages are, once it runs: browsers reach one address only, which may be a forwarder's."""

    def __init__(
        self,
        slack: LocalSlack,
        stripe: LocalStripe,
        *,
        hints: Sequence[str],
        accounts: dict[str, str],
        stripe_keys: dict[str, str],
    ) -> None:
        """By workspace: ``accounts`` at Stripe, and ``stripe_keys`` that people may paste. The first one's account is Stripe's first."""
        self._accounts = accounts
        self._slack = slack
        self._stripe = stripe
        self._hints = hints
        self._stripe_keys = stripe_keys
        self.bot = ""

    @contextlib.asynccontextmanager
    async def serve(
        self, host: str, port: int, public_url: str, find_port: Callable[[int, str], int]
    ) -> AsyncIterator[str]:
        """Yield the address that people open."""
        first, *others = self._slack.workspaces.values()
        app = self._page(first.team_id, "", public_url)
        app.router.add_get(INSTALL, self._pass_on)
        app.router.add_get(REDIRECT, self._pass_on)
        app.router.add_get(AUTHORIZE, self._slack.authorizing.ask)
        app.router.add_post(AUTHORIZE, self._allow)
        app.router.add_get("/app_redirect", self._open)
        self._stripe.add_pages(app)
        for workspace in others:
            page = self._page(workspace.team_id, "../", public_url)
            self._stripe.add_dashboard(
                page, account=self._accounts[workspace.team_id], below=f"/{workspace.team_id}"
            )
            app.add_subapp(f"/{workspace.team_id}/", page)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, find_port(port, host)).start()
            own = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not listened on
            self._stripe.public_url = public_url or f"http://{own}:{runner.addresses[0][1]}"
            yield f"{self._stripe.public_url}/"
        finally:
            await clean_up(runner)

    def _page(self, team_id: str, up: str, public_url: str) -> web.Application:
        workspace = self._slack.workspaces[team_id]
        first, *_ = self._slack.workspaces
        places = [
            Place(
                one.team_id, one.team.name, f"{up or './'}{'' if one.team_id == first else f'{one.team_id}/'}"
            )
            for one in self._slack.workspaces.values()
        ]
        return page_routes(
            workspace,
            team=workspace.team.name,
            hints=self._hints,
            dashboard="dashboard",
            public_url=public_url,
            places=places,
            install=f"{up}{INSTALL[1:]}",
            stripe_key=self._stripe_keys.get(team_id, ""),
            remove=lambda: self._slack.uninstall(team_id),
        )

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        """The bot's own page, in which the local Slack's addresses lead here."""
        cookies = request.headers.get(hdrs.COOKIE)
        headers = {} if cookies is None else {hdrs.COOKIE: cookies}
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=20), cookie_jar=DummyCookieJar()) as session,
                session.get(f"{self.bot}{request.path_qs}", headers=headers, allow_redirects=False) as got,
            ):
                text = (await got.text()).replace(self._slack.url, "")
                answer = web.Response(body=text.encode(), status=got.status)
                for name in PASSED_ON:
                    for value in got.headers.getall(name, ()):
                        answer.headers.add(name, value)
                return answer
        except (ClientError, TimeoutError):
            raise web.HTTPBadGateway(text="The bot can't be reached. Try again in a moment.") from None

    async def _allow(self, request: web.Request) -> web.StreamResponse:
        """Slack leads back to the address that the bot was configured with; here that is a path."""
        try:
            return await self._slack.authorizing.answer(request)
        except web.HTTPSeeOther as led:
            led.headers[hdrs.LOCATION] = led.headers[hdrs.LOCATION].removeprefix(self.bot)
            raise

    async def _open(self, request: web.Request) -> web.StreamResponse:
        """Home of the app in a workspace."""
        first, *_ = self._slack.workspaces
        team_id = request.query.get("team", "")
        known = team_id in self._slack.workspaces and team_id != first
        user = {"user": request.query["user"]} if "user" in request.query else {}
        where = f"/{team_id}/" if known else "/"
        raise web.HTTPSeeOther(f"{where}{f'?{urlencode(user)}' if user else ''}#home")
