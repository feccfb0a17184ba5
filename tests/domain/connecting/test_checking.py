"""What a key may do is told by each permission's name, without anything being made at Stripe."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from domain.connecting.checking import NEEDED, Permission, check_key
from domain.errors import KeyUnusable
from domain.states import KeyTrouble
from domain.stripe.client import StripeApi
from sandbox.stripe.api.endpoints import PERMISSIONS
from sandbox.stripe.api.rate import RateLimits
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe

UNLIMITED = RateLimits(live=None, test=None, endpoint=None)
KEY = "rk_test_0123456789abcdef"


@asynccontextmanager
async def api(stripe: LocalStripe, key: str = KEY) -> AsyncIterator[StripeApi]:
    one = StripeApi(key, base_url=stripe.api_url)
    yield one
    await one.close()


async def test_each_permission_that_is_lacking_is_named_and_nothing_is_made() -> None:
    async with LocalStripe(limits=UNLIMITED) as stripe:
        key = stripe.add_key(KEY, permissions=PERMISSIONS)
        async with api(stripe) as asked:
            whole = await check_key(asked)
            assert (whole.livemode, whole.account, whole.name) == (
                False,
                stripe.account,
                "Paylink Local Merchant",
            )
            assert (whole.lacks, whole.missing) == ((), ())
            for permission in Permission:
                gone = {permission.value}
                if permission.value.endswith("_read"):
                    # Writing includes reading.
                    gone.add(permission.value.removesuffix("_read") + "_write")
                key.permissions = PERMISSIONS - gone
                check = await check_key(asked)
                assert permission in check.lacks
                assert (permission in check.missing) is (permission in NEEDED)
        assert stripe.links() == stripe.objects("webhook_endpoint") == []


async def test_cards_and_the_wallet_are_told_as_far_as_they_can_be_known() -> None:
    async with LocalStripe(limits=UNLIMITED) as stripe:
        async with api(stripe, stripe.api_key) as asked:
            first = await check_key(asked)
            stripe.rules.takes_cards, stripe.rules.wallet_on = False, False
            second = await check_key(asked)
        stripe.add_key(KEY, without={Permission.ACCOUNT, Permission.METHODS})
        async with api(stripe) as asked:
            unknown = await check_key(asked)
    assert [(one.takes_cards, one.link_on) for one in (first, second, unknown)] == [
        (True, True),
        (False, False),
        (None, None),
    ]
    assert (unknown.account, unknown.missing) == (None, ())


async def test_it_waits_where_the_account_is_at_its_limit() -> None:
    async with LocalStripe() as stripe, api(stripe, stripe.api_key) as asked:
        stripe.faults.add(FaultKind.RATE_LIMIT, path="/v1/disputes", headers={"Retry-After": "0.01"}, times=2)
        assert (await check_key(asked)).lacks == ()


async def test_a_key_that_cannot_be_checked_is_told_apart_from_a_wrong_one() -> None:
    async with LocalStripe() as stripe, api(stripe, "sk_test_nobodyknowsthis1") as asked:
        with pytest.raises(KeyUnusable) as refused:
            await check_key(asked)
        assert len(stripe.requests) == 1
    async with api(stripe) as asked:
        with pytest.raises(KeyUnusable) as away:
            await check_key(asked)
    assert (refused.value.why, away.value.why) == (KeyTrouble.REFUSED, KeyTrouble.STRIPE_AWAY)
