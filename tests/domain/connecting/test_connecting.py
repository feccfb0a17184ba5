"""A key is kept only once Stripe has said what it may do, and another account's only once somebody has said so."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session

from domain.connecting import own_endpoint
from domain.connecting.checking import Permission
from domain.connecting.connecting import Connecting
from domain.connecting.summaries import AskFirst, Connected, Otherness, Webhook
from domain.coordination import turns
from domain.coordination.leases import Lease
from domain.database import Database
from domain.errors import KeyLacks, KeyUnusable, NotAllowed, OrganisationUnknown, SigningSecretUnusable
from domain.organisations import erasing, installations, stripe_keys
from domain.organisations.installations import Installation, Tokens
from domain.secrets.box import Box, new_key
from domain.states import KeyTrouble, Right, Standing
from domain.stripe.client import StripeApi
from sandbox.stripe.api.endpoints import PERMISSIONS
from sandbox.stripe.server import LocalStripe
from tests.domain.connecting.test_checking import KEY, UNLIMITED
from tests.domain.factories import TEAM, make_invoice, make_ledger, make_link, make_organisation
from tests.domain.world import ADA

ADDRESS = "https://paylink.example.com"
OURS = f"{ADDRESS}/stripe/webhook/{TEAM}"
OTHER = "rk_test_another0123456789"


@pytest.fixture
def db(sqlite_url: str) -> Iterator[Database]:
    one = Database(sqlite_url)
    make_organisation(one)
    yield one
    one.close_now()


def service(
    db: Database, stripe: LocalStripe, *, public_url: str | None = ADDRESS, box: Box | None = None
) -> Connecting:
    def make_api(key: str) -> StripeApi:
        return StripeApi(key, base_url=stripe.api_url)

    return Connecting(db, box or Box([new_key()]), make_api, public_url=public_url)


def kept(db: Database, connecting: Connecting) -> stripe_keys.KeptStripeKey:
    found = db.run(stripe_keys.find, connecting._box, TEAM)
    assert found is not None
    return found


async def test_a_key_is_checked_and_kept_with_an_endpoint_of_our_own(db: Database) -> None:
    async with LocalStripe(limits=UNLIMITED) as stripe:
        stripe.add_key(KEY, permissions=PERMISSIONS)
        connecting = service(db, stripe)
        done = await connecting.connect(ADA, f" {KEY}\n")
        assert isinstance(done, Connected)
        assert (done.key.shown, done.key.account, done.webhook) == (
            "rk_test_…cdef",
            stripe.account,
            Webhook.MADE,
        )
        assert KEY not in repr(done)
        (endpoint,) = stripe.objects("webhook_endpoint")
        first = kept(db, connecting)
        assert (endpoint["url"], first.summary.endpoint_id, first.key) == (OURS, endpoint["id"], KEY)

        again = await connecting.connect(ADA, KEY)
        assert isinstance(again, Connected)
        assert kept(db, connecting).webhook_secrets == first.webhook_secrets
        assert [one["id"] for one in stripe.objects("webhook_endpoint")] == [endpoint["id"]]


async def test_nothing_is_kept_of_what_is_refused(db: Database) -> None:
    async with LocalStripe(limits=UNLIMITED) as stripe:
        connecting = service(db, stripe)
        stripe.add_key(KEY, without={Permission.DISPUTES, Permission.WRITE_LINKS})
        with pytest.raises(KeyLacks) as lacking:
            await connecting.connect(ADA, KEY)
        assert set(lacking.value.permissions) == {Permission.DISPUTES, Permission.WRITE_LINKS}
        for key in ("", "pk_test_0123456789", "rk_test_", "rk_test_with blank", "x" + KEY):
            with pytest.raises(KeyUnusable) as malformed:
                await connecting.connect(ADA, key)
            assert malformed.value.why is KeyTrouble.MALFORMED
        with pytest.raises(SigningSecretUnusable):
            await connecting.connect(ADA, KEY, "sk_test_1")
        assert db.run(stripe_keys.find_summary, TEAM) is None


async def test_how_stripe_tells_of_payments_depends_on_what_it_was_given(db: Database) -> None:
    async with LocalStripe(limits=UNLIMITED) as stripe:
        stripe.add_key(KEY, without={Permission.WEBHOOKS})
        told = []
        for connecting, secret in (
            (service(db, stripe), ""),
            (service(db, stripe), "whsec_mine"),
            (service(db, stripe, public_url=None), ""),
        ):
            done = await connecting.connect(ADA, KEY, secret)
            assert isinstance(done, Connected)
            told.append(done.webhook)
        assert told == [Webhook.NOT_ALLOWED, Webhook.GIVEN, Webhook.NO_ADDRESS]
        for _ in range(16):
            stripe.add_webhook("https://elsewhere.example.com")
        full = await service(db, stripe).connect(ADA, stripe.api_key)
        assert isinstance(full, Connected)
        assert full.webhook is Webhook.REFUSED


@pytest.mark.parametrize("readable", [True, False])
async def test_another_account_is_asked_about_first_where_there_are_links(
    db: Database, readable: bool
) -> None:
    without = () if readable else {Permission.ACCOUNT}
    async with LocalStripe(limits=UNLIMITED) as stripe:
        connecting = service(db, stripe)
        stripe.add_key(KEY, permissions=PERMISSIONS - set(without))
        await connecting.connect(ADA, KEY)
        link = await stripe_link(stripe)
        ledger = make_ledger(db, account=stripe.account if readable else None)
        make_link(db, make_invoice(db, "INV-1"), ledger_id=ledger, stripe_id=link)

        stripe.add_key("rk_test_sameaccount0000", permissions=PERMISSIONS - set(without))
        same = await connecting.connect(ADA, "rk_test_sameaccount0000")
        assert isinstance(same, Connected)

        stripe.add_key(OTHER, permissions=PERMISSIONS - set(without), account="acct_1Other")
        asked = await connecting.connect(ADA, OTHER)
        assert isinstance(asked, AskFirst)
        assert (asked.otherness, asked.links) == (Otherness.ACCOUNT, 1)
        assert OTHER not in repr(asked)
        assert kept(db, connecting).key == "rk_test_sameaccount0000"
        assert isinstance(await connecting.connect(ADA, OTHER, confirmed="test|acct_1Third"), AskFirst)

        done = await connecting.connect(ADA, OTHER, confirmed=asked.seal)
        assert isinstance(done, Connected)
        assert kept(db, connecting).key == OTHER
        assert stripe.objects("webhook_endpoint") == [], "the old account's endpoint is gone"
        (endpoint,) = stripe.objects("webhook_endpoint", account="acct_1Other")
        assert len(kept(db, connecting).webhook_secrets) == 1
        assert endpoint["url"] == OURS


async def test_the_other_mode_is_asked_about_first(db: Database) -> None:
    async with LocalStripe(limits=UNLIMITED) as stripe:
        live = "rk_live_0123456789abcdef"
        stripe.add_key(live, permissions=PERMISSIONS)
        ledger = make_ledger(db, account=stripe.account)
        make_link(db, make_invoice(db, "INV-1"), ledger_id=ledger)
        asked = await service(db, stripe).connect(ADA, live)
        assert isinstance(asked, AskFirst)
        assert (asked.otherness, asked.before_livemode, asked.check.livemode) == (Otherness.MODE, False, True)


async def stripe_link(stripe: LocalStripe) -> str:
    api = StripeApi(stripe.api_key, base_url=stripe.api_url)
    request = {
        "line_items": {
            "0": {
                "quantity": 1,
                "price_data": {"currency": "usd", "unit_amount": 1000, "product_data": {"name": "INV-1"}},
            }
        }
    }
    made, _ = await api.create_payment_link(request, key="k", version="2026-10-28.endive")
    await api.close()
    return made


async def test_a_key_is_not_kept_for_whoever_removed_the_app_while_stripe_was_asked(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with LocalStripe(limits=UNLIMITED) as stripe:
        stripe.add_key(KEY, permissions=PERMISSIONS)
        connecting = service(db, stripe)
        installed = Installation(TEAM, None, False, "B1", "U1", ("commands",), "U2", Tokens("xoxb-1"))
        db.run(installations.store, connecting._box, installed, "")
        provide = connecting._provide

        async def removed_meanwhile(*args: Any) -> Any:
            made = await provide(*args)
            db.run(erasing.erase, TEAM, "slack")
            return made

        monkeypatch.setattr(connecting, "_provide", removed_meanwhile)
        with pytest.raises(OrganisationUnknown):
            await connecting.connect(ADA, KEY)
        assert db.run(stripe_keys.find_summary, TEAM) is None
        assert stripe.objects("webhook_endpoint") == []
        monkeypatch.undo()
        db.run(installations.store, connecting._box, installed, "")
        assert isinstance(await connecting.connect(ADA, KEY), Connected)


async def test_pressed_twice_at_once_in_two_processes_one_endpoint_is_made(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, come = asyncio.get_running_loop(), asyncio.Event()
    list_ours, take_if_free = own_endpoint._list_ours, turns.take_if_free
    listed = 0

    async def list_and_wait_for_the_other(api: StripeApi, url: str) -> Any:
        nonlocal listed
        found, listed = await list_ours(api, url), listed + 1
        if listed > 1:
            come.set()
        await come.wait()
        return found

    def take(session: Session, name: str, lease: Lease) -> bool:
        taken = take_if_free(session, name, lease)
        if not taken:
            loop.call_soon_threadsafe(come.set)
        return taken

    monkeypatch.setattr(own_endpoint, "_list_ours", list_and_wait_for_the_other)
    monkeypatch.setattr(turns, "take_if_free", take)
    async with LocalStripe(limits=UNLIMITED) as stripe:
        stripe.add_key(KEY, permissions=PERMISSIONS)
        box = Box([new_key()])
        # Nothing but the database is between them.
        processes = [service(db, stripe, box=box) for _ in range(2)]
        await asyncio.gather(*(one.connect(ADA, KEY) for one in processes))
        (endpoint,) = stripe.objects("webhook_endpoint")
        assert kept(db, processes[0]).summary.endpoint_id == endpoint["id"]


async def test_whoever_may_not_any_more_once_stripe_has_answered_leaves_nothing_behind(db: Database) -> None:
    async with LocalStripe(limits=UNLIMITED) as stripe:
        stripe.add_key(KEY, permissions=PERMISSIONS)
        connecting = service(db, stripe)

        async def refuse(store: Any) -> Any:
            assert len(stripe.objects("webhook_endpoint")) == 1
            raise NotAllowed(Right.SETTINGS, Standing.MEMBER, ())

        with pytest.raises(NotAllowed):
            await connecting.connect(ADA, KEY, keep=refuse)
        assert db.run(stripe_keys.find_summary, TEAM) is None
        assert stripe.objects("webhook_endpoint") == []


async def test_what_another_accounts_webhooks_were_signed_with_opens_nothing_even_before_the_first_link(
    db: Database,
) -> None:
    async with LocalStripe(limits=UNLIMITED) as stripe:
        without = PERMISSIONS - {Permission.WEBHOOKS}
        stripe.add_key(KEY, permissions=without)
        stripe.add_key(OTHER, permissions=without, account="acct_1Other")
        connecting = service(db, stripe)
        await connecting.connect(ADA, KEY, "whsec_ofthefirst")
        assert isinstance(await connecting.connect(ADA, OTHER), Connected)
        assert kept(db, connecting).webhook_secrets == ()
