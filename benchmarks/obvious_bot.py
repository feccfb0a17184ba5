"""The obvious bot: what one writes from the SDKs' own quickstarts in an afternoon. The peer that Paylink is measured by.

Synchronous Bolt, one table of bills and one of links, two Stripe calls an invoice one after another, one poll a link.
It is honest work: it uses indexes where a primary key or a unique number makes them, and keeps connections open.
"""

from typing import Any

import sqlalchemy as sa
import stripe
from slack_bolt import App
from slack_sdk import WebClient

PAGE = 100
TABLES = (
    """CREATE TABLE bills (id INTEGER PRIMARY KEY, number VARCHAR(60) UNIQUE NOT NULL, buyer TEXT NOT NULL,
       email TEXT, amount BIGINT NOT NULL, currency CHAR(3) NOT NULL, due_date DATE)""",
    """CREATE TABLE payment_links (bill_id INTEGER PRIMARY KEY REFERENCES bills (id), stripe_id VARCHAR(255) NOT NULL,
       url TEXT NOT NULL, paid BOOLEAN NOT NULL)""",
)
UNLINKED = "NOT EXISTS (SELECT 1 FROM payment_links l WHERE l.bill_id = b.id)"
LIST = f"SELECT * FROM bills b WHERE {UNLINKED} AND amount > 0 ORDER BY due_date, number LIMIT {PAGE}"
SEARCH = f"""SELECT * FROM bills b WHERE {UNLINKED} AND amount > 0
    AND (lower(number) LIKE :text OR lower(buyer) LIKE :text) ORDER BY due_date, number LIMIT {PAGE}"""
ONE = "SELECT b.*, l.url FROM bills b LEFT JOIN payment_links l ON l.bill_id = b.id WHERE number = :number"
COUNTS = "SELECT paid, count(*) FROM payment_links GROUP BY paid"


def make_tables(connection: sa.Connection) -> None:
    for table in TABLES:
        connection.execute(sa.text(table))


def find(connection: sa.Connection, number: str) -> Any:
    return connection.execute(sa.text(ONE), {"number": number}).first()


def list_unlinked(connection: sa.Connection, search: str = "") -> list[Any]:
    if not search:
        return list(connection.execute(sa.text(LIST)))
    return list(connection.execute(sa.text(SEARCH), {"text": f"%{search.lower()}%"}))


def create_link(engine: sa.Engine, client: stripe.StripeClient, bill: Any) -> str:
    price = client.v1.prices.create(
        {
            "currency": bill.currency.lower(),
            "unit_amount": bill.amount,
            "product_data": {"name": f"Invoice {bill.number}"},
        }
    )
    link = client.v1.payment_links.create({"line_items": [{"price": price.id, "quantity": 1}]})
    with engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO payment_links VALUES (:bill, :link, :url, :paid)"),
            {"bill": bill.id, "link": link.id, "url": link.url, "paid": False},
        )
    return link.url


def poll(engine: sa.Engine, client: stripe.StripeClient, slack: WebClient, channel: str, most: int) -> int:
    """Ask for each link's sessions, ``most`` links in all; how many requests that took."""
    with engine.connect() as connection:
        waiting = connection.execute(
            sa.text(f"SELECT * FROM payment_links WHERE NOT paid LIMIT {most}")
        ).all()
    for link in waiting:
        sessions = client.v1.checkout.sessions.list({"payment_link": link.stripe_id})
        if any(session.payment_status == "paid" for session in sessions.data):
            with engine.begin() as connection:
                connection.execute(
                    sa.text("UPDATE payment_links SET paid = :paid WHERE bill_id = :bill"),
                    {"paid": True, "bill": link.bill_id},
                )
            slack.chat_postMessage(channel=channel, text=f"Invoice {link.bill_id} was paid.")
    return len(waiting)


def build_app(engine: sa.Engine, client: WebClient, **options: Any) -> App:
    app = App(client=client, **options)

    @app.command("/invoice")
    def invoice(ack: Any, command: dict[str, Any], client: WebClient) -> None:
        ack()
        with engine.connect() as connection:
            bill = find(connection, command["text"].strip())
        client.views_open(
            trigger_id=command["trigger_id"], view=_modal(bill.number, [bill.buyer, str(bill.amount)])
        )

    @app.command("/invoices")
    def invoices(ack: Any, command: dict[str, Any], client: WebClient) -> None:
        ack()
        with engine.connect() as connection:
            bills = list_unlinked(connection, command["text"].strip())
        texts = [f"{bill.number} {bill.buyer} {bill.amount}" for bill in bills]
        client.views_open(trigger_id=command["trigger_id"], view=_modal("Invoices", texts))

    return app


def _modal(title: str, texts: list[str]) -> dict[str, Any]:
    blocks = [{"type": "section", "text": {"type": "plain_text", "text": text}} for text in texts]
    return {"type": "modal", "title": {"type": "plain_text", "text": title[:24]}, "blocks": blocks}
