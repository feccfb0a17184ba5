"""A Slack that only says yes and notes when it was called: `python -m benchmarks.slack_stub`.

The local Slack checks every view, which takes longer than what is measured here.
"""

import asyncio
import itertools
import json
import sys
import time
from typing import Any

from aiohttp import web

from benchmarks.data import TEAM

_ids = itertools.count(1)


def _given(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def make_app() -> web.Application:
    calls: list[tuple[str, str, float]] = []

    async def answer(request: web.Request) -> web.Response:
        at = time.monotonic()
        is_json = request.content_type == "application/json"
        given = _given(await request.text()) if is_json else dict(await request.post())
        calls.append(
            (request.match_info["method"], str(given.get("trigger_id") or given.get("channel", "")), at)
        )
        number = next(_ids)
        return web.json_response(
            {
                "ok": True,
                "team": "Benchmark",
                "team_id": TEAM,
                "user_id": "U0BOT",
                "bot_id": "B0BOT",
                "url": "https://bench.slack.com/",
                "channel": str(given.get("channel", "")),
                "ts": f"{number}.000001",
                "view": {"id": f"V{number}", "hash": f"{number}.0", "state": {"values": {}}},
            },
            headers={"x-oauth-scopes": "commands,chat:write,channels:history,groups:history,files:write"},
        )

    async def tell(_: web.Request) -> web.Response:
        told, calls[:] = list(calls), []
        return web.json_response(told)

    app = web.Application()
    app.router.add_post("/api/{method}", answer)
    app.router.add_get("/calls", tell)
    return app


def main() -> None:
    async def serve() -> None:
        runner = web.AppRunner(make_app(), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{port}"}) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
