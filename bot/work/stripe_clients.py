"""The clients of Stripe: one for each key, over connections that they share."""

from collections.abc import Callable

from bot.settings import STRIPE_API, Settings
from domain.stripe.client import StripeApi
from domain.stripe.transport import Connections


def make_stripe(
    settings: Settings, timeout: float, heard: Callable[[str], None]
) -> tuple[Connections, Callable[[str], StripeApi]]:
    """The connections, and what makes a key's client. ``heard`` is told the outcome of each request."""
    proxy = settings.proxies.of(settings.stripe_api_url or STRIPE_API)
    connections = Connections(timeout=timeout, proxy=proxy)

    def make(key: str) -> StripeApi:
        return StripeApi(
            key,
            base_url=settings.stripe_api_url,
            # A little closer than the slots, so that what the machine was late with is made up for.
            spacing=0.96 / settings.paylink_stripe_rate,
            on_request=heard,
            connections=connections,
        )

    return connections, make
