"""There is one webhook endpoint of ours, whatever became of the calls before."""

import pytest

from domain.connecting.own_endpoint import OwnEndpoint, provide_endpoint, remove_endpoint
from domain.payments.event_reading import TYPES
from domain.stripe.client import API_VERSION
from domain.stripe.errors import StripeAway
from sandbox.stripe.faults import FaultKind
from sandbox.stripe.server import LocalStripe
from tests.domain.connecting.test_checking import api

OURS = "https://paylink.example.com/stripe/webhook/T1"
OTHERS = "https://paylink.example.com/stripe/webhook/T2"


async def test_it_is_made_taken_up_again_and_replaced_where_its_secret_is_lost() -> None:
    async with LocalStripe() as stripe, api(stripe, stripe.api_key) as asked:
        stripe.add_webhook(OTHERS)
        made = await provide_endpoint(asked, OURS, organisation="T1")
        (there,) = [one for one in stripe.objects("webhook_endpoint") if one["url"] == OURS]
        assert (there["id"], there["api_version"], there["enabled_events"]) == (
            made.id,
            API_VERSION,
            list(TYPES),
        )
        assert made.secret not in repr(made)

        again = await provide_endpoint(asked, OURS, organisation="T1", known=made)
        assert again == made

        replaced = await provide_endpoint(asked, OURS, organisation="T1")
        assert replaced.id != made.id
        assert [one["url"] for one in stripe.objects("webhook_endpoint")] == [OTHERS, OURS]

        gone = OwnEndpoint("we_gone", "whsec_1")
        last = await provide_endpoint(asked, OURS, organisation="T1", known=gone)
        assert last.id != replaced.id
        assert await remove_endpoint(asked, last.id)
        assert [one["url"] for one in stripe.objects("webhook_endpoint")] == [OTHERS]


async def test_one_that_was_switched_off_hears_everything_again() -> None:
    async with LocalStripe() as stripe, api(stripe, stripe.api_key) as asked:
        made = await provide_endpoint(asked, OURS, organisation="T1")
        await asked.change_endpoint(made.id, {"enabled_events": ["charge.refunded"], "disabled": True})
        await provide_endpoint(asked, OURS, organisation="T1", known=made)
        (there,) = stripe.objects("webhook_endpoint")
        assert (there["status"], there["enabled_events"]) == ("enabled", list(TYPES))


async def test_a_lost_answer_makes_no_second_one() -> None:
    async with LocalStripe() as stripe, api(stripe, stripe.api_key) as asked:
        stripe.faults.add(FaultKind.LOST, method="POST", path="/v1/webhook_endpoints")
        made = await provide_endpoint(asked, OURS, organisation="T1")
        assert [one["id"] for one in stripe.objects("webhook_endpoint")] == [made.id]

        stripe.faults.add(FaultKind.LOST, method="POST", path="/v1/webhook_endpoints", times=3)
        with pytest.raises(StripeAway):
            await provide_endpoint(asked, OURS, organisation="T1")
        after = await provide_endpoint(asked, OURS, organisation="T1")
        assert [one["id"] for one in stripe.objects("webhook_endpoint")] == [after.id]


async def test_where_there_is_room_for_no_other_the_old_one_goes_first() -> None:
    async with LocalStripe() as stripe, api(stripe, stripe.api_key) as asked:
        for _ in range(15):
            stripe.add_webhook(OTHERS)
        stripe.add_webhook(OURS)
        made = await provide_endpoint(asked, OURS, organisation="T1")
        assert [one["id"] for one in stripe.objects("webhook_endpoint") if one["url"] == OURS] == [made.id]
