"""The buyer's page: what it shows, its controls, and what they do; over HTTP and in a browser."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import aiohttp
import pytest
import stripe
from playwright.async_api import async_playwright, expect

from sandbox.stripe.server import LocalStripe
from tests.contracts.stripe.fixtures import (  # noqa: F401
    client_fixture,
    clock_fixture,
    http_fixture,
    link_params,
    server_fixture,
)

DRAWN = 60_000
"""Milliseconds. What the browser draws is waited for; only what never comes takes so long."""

GOOD = {"email": "ann@example.com", "card": "4242 4242 4242 4242", "action": "pay"}


async def link_of(client: stripe.StripeClient, **more: Any) -> str:
    return (await client.v1.payment_links.create_async(link_params(**more))).url


async def opened(http: aiohttp.ClientSession, url: str) -> tuple[str, str]:
    """The session's page and its text."""
    answer = await http.get(url)
    assert answer.status == 200
    return answer.url.path, await answer.text()


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [(120_050, "usd", "USD 1,200.50"), (1_200, "jpy", "JPY 1,200"), (1_500, "kwd", "KWD 1.500"), (120_000, "isk", "ISK 1,200")],
)  # fmt: skip
async def test_the_page_shows_merchant_product_and_amount(
    client: stripe.StripeClient,
    server: LocalStripe,
    http: aiohttp.ClientSession,
    amount: int,
    currency: str,
    shown: str,
) -> None:
    path, text = await opened(http, await link_of(client, amount=amount, currency=currency))
    assert path.startswith("/checkout/cs_test_")
    for expected in (f">Pay {shown}</button>", "Invoice INV-1001", server.rules.merchant, "local test page"):
        assert expected in text


async def test_one_brand_takes_fewer_digits(
    client: stripe.StripeClient, server: LocalStripe, http: aiohttp.ClientSession
) -> None:
    for amount, paid in ((10**9 - 1, True), (10**9, False)):
        path, _ = await opened(http, await link_of(client, amount=amount))
        text = await (await http.post(path, data=GOOD | {"card": "3782 822463 10005"})).text()
        assert ("does not support this amount" in text) is not paid
        assert (server.objects("checkout.session")[-1]["status"] == "complete") is paid
    text = await (await http.post(path, data=GOOD)).text()
    assert "Thanks for your payment" in text


async def test_the_form_is_filled_in_so_that_one_click_pays(
    client: stripe.StripeClient, http: aiohttp.ClientSession
) -> None:
    _, text = await opened(http, await link_of(client))
    assert re.findall(r'name="(email|card)"[^>]* value="([^"]+)"', text) == [
        ("email", "buyer@example.com"),
        ("card", "4242 4242 4242 4242"),
    ]


async def test_paying_completes_the_session_and_thanks(
    client: stripe.StripeClient, server: LocalStripe, http: aiohttp.ClientSession
) -> None:
    url = await link_of(client)
    path, _ = await opened(http, url)
    answer = await http.post(path, data=GOOD)
    assert "Thanks for your payment" in await answer.text()
    (session,) = server.objects("checkout.session")
    assert (session["status"], session["payment_status"]) == ("complete", "paid")
    assert session["customer_details"]["email"] == "ann@example.com"
    again = await http.post(path, data=GOOD)
    assert "Thanks for your payment" in await again.text()
    assert len(server.objects("charge")) == 1
    assert "This invoice was paid." in await (await http.get(url)).text()
    assert len(server.objects("checkout.session")) == 1


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"action": "decline"}, "Your card was declined."),
        ({"card": "4000 0000 0000 0002"}, "Your card was declined."),
        ({"card": "4000000000009995"}, "Your card has insufficient funds."),
        ({"card": "4242 4242 4242 4241"}, "Your card number is invalid."),
        ({"card": ""}, "Your card number is invalid."),
        ({"email": "nobody"}, "Your email is invalid."),
    ],
)
async def test_a_refusal_leaves_the_session_open_to_try_again(
    client: stripe.StripeClient,
    server: LocalStripe,
    http: aiohttp.ClientSession,
    form: dict[str, str],
    problem: str,
) -> None:
    path, _ = await opened(http, await link_of(client))
    answer = await http.post(path, data=GOOD | form)
    assert f'<p role="alert">{problem}' in await answer.text()
    assert server.objects("checkout.session")[0]["status"] == "open"
    assert "Thanks" in await (await http.post(path, data=GOOD)).text()


