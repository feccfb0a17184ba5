"""What /readyz learns about Slack, and about Stripe without spending requests on it."""

from typing import Any, cast

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.watch.health import NOT_FROM_STRIPE, STRIPE_AWAY, STRIPE_FAILS, Health
from bot.work import probes
from bot.work.probes import Probes, hear_stripe
from domain.stripe.client import StripeApi
from domain.stripe.errors import StripeAway
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.patience import quiet_port


async def test_stripe_is_missed_without_any_work_and_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "STRIPE_EVERY_SECONDS", 0.0)
    health = Health()
    server = LocalStripe(port=quiet_port())
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


@pytest.mark.parametrize("token", ["xoxb-1", None])
def test_that_one_of_many_workspaces_has_removed_the_app_makes_nobody_unready(token: str | None) -> None:
    health = Health()
    unused = cast(Any, None)
    Probes(unused, AsyncWebClient(token=token), unused, health).hear_slack("views.update", "account_inactive")
    assert ("slack" in health.reasons) == (token is not None)


async def test_a_stripe_that_fails_is_told_from_one_that_cannot_be_reached() -> None:
    health = Health()
    async with LocalStripe() as server:
        api = StripeApi(
            server.api_key, base_url=server.api_url, on_request=lambda outcome: hear_stripe(health, outcome)
        )
        for kind, status, said in (
            (FaultKind.ERROR, 500, STRIPE_FAILS),
            (FaultKind.DROP, 0, STRIPE_AWAY),
            (FaultKind.GARBLED, 502, STRIPE_FAILS),
            (FaultKind.GARBLED, 403, NOT_FROM_STRIPE),
            (FaultKind.GARBLED, 200, NOT_FROM_STRIPE),
        ):
            fault = server.faults.add(kind, times=None, status=status)
            with pytest.raises(StripeAway):
                await api.get_account()
            assert health.reasons == {"stripe": said}
            server.faults.remove(fault)
        await api.get_account()
        assert health.reasons == {}
        await api.close()
