"""The page's HTTP side: its files, its WebSocket, and the files that people download from messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from aiohttp import WSCloseCode, hdrs, web

from sandbox.page.picture import refusal
from sandbox.page.tab import Place, Setting, Tab
from sandbox.slack.workspace import Workspace

_STATIC = Path(__file__).parent / "static"
_SETTING = web.AppKey("setting", Setting)
_PUBLIC = web.AppKey("public_url", str)
_OPEN_TABS = web.AppKey("open_tabs", set[web.WebSocketResponse])
_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            # Browser drivers evaluate expressions in the page; the page itself never does.
            "script-src 'self' 'unsafe-eval'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "font-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_MOST_BYTES = 1024 * 1024
# More than a form takes, so that it is the workspace that refuses it.
_LARGEST_UPLOAD = 32 * 1024 * 1024


def page_routes(
    workspace: Workspace,
    *,
    app_name: str = "Paylink",
    team: str = "Paylink demo",
    hints: Sequence[str] = (),
    dashboard: str = "",
    public_url: str = "",
    places: Sequence[Place] = (),
    install: str = "",
    stripe_key: str = "",
    remove: Callable[[], None] | None = None,
) -> web.Application:
    """Build the page for one workspace; its addresses are relative, so it may be served at / or below any prefix ending in /.

    `hints` are texts for the message box that an empty conversation offers. `dashboard`: the address of the other side's
    page, for the top bar. `public_url`: where browsers reach the page if a forwarder stands between. `places`: the workspaces
    between which people switch, this one among them. `install`: where the app is added to it while it isn't; `remove` takes it out. `stripe_key`: what people
    may paste where a key is asked for. A tab acts as the person whose id or
    name stands in the address as ?user=, else as the first one.
    """
    app = web.Application()
    app.on_response_prepare.append(_protect)
    open_tabs: set[web.WebSocketResponse] = set()
    app[_OPEN_TABS] = open_tabs
    app[_PUBLIC] = public_url
    app.on_shutdown.append(_hang_up)
    app[_SETTING] = Setting(
        workspace, app_name, team, tuple(hints), dashboard, tuple(places), install, stripe_key, remove
    )
    app.router.add_get("/", _index)
    app.router.add_get("/socket", _socket)
    app.router.add_get("/files/{file_id}/{name}", _file)
    app.router.add_post("/uploads", _upload)
    app.router.add_static("/static", _STATIC)
    return app


async def _protect(_request: web.Request, answer: web.StreamResponse) -> None:
    # The pages of others that are served beside it have theirs.
    for name, value in _HEADERS.items():
        answer.headers.setdefault(name, value)


async def _index(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(_STATIC / "index.html")


async def _socket(request: web.Request) -> web.StreamResponse:
    _refuse_strangers(request)
    setting = request.app[_SETTING]
    user = _person(setting.workspace, request.query.get("user"))
    socket = web.WebSocketResponse(heartbeat=20, max_msg_size=_MOST_BYTES)
    await socket.prepare(request)
    request.app[_OPEN_TABS].add(socket)
    try:
        await Tab(setting, user, socket).run()
    finally:
        request.app[_OPEN_TABS].discard(socket)
    return socket


def _refuse_strangers(request: web.Request) -> None:
    """Browsers let any site talk to this machine; only this page's own may act for people."""
    origin = request.headers.get(hdrs.ORIGIN)
    # A forwarder in between may speak TLS, and name another host.
    hosts = {request.host, request.app[_PUBLIC].partition("://")[2]} - {""}
    if origin is not None and origin.partition("://")[2] not in hosts:
        raise web.HTTPForbidden(text="This belongs to the page that is served beside it.")


async def _upload(request: web.Request) -> web.StreamResponse:
    """A file that somebody chose in a form; the body is its bytes. Answers its id as ``file``."""
    _refuse_strangers(request)
    workspace = request.app[_SETTING].workspace
    user = _person(workspace, request.query.get("user"))
    name = request.query.get("name") or "file"
    content = bytearray()
    async for piece in request.content.iter_chunked(1 << 16):
        content += piece
        if len(content) > _LARGEST_UPLOAD:
            return web.json_response(refusal("too_large", f"{name} is larger than 10 MB."))
    return web.json_response({"ok": True, "file": workspace.upload(user, name, bytes(content))})


async def _hang_up(app: web.Application) -> None:
    open_tabs = app[_OPEN_TABS]
    for socket in list(open_tabs):
        await socket.close(code=WSCloseCode.GOING_AWAY)


def _person(workspace: Workspace, wanted: str | None) -> str:
    people = [person for person in workspace.people if not person.is_bot]
    for person in people:
        if wanted and wanted.lower() in (person.id.lower(), person.name.lower()):
            return person.id
    return people[0].id


async def _file(request: web.Request) -> web.StreamResponse:
    wanted = request.match_info["file_id"]
    for file in request.app[_SETTING].workspace.files:
        if file.id == wanted and file.completed and file.content is not None:
            return web.Response(
                body=file.content,
                content_type="application/octet-stream",
                headers={hdrs.CONTENT_DISPOSITION: "attachment"},
            )
    raise web.HTTPNotFound(text="There is no such file.")
