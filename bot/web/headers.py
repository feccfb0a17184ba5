"""What every answer says to a browser that shows it: run nothing, frame nothing, guess nothing, keep nothing."""

from aiohttp import hdrs, web

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


async def protect(_request: web.Request, answer: web.StreamResponse) -> None:
    """Unless the answer says otherwise itself; and which versions answer is nobody's business."""
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    answer.headers.pop(hdrs.SERVER, None)
