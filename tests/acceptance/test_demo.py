"""`paylink demo` as a newcomer has it: one command, one page, from a typed number to a payment in the channel."""

import asyncio
import re
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.sandbox.page.world import ARGUMENTS, CHROMIUM

ROOT = Path(__file__).parents[2]
WAIT = 60_000
"""Milliseconds. What the browser draws is waited for; only what never comes takes so long."""


@asynccontextmanager
async def demo(data: Path, port: int = 0) -> AsyncIterator[str]:
    """The running command; the address that it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "demo", "--port", str(port), "--data", str(data)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        while not (found := re.search(rb"http://\S+", await process.stdout.readline())):
            assert not process.stdout.at_eof()
        yield found.group().decode()
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = await process.communicate()
    assert process.returncode == 0
    assert errors == b""


@asynccontextmanager
async def page_of(address: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page()
        page.set_default_timeout(WAIT)
        await page.goto(address)
        yield page
        await browser.close()


async def close(page: Page) -> None:
    """Until the modal is gone, it has the keyboard."""
    await page.get_by_role("button", name="Close").click()
    await expect(page.get_by_role("dialog")).to_have_count(0, timeout=WAIT)


@pytest.mark.browser
@pytest.mark.timeout(400)
async def test_a_link_is_created_paid_and_announced_and_a_restart_keeps_it(tmp_path: Path) -> None:
    async with demo(tmp_path, 18765) as address, page_of(address) as page:
        await page.get_by_label("Message").fill("/invoices")
        await page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        tick = dialog.get_by_role("checkbox").first
        number = await tick.evaluate(
            "box => document.getElementById(box.getAttribute('aria-labelledby')).textContent"
        )
        assert re.fullmatch(r"INV-\d+", number)
        await close(page)

        await page.get_by_label("Message").fill(f"/invoice {number}")
        await page.keyboard.press("Enter")
        await dialog.get_by_role("button", name="Create Payment Link").click()
        await expect(dialog.get_by_text("Pending Payment")).to_be_visible(timeout=WAIT)
        async with page.expect_popup() as opened:
            await dialog.get_by_text("Open Link").click()
        buyer = await opened.value
        await buyer.get_by_role("button", name=re.compile("^Pay ")).click()
        await expect(buyer.get_by_role("heading", name="Thanks for your payment")).to_be_visible(timeout=WAIT)
        await close(page)
        announced = page.get_by_role("log").get_by_text(f"Paid: invoice {number}")
        await expect(announced).to_have_count(1, timeout=WAIT)

        async with page.expect_popup() as opened:
            await page.get_by_role("link", name="Stripe Dashboard").click()
        merchant = await opened.value
        await merchant.get_by_label("Invoice or product").fill(number)
        await merchant.keyboard.press("Enter")
        await expect(merchant.get_by_role("article")).to_have_count(1, timeout=WAIT)
        await expect(merchant.get_by_role("heading", name="Payment 1")).to_be_visible()
        await merchant.close()

    async with demo(tmp_path, 18765) as address, page_of(address) as page:
        announced = page.get_by_role("log").get_by_text(f"Paid: invoice {number}")
        await expect(announced).to_have_count(1, timeout=WAIT)
        await page.get_by_label("Message").fill(f"/invoice {number}")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog").get_by_text("Amount received")).to_be_visible(timeout=WAIT)


async def test_all_that_a_browser_sees_is_served_from_the_one_port(tmp_path: Path) -> None:
    async with demo(tmp_path) as address, aiohttp.ClientSession() as browser:
        database = sqlite3.connect(tmp_path / "paylink.sqlite3")
        urls = [url for (url,) in database.execute("SELECT url FROM links WHERE url IS NOT NULL")]
        database.close()
        assert urls
        assert all(url.startswith(f"{address}pay/") for url in urls)
        for shown in (urls[0], f"{address}dashboard"):
            async with browser.get(shown) as page:
                assert page.status == 200
                # Its own policy, which lets its forms be sent; the workspace's page has none to send.
                assert "form-action" not in page.headers["Content-Security-Policy"]
        for own in (address, f"{address}nothing"):
            async with browser.get(own) as page:
                assert "form-action 'none'" in page.headers["Content-Security-Policy"]
                assert page.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_second_one_in_the_same_directory_is_refused(tmp_path: Path) -> None:
    async with demo(tmp_path):
        second = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot", "demo", "--data", str(tmp_path)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, errors = await second.communicate()
    assert second.returncode == 2
    assert (said, errors.decode()) == (
        b"",
        f"Another demo keeps its world in {tmp_path}: end it first, or take another directory.\n",
    )


@pytest.mark.browser
@pytest.mark.timeout(400)
async def test_a_file_is_chosen_previewed_imported_and_told_of(tmp_path: Path) -> None:
    sample = ROOT / "docs" / "samples" / "peppol-invoice.xml"
    async with demo(tmp_path) as address, page_of(address) as page:
        await page.get_by_label("Message").fill("/invoices import")
        await page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("File", exact=True).set_input_files(sample)
        await expect(dialog.get_by_role("listitem")).to_contain_text(sample.name, timeout=WAIT)
        await dialog.get_by_role("button", name="Preview").click()
        await expect(dialog).to_contain_text("Import Preview", timeout=WAIT)
        await expect(dialog).to_contain_text("New: 1")
        await dialog.get_by_role("button", name="Import", exact=True).click()
        await expect(dialog).to_contain_text("The import is done.", timeout=WAIT)
        await close(page)
        await page.get_by_role("link", name="Paylink").last.click()
        await expect(page.get_by_text(f"Import of {sample.name}").last).to_be_visible(timeout=WAIT)
