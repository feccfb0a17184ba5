#!/bin/bash
# stripe 16.1.0 (Python): an answer whose "error" is a string, as gateways before an API write it, raises a bare
# AttributeError instead of one of the library's own errors, so that whoever handles stripe.StripeError misses a 502.
# Seen: AttributeError 'str' object has no attribute 'get'
# Paylink reads such answers itself and takes them for Stripe being away (domain/stripe/answers.py).
set -euo pipefail
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
python3 -m venv "$here/venv"
"$here/venv/bin/pip" install --quiet --disable-pip-version-check stripe==16.1.0
"$here/venv/bin/python" - <<'PYTHON'
import http.server
import json
import threading

import stripe


class Gateway(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"error": "bad gateway"}).encode()
        self.send_response(502)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Gateway)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
client = stripe.StripeClient("sk_test_x", base_addresses={"api": address}, max_network_retries=0)
try:
    client.v1.payment_links.list()
except stripe.StripeError as error:
    raise SystemExit(f"It has changed: {type(error).__name__}")
except AttributeError as error:
    print(f"AttributeError {error}")
PYTHON
