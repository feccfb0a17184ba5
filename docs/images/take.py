"""Takes the pictures in this directory from a demo of its own: `make pictures`. Needs the system's Chromium."""

import asyncio
import contextlib
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Page, ViewportSize, async_playwright

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
]
SIZE: ViewportSize = {"width": 1000, "height": 680}
START_SECONDS = 60.0
SETTLE_MILLISECONDS = 700


@contextlib.asynccontextmanager
async def demo() -> AsyncIterator[str]:
    """The address of a demo in a world of its own."""
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "bot", "demo", "--port", "0", "--data", data]
        running = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert running.stdout is not None
        try:
            async with asyncio.timeout(START_SECONDS):
                while not (found := re.search(rb"http://\S+", await running.stdout.readline())):
                    if running.returncode is not None:
                        raise SystemExit("The demo didn't start.")
            yield found.group().decode()
        finally:
            running.terminate()
            await running.wait()


async def say(page: Page, text: str) -> None:
    box = page.get_by_role("textbox", name="Message")
    await box.fill(text)
    await box.press("Enter")


async def take(page: Page, name: str) -> None:
    await page.wait_for_timeout(SETTLE_MILLISECONDS)
    await page.screenshot(path=HERE / f"{name}.png")


async def close_modals(page: Page) -> None:
    while await page.get_by_role("dialog").count():
        await page.keyboard.press("Escape")
        await page.wait_for_timeout(200)


async def one_invoice(page: Page) -> None:
    """Create a link, pay it as the buyer, and read the channel."""
    await say(page, "/invoice INV-1001")
    await page.get_by_role("button", name="Create Payment Link").click()
    link = page.get_by_role("link", name="Open Link").or_(page.get_by_role("button", name="Open Link")).first
    await link.wait_for()
    await take(page, "details")
    async with page.context.expect_page() as opened:
        await link.click()
    buyer = await opened.value
    await buyer.get_by_label("E-mail").fill("accounts@buyer.example")
    await take(buyer, "buyer")
    await buyer.get_by_role("button", name=re.compile("^Pay ")).click()
    await buyer.get_by_role("button").first.wait_for(state="detached")
    await buyer.close()
    await close_modals(page)
    await page.get_by_text("invoice INV-1001 of").wait_for()
    await take(page, "paid")


async def a_hundred_invoices(page: Page) -> None:
    """Tick a page of invoices, confirm, and create all their links."""
    await say(page, "/invoices")
    await page.get_by_role("button", name="Select All on This Page").click()
    await page.get_by_text("100 selected", exact=False).first.wait_for()
    await take(page, "list")
    await page.get_by_role("button", name="Create Payment Link").last.click()
    create = page.get_by_role("button", name="Create", exact=True)
    await create.wait_for()
    await take(page, "confirmation")
    await create.click()
    await page.get_by_role("dialog").last.get_by_text(re.compile("Created: 100")).first.wait_for()
    # The direct message says so too, for a few seconds above the conversations.
    await page.get_by_role("status").get_by_text("Bulk run").wait_for(state="hidden")
    await take(page, "result")


async def main() -> None:
    async with demo() as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page(viewport=SIZE)
        page.set_default_timeout(30_000)
        await page.goto(address)
        await one_invoice(page)
        await a_hundred_invoices(page)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
