"""A moving picture of what somebody does in a browser: single pictures, each shown for a while, with a pointer drawn in."""

import io
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.async_api import Locator, Page

TYPING_MILLISECONDS = 110
POINTING_MILLISECONDS = 700
SETTLE_MILLISECONDS = 350
QUALITY = 60
# The tip first; the rest of an arrow below and to the right of it.
ARROW = ((0, 0), (0, 22), (5, 17), (9, 26), (13, 24), (9, 15), (16, 15))


class Film:
    """Pictures in their order. All of one size, the first one's."""

    def __init__(self) -> None:
        self._pictures: list[Image.Image] = []
        self._milliseconds: list[int] = []

    async def show(self, page: Page, milliseconds: int, *, at: tuple[float, float] | None = None) -> None:
        """What the page shows now, for so long, with the pointer's tip ``at`` a place if there is one."""
        await page.wait_for_timeout(SETTLE_MILLISECONDS)
        self._add(await page.screenshot(), milliseconds, at)

    async def type(self, page: Page, box: Locator, text: str) -> None:
        """Types into a box, a few letters in each picture, and presses Enter."""
        for end in range(2, len(text) + 2, 2):
            await box.fill(text[:end])
            self._add(await page.screenshot(), TYPING_MILLISECONDS, None)
        self._milliseconds[-1] = POINTING_MILLISECONDS
        await box.press("Enter")

    async def click(self, page: Page, target: Locator) -> None:
        """Points at something, and clicks it."""
        box = await target.bounding_box()
        assert box is not None
        await self.show(
            page, POINTING_MILLISECONDS, at=(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        )
        await target.click()

    def save(self, path: Path) -> None:
        """Write it as an animated WebP that begins again at its end."""
        first, *others = self._pictures
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=self._milliseconds,
            loop=0,
            quality=QUALITY,
            method=6,
        )

    def _add(self, screenshot: bytes, milliseconds: int, at: tuple[float, float] | None) -> None:
        picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
        if at is not None:
            arrow = [(at[0] + x, at[1] + y) for x, y in ARROW]
            ImageDraw.Draw(picture).polygon(arrow, fill="black", outline="white", width=2)
        self._pictures.append(picture)
        self._milliseconds.append(milliseconds)
