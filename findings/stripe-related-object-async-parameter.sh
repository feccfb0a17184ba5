#!/bin/bash
# stripe 16.1.0 (Python): of an event notification (a thin event), fetch_related_object() asks for the object's address as
# it stands in the event; fetch_related_object_async() asks for it with a parameter that the API has nowhere documented.
# Seen: ['/v1/payment_links/plink_1', '/v1/payment_links/plink_1?usage[0]=fetch_related_object']
# Paylink asks neither: it takes what a thin event names for a hint and reads the object by its id.
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/pip" install --quiet --disable-pip-version-check stripe==16.1.0 httpx==0.28.1
"$here/venv/bin/python" - <<'PYTHON'
import asyncio
import hashlib
import hmac
import http.server
import json
import threading
import time

import stripe

asked = []


class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        body = json.dumps({"id": "plink_1", "object": "payment_link"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Api)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
client = stripe.StripeClient("sk_test_x", base_addresses={"api": address}, max_network_retries=0)
related = {"id": "plink_1", "type": "payment_link", "url": "/v1/payment_links/plink_1"}
event = {
    "id": "evt_1",
    "object": "v2.core.event",
    "type": "v1.payment_link.updated",
    "created": "2026-11-30T00:00:00Z",
    "livemode": False,
    "context": None,
    "related_object": related,
}
payload, now = json.dumps(event), int(time.time())
signature = hmac.new(b"whsec_x", f"{now}.{payload}".encode(), hashlib.sha256).hexdigest()
notification = client.parse_event_notification(payload, f"t={now},v1={signature}", "whsec_x")
notification.fetch_related_object()
asyncio.run(notification.fetch_related_object_async())
print(asked)
if asked != [related["url"], related["url"] + "?usage[0]=fetch_related_object"]:
    raise SystemExit("It has changed.")
PYTHON
