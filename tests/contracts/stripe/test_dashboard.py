"""The local Dashboard's page: every act by its button, over HTTP and with a keyboard in a browser."""

from __future__ import annotations

import re
from typing import Any

import aiohttp
import pytest
import stripe
from playwright.async_api import async_playwright, expect

from sandbox.stripe.objects.money import amount_of, amount_text
from sandbox.stripe.server import LocalStripe
from tests.contracts.stripe.fixtures import (  # noqa: F401
    client_fixture,
    clock_fixture,
    http_fixture,
    link_params,
    server_fixture,
)
from tests.sandbox.page.world import ARGUMENTS, CHROMIUM


class Hand:
    """Presses a button, if the page has it."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def page(self, find: str = "") -> str:
        answer = await self._http.get("/dashboard", params={"find": find})
        assert answer.status == 200
        return await answer.text()

    async def press(self, act: str, target: str, *, answered: int = 200, **fields: str) -> str:
        form = f'action="/dashboard/{act}"><input type="hidden" name="target" value="{target}">'
        assert form in await self.page()
        answer = await self._http.post(f"/dashboard/{act}", data={"target": target, **fields})
        assert answer.status == answered
        return await answer.text()


@pytest.fixture(name="hand")
def hand_fixture(http: aiohttp.ClientSession) -> Hand:
    return Hand(http)


async def paid(client: stripe.StripeClient, server: LocalStripe) -> tuple[str, str]:
    """A link and the charge of its payment."""
    link = await client.v1.payment_links.create_async(link_params(amount=1000))
    session = await server.pay(link.id)
    return link.id, str(server.find(session["payment_intent"])["latest_charge"])


async def test_a_payment_is_refunded_in_part_and_wholly(
    client: stripe.StripeClient, server: LocalStripe, hand: Hand
) -> None:
    _, charge = await paid(client, server)
    assert "USD 3.00 was refunded." in await hand.press("refund", charge, amount="3.00")
    assert "USD 7.00 was refunded." in await hand.press("refund", charge, amount="")
    assert server.find(charge)["refunded"]
    assert 'action="/dashboard/refund"' not in await hand.page()


async def test_a_refund_fails_at_once_or_later(
    client: stripe.StripeClient, server: LocalStripe, hand: Hand
) -> None:
    _, charge = await paid(client, server)
    assert "and failed" in await hand.press("refund", charge, amount="4", status="failed")
    assert server.find(charge)["amount_refunded"] == 0
    await hand.press("refund", charge, amount="4")
    later = server.objects("refund")[-1]["id"]
    await hand.press("change_refund", later, status="failed")
    assert [refund["status"] for refund in server.objects("refund")] == ["failed", "failed"]
    assert f'value="{later}"' not in await hand.page()


@pytest.mark.parametrize("end", ["won", "lost"])
async def test_a_dispute_goes_to_its_end(
    client: stripe.StripeClient, server: LocalStripe, hand: Hand, end: str
) -> None:
    _, charge = await paid(client, server)
    text = await hand.press("dispute", charge)
    (dispute,) = server.objects("dispute")
    assert "answer due 20" in text
    assert 'action="/dashboard/dispute"' not in text
    await hand.press("submit_evidence", dispute["id"])
    assert f": {end}" in await hand.press("change_dispute", dispute["id"], status=end)


async def test_an_inquiry_is_closed_or_becomes_a_dispute(
    client: stripe.StripeClient, server: LocalStripe, hand: Hand
) -> None:
    for status in ("warning_closed", "needs_response"):
        _, charge = await paid(client, server)
        await hand.press("inquire", charge)
        await hand.press("change_dispute", server.objects("dispute")[-1]["id"], status=status)
    assert [dispute["status"] for dispute in server.objects("dispute")] == [
        "warning_closed",
        "needs_response",
    ]


async def test_a_link_is_paid_twice_switched_off_on_and_copied(
    client: stripe.StripeClient, server: LocalStripe, hand: Hand
) -> None:
    link = (await client.v1.payment_links.create_async(link_params(amount=1000))).id
    await hand.press("deactivate", link)
    assert not server.links()[0]["active"]
    await hand.press("reactivate", link)
    assert "both paid" in await hand.press("pay_twice", link)
    assert [charge["amount"] for charge in server.objects("charge")] == [1000, 1000]
    await hand.press("copy_link", link, amount="7.50")
    copy = server.links()[-1]
    assert (copy["metadata"], copy["id"] == link) == ({"invoice_number": "INV-1001"}, False)
    assert "was paid" in await hand.press("pay", copy["id"])
    assert server.objects("charge")[-1]["amount"] == 750


async def test_what_cannot_be_done_is_said(
    client: stripe.StripeClient, server: LocalStripe, http: aiohttp.ClientSession, hand: Hand
) -> None:
    _, charge = await paid(client, server)
    for amount in ("ten", "1.005", "11.00", "-1", "NaN"):
        text = await hand.press("refund", charge, amount=amount, answered=409)
        assert 'role="alert"' in text
    assert server.objects("refund") == []
    for act, target in (("refund", "ch_none"), ("fly", charge)):
        assert (await http.post(f"/dashboard/{act}", data={"target": target})).status == 404
    foreign = {"Origin": "http://elsewhere.example"}
    answer = await http.post("/dashboard/refund", data={"target": charge}, headers=foreign)
    assert (answer.status, server.objects("refund")) == (403, [])


async def test_links_are_found_by_name_and_names_are_harmless(
    client: stripe.StripeClient, server: LocalStripe, hand: Hand
) -> None:
    assert "no payment link here yet" in await hand.page()
    for number in range(27):
        await client.v1.payment_links.create_async(link_params(f"INV-{number} <b>"))
    text = await hand.page()
    assert "2 older links" in text
    assert "<b>" not in text
    assert (text.count("<article"), (await hand.page("inv-3 ")).count("<article")) == (25, 1)


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [("3", "usd", 300), ("1,200.50", "usd", 120_050), ("1200", "jpy", 1200), ("1.5", "kwd", 1500), ("12", "isk", 1200)],
)  # fmt: skip
def test_amounts_are_typed_as_they_are_shown(text: str, currency: str, amount: int) -> None:
    assert amount_of(text, currency) == amount
    assert amount_of(amount_text(amount, currency).split(" ")[1], currency) == amount


@pytest.mark.browser
@pytest.mark.timeout(120)
async def test_the_page_is_used_with_the_keyboard_in_light_and_dark(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    link, charge = await paid(client, server)
    await server.reactivate(link)
    other = (await client.v1.payment_links.create_async(link_params("INV-1002"))).id
    for session in [await server.open_session(other) for _ in range(2)]:
        await server.dispute((await server.pay(session["id"]))["id"])
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        backgrounds = set()
        scheme: Any
        for scheme in ("light", "dark"):
            page = await browser.new_page(color_scheme=scheme, viewport={"width": 390, "height": 800})
            page.set_default_timeout(60_000)
            await page.goto(f"{server.public_url}/dashboard")
            backgrounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"))
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        names = await page.get_by_role("button").evaluate_all("all => all.map(one => one.textContent)")
        assert len(names) == len(set(names))
        await page.get_by_label(re.compile("^Amount for payment 1 of Invoice INV-1001")).focus()
        await page.keyboard.type("2.50")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_have_text("USD 2.50 was refunded.")
        await browser.close()
    assert len(backgrounds) == 2
    assert server.find(charge)["amount_refunded"] == 250
