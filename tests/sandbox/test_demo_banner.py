"""What the demo prints once it runs."""

import io

from rich.console import Console

from sandbox.demo import show_address


def test_no_line_is_broken_when_the_output_is_no_terminal() -> None:
    out = io.StringIO()
    show_address(Console(file=out, width=20, highlight=False), "http://127.0.0.1:8765/")

    assert out.getvalue().splitlines() == [
        "",
        "  Paylink demo  http://127.0.0.1:8765/",
        "",
        "  Open it in a browser, type /invoice INV-1001 or /invoices,",
        "  create a link, pay it as the buyer, and read #billing. Nothing leaves this machine.",
        "  Northwind, at the top left, is another company's workspace.",
        "  Ctrl-C ends it.",
        "",
    ]
