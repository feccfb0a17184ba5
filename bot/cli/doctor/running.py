"""What the doctor hears from a `paylink serve` that runs on this machine: whether it is ready, and what comes to its webhook."""

from collections.abc import AsyncIterator

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bot.cli.doctor.findings import Finding, Level
from bot.settings import Settings
from domain.payments.events import Receipt

_TAKEN = {Receipt.KEPT.value, Receipt.KNOWN.value, Receipt.NOT_OURS.value}
WEBHOOKS = "paylink_webhooks"
MOST_SECONDS = 3.0
_REFUSED = {
    "signature": (
        "isn't signed with the signing secret that Paylink has",
        "Copy the signing secret from the endpoint's page under Developers, Webhooks in the Stripe Dashboard, of the account "
        "and mode of the key.",
    ),
    Receipt.OTHER_MODE.value: (
        "is of the other mode than the key",
        "Make the endpoint in the mode of the key: test and live mode have endpoints of their own.",
    ),
    Receipt.NOT_USED.value: (
        "is of a type that Paylink has no use for",
        "Choose the event types of the guide (docs/how-to/connect-stripe.md); a thin event is taken if its type is one of them "
        "with v1. before it.",
    ),
}
"""What became of deliveries by which nothing of ours is seen, and how to mend it."""


async def examine_running(settings: Settings) -> AsyncIterator[Finding]:
    """Nothing where none answers on PORT: it may run elsewhere, or not yet."""
    if not settings.port:
        return
    place = f"http://127.0.0.1:{settings.port}"
    timeout = aiohttp.ClientTimeout(total=MOST_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            async with session.get(f"{place}/readyz") as ready:
                reasons = dict((await ready.json())["reasons"])
            async with session.get(f"{place}/metrics") as metrics:
                counted = count_webhooks(await metrics.text())
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, LookupError, TypeError):
        return
    for reason in reasons.values():
        yield Finding(Level.NOTE, f"Running: the Paylink on port {settings.port} isn't ready. {reason}")
    if settings.webhook_secrets:
        yield examine_webhooks(counted)


def count_webhooks(metrics: str) -> dict[str, int]:
    """Deliveries since the process started, by what became of them."""
    return {
        sample.labels["outcome"]: int(sample.value)
        for family in text_string_to_metric_families(metrics)
        if family.name == WEBHOOKS
        for sample in family.samples
        if sample.name == f"{WEBHOOKS}_total" and sample.value
    }


def examine_webhooks(counted: dict[str, int]) -> Finding:
    taken = sum(count for outcome, count in counted.items() if outcome in _TAKEN)
    if taken:
        return Finding(Level.WELL, f"Webhook: {taken} deliveries came through since the process started.")
    for outcome, (why, mend) in _REFUSED.items():
        if counted.get(outcome):
            return Finding(
                Level.WRONG if outcome == "signature" else Level.NOTE,
                f"Webhook: of what came since the process started nothing came through, and {counted[outcome]} times it {why}.",
                mend,
            )
    return Finding(
        Level.NOTE,
        "Webhook: nothing has come since the process started. If a link was made or paid meanwhile, Stripe doesn't reach it.",
        "See under Developers, Webhooks in the Stripe Dashboard that the endpoint is enabled, what its address is, and what its "
        "last deliveries were answered.",
    )
