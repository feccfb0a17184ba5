#!/bin/bash
# slack_sdk 3.47.0 (Python): AsyncWebClient.blocks_validate sends the view in the address of its POST, where WebClient sends it in
# the body. A modal of ten full sections is an address of 21,000 characters; most servers take 8,000.
# Seen: POST address 21151 body 0 (asynchronous), POST address 16 body 21288 (synchronous)
# Paylink calls api_call("blocks.validate", data=...) instead (bot/cli/doctor/blocks.py).
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/pip" install --quiet --disable-pip-version-check slack-sdk==3.47.0 aiohttp==3.14.5
"$here/venv/bin/python" - <<'PYTHON'
import asyncio

from aiohttp import web
from slack_sdk import WebClient
from slack_sdk.web.async_client import AsyncWebClient

seen = []


async def answer(request):
    body = await request.read()
    print(f"{request.method} address {len(request.path_qs)} body {len(body)}")
    seen.append(len(request.path_qs))
    return web.json_response({"ok": True})


async def main():
    app = web.Application()
    app.router.add_route("*", "/{method}", answer)
    runner = web.AppRunner(app, max_line_size=1_000_000)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    section = {"type": "section", "text": {"type": "plain_text", "text": "a" * 2000}}
    view = {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": [section] * 10}
    await AsyncWebClient("xoxb-1", base_url=address).blocks_validate(view=view)
    await asyncio.to_thread(lambda: WebClient("xoxb-1", base_url=address).blocks_validate(view=view))
    await runner.cleanup()


asyncio.run(main())
if seen[0] < 8000:
    raise SystemExit("It has changed: the view isn't in the address any more.")
PYTHON
