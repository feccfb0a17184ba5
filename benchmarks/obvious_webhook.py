"""The obvious bot's webhook as a process: `python -m benchmarks.obvious_webhook URL STRIPE KEY SLACK CHANNEL SECRET`.

As the quickstarts have it: the signature checked, the link noted as paid, the message posted.
"""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import sqlalchemy as sa
import stripe
from slack_sdk import WebClient


def main(url: str, stripe_url: str, key: str, slack_url: str, channel: str, secret: str) -> None:
    engine = sa.create_engine(url)
    client = stripe.StripeClient(key, base_addresses={"api": stripe_url})
    slack = WebClient(token="xoxb-bench", base_url=slack_url)

    class Webhook(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            event = client.construct_event(body, self.headers["Stripe-Signature"], secret)
            if event.type == "checkout.session.completed":
                self._record(event.data.object)
            self._answer()

        def _record(self, session: stripe.StripeObject) -> None:
            with engine.begin() as connection:
                bill = connection.execute(
                    sa.text(
                        "UPDATE payment_links SET paid = :paid WHERE stripe_id = :link RETURNING bill_id"
                    ),
                    {"paid": True, "link": session["payment_link"]},
                ).scalar_one()
            slack.chat_postMessage(channel=channel, text=f"Invoice {bill} was paid.")

        def _answer(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Webhook).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