async def test_leaving_pays_nothing(
    client: stripe.StripeClient, server: LocalStripe, http: aiohttp.ClientSession
) -> None:
    path, _ = await opened(http, await link_of(client))
    answer = await http.post(path, data={"action": "leave"})
    assert "You left without paying" in await answer.text()
    assert server.objects("checkout.session")[0]["status"] == "open"
    assert "Thanks" in await (await http.post(path, data=GOOD)).text()


async def test_url_parameters_fill_the_page_and_are_never_trusted(
    client: stripe.StripeClient, server: LocalStripe, http: aiohttp.ClientSession
) -> None:
    url = await link_of(client)
    params = {"prefilled_email": 'x"><script>@a.b', "client_reference_id": "INV_1-1"}
    answer = await http.get(url, params=params)
    text = await answer.text()
    assert "<script>" not in text
    assert params["prefilled_email"] in unescape(text)
    await http.get(url, params={"client_reference_id": "no spaces!"})
    assert [item["client_reference_id"] for item in server.objects("checkout.session")] == ["INV_1-1", None]


async def test_hostile_text_is_inert(
    client: stripe.StripeClient, server: LocalStripe, http: aiohttp.ClientSession
) -> None:
    server.rules.merchant = "<img src=x onerror=alert(1)>"
    item = {"currency": "usd", "unit_amount": 500, "product_data": {"name": "</p><script>alert(1)</script>"}}
    url = await link_of(
        client, line_items=[{"quantity": 1, "price_data": item}], inactive_message="<b>gone</b>"
    )
    path, text = await opened(http, url)
    await http.post(path, data=GOOD)
    for page in (text, await (await http.get(path)).text(), await (await http.get(url)).text()):
        assert not re.search(r"<(script|img|b)\b", page)
    assert "default-src 'none'" in (await http.get(path)).headers["Content-Security-Policy"]


async def test_pages_that_are_over_say_so(
    client: stripe.StripeClient, server: LocalStripe, http: aiohttp.ClientSession
) -> None:
    path, _ = await opened(http, await link_of(client))
    server.advance(24 * 3600)
    assert "This checkout session has expired." in await (await http.get(path)).text()
    assert "This checkout session has expired." in await (await http.post(path, data=GOOD)).text()
    assert server.objects("charge") == []
    for nowhere in ("/pay/test_none", "/checkout/cs_test_none"):
        assert (await http.get(nowhere)).status == 404


async def test_after_completion_can_lead_elsewhere(
    client: stripe.StripeClient, server: LocalStripe, http: aiohttp.ClientSession
) -> None:
    after = {"type": "redirect", "redirect": {"url": "https://example.com/done?s={CHECKOUT_SESSION_ID}"}}
    path, _ = await opened(http, await link_of(client, after_completion=after))
    answer = await http.post(path, data=GOOD, allow_redirects=False)
    assert answer.headers["Location"] == f"https://example.com/done?s={path.rpartition('/')[2]}"


@pytest.mark.browser
async def test_a_browser_pays_by_labels_and_keyboard(
    client: stripe.StripeClient, server: LocalStripe
) -> None:
    url = await link_of(client)
    expect.set_options(timeout=DRAWN)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = await browser.new_page()
        page.set_default_timeout(DRAWN)
        await page.goto(url)
        await page.get_by_label("E-mail").fill("ann@example.com")
        await page.get_by_role("button", name="Card declined").click()
        await expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
        await expect(page.get_by_label("E-mail")).to_have_value("ann@example.com")
        await page.get_by_label("Card number").press("Enter")
        await expect(page.get_by_role("heading", name="Thanks for your payment")).to_be_visible()
        await browser.close()
    (session,) = server.objects("checkout.session")
    assert session["payment_status"] == "paid"
