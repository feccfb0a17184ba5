"""Whoever leaves is asked for nothing any more, and Stripe tells nobody of them; whatever Stripe says to that."""

import math
from collections.abc import Iterator

import pytest
import structlog.testing

from domain.connecting import own_endpoint
from domain.connecting.disconnecting import Disconnected, disconnect
from domain.database import Database
from domain.organisations import installations, stripe_keys
from domain.organisations.installations import Installation, Tokens
from domain.secrets.box import Box, new_key
from domain.stripe.client import StripeApi
from sandbox.stripe.api.endpoints import PERMISSIONS
from sandbox.stripe.server import LocalStripe
from tests.domain.connecting.test_checking import KEY, UNLIMITED
from tests.domain.connecting.test_connecting import service
from tests.domain.factories import TEAM, make_organisation
from tests.domain.world import ADA

BOX = Box([new_key()])


@pytest.fixture
def db(sqlite_url: str) -> Iterator[Database]:
    one = Database(sqlite_url)
    make_organisation(one)
    yield one
    one.close_now()


async def leave(
    db: Database, stripe: LocalStripe, *, box: Box = BOX, seen: int | None = None
) -> Disconnected:
    def make_api(key: str) -> StripeApi:
        return StripeApi(key, base_url=stripe.api_url)

    return await disconnect(db, box, make_api, TEAM, "slack", seen=seen)


async def test_the_endpoint_that_paylink_made_goes_and_no_other(db: Database) -> None:
    async with LocalStripe(limits=UNLIMITED) as stripe:
        stripe.add_key(KEY, permissions=PERMISSIONS)
        theirs = stripe.add_webhook("https://elsewhere.example.com")
        await service(db, stripe, box=BOX).connect(ADA, KEY)
        installed = Installation(TEAM, None, False, "B1", "U1", ("commands",), "U2", Tokens("xoxb-1"))
        db.run(installations.store, BOX, installed, "")
        nothing = await leave(db, stripe, seen=0)
        assert (nothing.erased.stripe_key, len(stripe.objects("webhook_endpoint"))) == (False, 2)
        done = await leave(db, stripe)
        assert (done.erased.tokens, done.erased.stripe_key, done.left) == (True, True, None)
        assert done.removed == done.erased.endpoint_id is not None
        assert [one["url"] for one in stripe.objects("webhook_endpoint")] == ["https://elsewhere.example.com"]
        assert theirs
        asked = len(stripe.requests)
        assert (await leave(db, stripe)).erased == type(done.erased)(tokens=False, stripe_key=False)
        assert len(stripe.requests) == asked, "there is nothing left to ask with"


@pytest.mark.parametrize("trouble", ["hangs", "fails", "another key seals"])
async def test_what_stripe_does_not_do_holds_nothing_up_and_is_told(
    db: Database, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_endpoint, "REMOVAL_SECONDS", 0.1)
    async with LocalStripe(limits=UNLIMITED) as stripe:
        stripe.add_key(KEY, permissions=PERMISSIONS)
        await service(db, stripe, box=BOX).connect(ADA, KEY)
        (endpoint,) = stripe.objects("webhook_endpoint")
        if trouble != "another key seals":
            kind = "slow" if trouble == "hangs" else "error"
            stripe.faults.add(kind, method="DELETE", times=None, seconds=math.inf)
        with structlog.testing.capture_logs() as logged:
            done = await leave(db, stripe, box=Box([new_key()]) if trouble == "another key seals" else BOX)
        assert (done.erased.stripe_key, done.removed, done.left) == (True, None, endpoint["id"])
        assert ("webhook.not_removed", endpoint["id"]) in [
            (one["event"], one.get("endpoint")) for one in logged
        ]
        assert db.run(stripe_keys.find_summary, TEAM) is None
        stripe.faults.clear()
