"""The local Stripe as a process: `python -m sandbox.stripe --port 4242 --data stripe.json`."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.stripe.server import LocalStripe
from sandbox.stripe.worlds import DEFAULT_ACCOUNT, DEFAULT_KEY


def main(argv: Sequence[str] | None = None) -> int:
    """Runs until SIGINT or SIGTERM; its first line on standard output is {"api_url", "api_key", "account", "port"}."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.stripe", description="A Stripe on this machine.")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes any free port")
    parser.add_argument("--data", type=Path, help="keep the world in this file between runs")
    parser.add_argument("--api-key", default=DEFAULT_KEY, help="sk_test_... or sk_live_...")
    parser.add_argument("--account", default=DEFAULT_ACCOUNT)
    parser.add_argument("--merchant", default="Paylink Local Merchant", help="the name on the payment page")
    parser.add_argument("--seed", type=int, default=0, help="of everything that happens by chance")
    asyncio.run(_serve(parser.parse_args(argv)))
    return 0


async def _serve(options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    stripe = LocalStripe(
        api_key=options.api_key,
        account=options.account,
        port=options.port,
        data=options.data,
        merchant=options.merchant,
        seed=options.seed,
    )
    async with stripe:
        facts = {
            "api_url": stripe.api_url,
            "api_key": stripe.api_key,
            "account": stripe.account,
            "port": stripe.port,
        }
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()
        await stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
