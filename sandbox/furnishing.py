"""The demo's companies, and what is done for them before anybody looks: Paylink installed, invoices imported, links created and paid."""

import asyncio
import csv
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.wiring import Bot
from domain.files.importing import take
from domain.files.reading.invoice_file import open_path
from domain.organisations import organisations, stripe_keys
from domain.states import LinkStatus
from domain.summaries import Actor
from sandbox.samples import paid_numbers, pending_numbers, sample_rows
from sandbox.slack import LocalSlack
from sandbox.stripe.server import LocalStripe
from sandbox.stripe.worlds import DEFAULT_ACCOUNT, DEFAULT_KEY

WEBHOOK_SECRET = "whsec_paylinkdemo"  # noqa: S105 - of a Stripe that lives on this machine only


@dataclass(frozen=True)
class Company:
    """One of the demo's workspaces, with a Stripe account of its own. The second of its people is who acts beforehand."""

    team_id: str
    name: str
    people: tuple[tuple[str, str], ...]
    channels: tuple[tuple[str, str], ...]
    account: str
    stripe_key: str


COMPANIES = (
    Company(
        "T0PAYLINK1",
        "Paylink Demo",
        (("U0ADA", "Ada Lindqvist"), ("U0BEN", "Ben Okafor")),
        (("C0BILLING", "billing"), ("C0GENERAL", "general")),
        DEFAULT_ACCOUNT,
        DEFAULT_KEY,
    ),
    Company(
        "T0NORTHWIND",
        "Northwind",
        (("U0CLEO", "Cleo Marchetti"), ("U0DAN", "Dan Sørensen")),
        (("C0PAYMENTS", "payments"), ("C0OFFICE", "office")),
        "acct_1PaylinkNorthwind",
        "sk_test_paylinkNorthwind0001",
    ),
)
FIRST, SECOND = COMPANIES


async def furnish(
    bot: Bot, slack: LocalSlack, stripe: LocalStripe, company: Company, data: Path, bot_url: str
) -> None:
    """In a new world, install and set up the app, import the sample invoices, create some of their links and pay some of them."""
    actor = Actor(company.team_id, company.people[1][0])
    if bot.serving.workspaces.find(company.team_id) is None:
        await _install(bot, slack, company)
        await _connect(bot, stripe, company, bot_url)
    if await bot.desk.find_invoice(actor, "INV-1001") is not None:
        return
    rows = sample_rows(date.today())  # noqa: DTZ011 - the day where the person is who looks at the list
    # The other company has few, and its own buyers.
    rows = rows if company is FIRST else [rows[0], *rows[60:90]]
    file = data / f"invoices-{company.team_id}.csv"
    file.write_text(_csv(rows), "utf-8")
    await asyncio.to_thread(_take, bot, company.team_id, file)
    numbers = {row["number"] for row in rows}
    paid = [number for number in paid_numbers() if number in numbers]
    pending = [number for number in pending_numbers() if number in numbers]
    await asyncio.gather(*(_create(bot, actor, number) for number in [*pending, *paid]))
    for number in paid:
        invoice = await bot.desk.find_invoice(actor, number)
        if invoice is not None and invoice.link is not None and invoice.status is LinkStatus.PENDING_PAYMENT:
            await stripe.pay(invoice.link.url)


async def _install(bot: Bot, slack: LocalSlack, company: Company) -> None:
    """As the first of its people would, by Slack's own way."""
    installer = bot.serving.installer
    assert installer is not None
    led = slack.allow(company.team_id, company.people[0][0], installer.authorize_url("demo"))
    await installer.install(parse_qs(urlsplit(led).query)["code"][0])
    channel = company.channels[0][0]
    await slack.workspaces[company.team_id].invite_bot(channel)
    await bot.db.write(organisations.set_up, company.team_id, channel=channel)


async def _connect(bot: Bot, stripe: LocalStripe, company: Company, bot_url: str) -> None:
    """Its Stripe account, and a webhook of its own."""
    address = f"{bot_url}/stripe/webhook/{company.team_id}"
    stripe.add_webhook(address, secrets=[WEBHOOK_SECRET], account=company.account)
    await bot.db.write(
        stripe_keys.store,
        bot.box,
        company.team_id,
        company.stripe_key,
        by=company.people[0][0],
        account=company.account,
        signing_secrets=WEBHOOK_SECRET,
    )
    await bot.accounts.look()
    await bot.accounts.settle()


def _take(bot: Bot, team_id: str, file: Path) -> None:
    organisation = bot.db.run(organisations.get_by_team, team_id)
    with open_path(file) as invoices:
        take(bot.db, organisation, invoices.read(), now=bot.clock())


async def _create(bot: Bot, actor: Actor, number: str) -> None:
    invoice = await bot.desk.find_invoice(actor, number)
    if invoice is not None and invoice.eligible:
        await bot.desk.create_link(actor, invoice.id, invoice.amount, patience=30)


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
