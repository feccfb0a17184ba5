"""/oauth/v2/authorize: the page on which somebody allows the app into their workspace.

Slack knows by the browser's session who it is; here the page asks for that, too.
Source: Slack docs: authentication/installing-with-oauth.
"""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from sandbox.slack.state.app import InstalledApp
from sandbox.slack.state.installing import Asked, Installations, Refused
from sandbox.slack.state.team import Team

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:8vh auto;padding:0 1rem;color:#1d1c1d}"
    "button,select{font:inherit;padding:.5rem 1rem;margin:.25rem .5rem .25rem 0;border-radius:4px;border:1px solid #767676}"
    "button.allow{background:#007a5a;color:#fff;border-color:#007a5a}li{margin:.15rem 0}"
)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Authorizing:
    def __init__(self, app: InstalledApp, teams: dict[str, Team], installations: Installations) -> None:
        self._app = app
        self._teams = teams
        self._installations = installations

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """GET: who comes with a right request is asked; whatever else is said on the spot, and leads nowhere."""
        try:
            asked = self._installations.read(dict(request.query))
        except Refused as refused:
            return _page("Something went wrong", f"<p>{escape(str(refused))}</p>", status=400)
        return _page(f"{self._app.manifest.name} is requesting permission", self._form(asked))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """POST of its form, at the address that it was got from."""
        form = await request.post()
        team_id, _, user = str(form.get("as", "")).partition("/")
        try:
            asked = self._installations.read(dict(request.query))
            address = self.decide(
                asked, team_id, user, allowed=form.get("do") == "allow", org_wide=form.get("org") == "on"
            )
        except (Refused, KeyError) as problem:
            return _page("Something went wrong", f"<p>{escape(str(problem))}</p>", status=400)
        raise web.HTTPSeeOther(address, headers={"Referrer-Policy": "no-referrer"})

    def decide(self, asked: Asked, team_id: str, user: str, *, allowed: bool, org_wide: bool = False) -> str:
        """Where the browser is led: with a code, or with access_denied. Raises Refused, KeyError."""
        if allowed:
            code = self._installations.allow(self._teams[team_id], user, asked, org_wide=org_wide)
            answer = {"code": code, "state": asked.state}
        else:
            answer = {"error": "access_denied", "state": asked.state}
        joint = "&" if urlsplit(asked.redirect_uri).query else "?"
        return f"{asked.redirect_uri}{joint}{urlencode(answer)}"

    def _form(self, asked: Asked) -> str:
        teams = [team for team in self._teams.values() if asked.team in ("", team.team_id)]
        people = [
            f"<option value='{team.team_id}/{escape(person.id)}'>{escape(person.real_name)}, {escape(team.name)}</option>"
            for team in teams
            for person in team.people.values()
            if not (person.is_bot or person.deleted)
        ]
        scopes = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in asked.scopes)
        org = (
            "<p><label><input type='checkbox' name='org'> Install for the whole organization</label></p>"
            if self._app.manifest.org_deploy
            else ""
        )
        return (
            "<form method='post'>"
            f"<p><label>Signed in as <select name='as'>{''.join(people)}</select></label></p>"
            f"<p>What will {escape(self._app.manifest.name)} be able to do?</p><ul>{scopes}</ul>{org}"
            "<p><button class='allow' name='do' value='allow'>Allow</button>"
            "<button name='do' value='cancel'>Cancel</button></p></form>"
        )


def _page(title: str, body: str, *, status: int = 200) -> web.Response:
    text = (
        f"<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    return web.Response(text=text, content_type="text/html", status=status, headers=HEADERS)
