"""Takes the pictures in this directory from a demo of its own: `make pictures`. Needs the system's Chromium, and fonts
for every script that buyers' names are written in."""

import asyncio
import contextlib
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

from film import Film
from PIL import Image
from playwright.async_api import Locator, Page, ViewportSize, async_playwright

HERE = Path(__file__).parent
SAMPLE = HERE.parent / "samples" / "xero.csv"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
]
SIZE: ViewportSize = {"width": 1000, "height": 680}
SET_UP_SIZE: ViewportSize = {"width": 1000, "height": 860}
TELEPHONE: ViewportSize = {"width": 390, "height": 680}
START_SECONDS = 180.0
SETTLE_MILLISECONDS = 700


@contextlib.asynccontextmanager
async def demo(*options: str) -> AsyncIterator[str]:
    """The address of a demo in a world of its own."""
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "bot", "demo", "--port", "0", "--data", data, *options]
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


def message_box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True).last


def open_link(page: Page) -> Locator:
    return page.get_by_role("link", name="Open Link").or_(page.get_by_role("button", name="Open Link")).first


async def say(page: Page, text: str) -> None:
    await message_box(page).fill(text)
    await message_box(page).press("Enter")


async def take(page: Page, name: str) -> None:
    await page.wait_for_timeout(SETTLE_MILLISECONDS)
    picture = Image.open(BytesIO(await page.screenshot()))
    # With 256 colours it has a third of the bytes, and no channel is off by more than a few of its 256 steps.
    few = picture.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(HERE / f"{name}.png", optimize=True)


async def close_modals(page: Page) -> None:
    while await page.get_by_role("dialog").count():
        await page.keyboard.press("Escape")
        await page.wait_for_timeout(200)


async def one_invoice(page: Page, film: Film) -> None:
    """Create a link, pay it as the buyer, and read the channel."""
    await film.show(page, 1500)
    await film.type(page, message_box(page), "/invoice INV-1001")
    await button(page, "Create Payment Link").wait_for()
    await film.show(page, 1300)
    await film.click(page, button(page, "Create Payment Link"))
    await open_link(page).wait_for()
    await film.show(page, 1500)
    await take(page, "details")
    await page.emulate_media(color_scheme="dark")
    await take(page, "details-dark")
    await page.emulate_media(color_scheme="light")
    async with page.context.expect_page() as opened:
        await film.click(page, open_link(page))
    buyer = await opened.value
    await buyer.set_viewport_size(SIZE)
    await buyer.get_by_label("E-mail").fill("accounts@buyer.example")
    await film.show(buyer, 1300)
    await take(buyer, "buyer")
    await film.click(buyer, buyer.get_by_role("button", name=re.compile("^Pay ")))
    await buyer.get_by_role("heading", name="Thanks").wait_for()
    await film.show(buyer, 1300)
    await buyer.close()
    await page.get_by_role("dialog").get_by_text("Amount received").wait_for()
    await film.show(page, 1500)
    await close_modals(page)
    await page.get_by_text("invoice INV-1001 of").wait_for()
    await film.show(page, 1800)
    await take(page, "paid")


async def a_hundred_invoices(page: Page, film: Film) -> None:
    """Tick a page of invoices, confirm, and create all their links."""
    await film.type(page, message_box(page), "/invoices")
    await button(page, "Select All on This Page").wait_for()
    await film.show(page, 1300)
    await film.click(page, button(page, "Select All on This Page"))
    await page.get_by_text("100 of at most 100 ticked").first.wait_for()
    await film.show(page, 1500)
    await take(page, "list")
    await film.click(page, button(page, "Create Payment Link"))
    await button(page, "Create").wait_for()
    await film.show(page, 1800)
    await take(page, "confirmation")
    await film.click(page, button(page, "Create"))
    await film.show(page, 700)
    await page.get_by_role("dialog").last.get_by_text(re.compile("Created: 100")).first.wait_for()
    # The direct message says so too, for a few seconds above the conversations.
    await page.get_by_role("status").get_by_text("Bulk run").wait_for(state="hidden")
    await film.show(page, 3000)
    await take(page, "result")
    await close_modals(page)


async def a_file(page: Page) -> None:
    """Look at what an import would do, and leave it."""
    await say(page, "/invoices import")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("File", exact=True).set_input_files(SAMPLE)
    await dialog.get_by_role("listitem").wait_for()
    await button(page, "Preview").click()
    await button(page, "Import").wait_for()
    await take(page, "import")
    await close_modals(page)


async def what_needs_somebody(page: Page, address: str) -> None:
    """A refund at Stripe, worked off, and Home, which says what needs somebody."""
    merchant = await page.context.new_page()
    await merchant.goto(f"{address}dashboard")
    await merchant.get_by_label("Invoice or product").fill("INV-1003")
    await merchant.keyboard.press("Enter")
    await merchant.get_by_role("button", name=re.compile("Refund")).first.click()
    await merchant.close()
    await page.get_by_role("log").get_by_text("INV-1003").last.wait_for()
    await page.wait_for_timeout(6000)
    await say(page, "/invoice exceptions")
    await button(page, "Resolve").wait_for()
    await take(page, "exceptions")
    await close_modals(page)
    await page.goto(f"{address}#home")
    await page.get_by_role("button", name="Find Invoice").wait_for()
    # The app's welcome is announced for a few seconds.
    await page.wait_for_timeout(1000)
    await page.get_by_role("status").get_by_role("button").last.wait_for(state="hidden")
    await take(page, "home")


async def on_a_telephone(page: Page, address: str) -> None:
    await page.goto(f"{address}#C0BILLING")
    await page.set_viewport_size(TELEPHONE)
    await take(page, "telephone")


async def setting_up(page: Page, address: str) -> None:
    """From the install page to a key that is connected, and the settings."""
    await page.get_by_role("link", name="Add Paylink").click()
    await page.get_by_role("link", name="Add to Slack").click()
    await page.get_by_role("button", name="Allow").or_(page.get_by_role("link", name="Allow")).first.click()
    await page.get_by_text("It is installed in").wait_for()
    await page.goto(address)
    await page.get_by_role("button", name="Copy Stripe Key").click()
    key = await page.get_by_role("status").get_by_text("rk_test_").inner_text()
    await page.get_by_role("navigation").get_by_text("Home").click()
    await button(page, "Connect Stripe").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Restricted key").fill(key)
    await page.get_by_role("status").get_by_text("rk_test_").wait_for(state="hidden")
    await take(page, "connect")
    await button(page, "Connect").click()
    await dialog.get_by_text("Stripe is connected").wait_for()
    await close_modals(page)
    await take(page, "set-up")
    await button(page, "Settings").click()
    await dialog.get_by_label("Who may create links").wait_for()
    await take(page, "settings")


async def main() -> None:
    film = Film()
    async with demo() as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await (await browser.new_context(viewport=SIZE)).new_page()
        page.set_default_timeout(30_000)
        await page.goto(address)
        await message_box(page).wait_for()
        await one_invoice(page, film)
        await a_hundred_invoices(page, film)
        film.save(HERE / "paylink.webp")
        await a_file(page)
        await what_needs_somebody(page, address)
        await on_a_telephone(page, address)
        await browser.close()
    async with demo("--fresh") as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await (await browser.new_context(viewport=SET_UP_SIZE)).new_page()
        await page.goto(address)
        await setting_up(page, address)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
