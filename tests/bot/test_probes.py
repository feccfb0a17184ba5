"""What /readyz learns about Stripe without spending requests on it."""

from typing import Any, cast

import pytest

from bot import probes
from bot.health import Health
from bot.local.stripe.server import LocalStripe
from bot.probes import Probes, hear_stripe
from domain.stripe_api import StripeApi


async def test_stripe_is_missed_without_any_work_and_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "STRIPE_EVERY_SECONDS", 0.0)
    health = Health()
    server = LocalStripe()
    await server.start()
    api = StripeApi(
        server.api_key, base_url=server.api_url, on_request=lambda outcome: hear_stripe(health, outcome)
    )
    unused = cast(Any, None)
    asked = Probes(unused, unused, api, health)
    await asked.stripe()
    assert "stripe" not in health.reasons
    assert server.requests == []
    await server.stop()
    await asked.stripe()
    assert "stripe" in health.reasons
    again = LocalStripe(port=server.port)
    await again.start()
    await asked.stripe()
    assert "stripe" not in health.reasons
    await again.stop()
    await api.close()
