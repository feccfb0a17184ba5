"""Each organisation's own webhook: nobody else's signature opens it, and whoever tries is in its audit."""

import json
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from stripe import WebhookSignature

from domain.audit import Deed
from domain.models import AuditEntry, StripeEvent
from domain.money import Money
from domain.payments.events import Receipt
from domain.payments.many.webhooks import Webhooks, WebhookUnknown
from domain.states import LinkStatus
from domain.stripe.client import StripeApi
from domain.stripe.errors import SignatureInvalid
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import TEAM, make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")
OURS, THEIRS = "whsec_ours", "whsec_theirs"


def signed(body: bytes, secret: str) -> str:
    now = int(time.time())
    return f"t={now},v1={WebhookSignature._compute_signature(f'{now}.{body.decode()}', secret)}"


def refusals(session: Session, organisation_id: int) -> list[str]:
    own = sa.select(AuditEntry).where(AuditEntry.organisation_id == organisation_id)
    return [one.subject for one in session.scalars(own.where(AuditEntry.action == Deed.WEBHOOK_REFUSED))]


async def test_only_its_own_signature_is_taken_at_an_organisations_webhook(
    world: World, stripe: LocalStripe
) -> None:
    db, accounts = world.db, world.accounts
    other = await world.serve("T0OTHER", key=stripe.add_key("sk_test_other", account="acct_other").secret)
    for team_id, organisation_id, secret in (
        (TEAM, world.organisation_id, OURS),
        ("T0OTHER", other.id, THEIRS),
    ):
        api: StripeApi = accounts.get(organisation_id).stripe
        account = await accounts.open(organisation_id, api, team_id=team_id, secrets=(secret,))
        await account.settle()
    silent = await world.serve("T0SILENT", key=stripe.api_key)
    webhooks = Webhooks(db, accounts, world.watching, clock=world.clock, stripe_clock=world.api.clock.now)
    invoice_id = make_invoice(db, "INV-1")
    await world.desk.create_link(ADA, invoice_id, SEEN, patience=PATIENCE)
    (link,) = stripe.objects("payment_link")
    await stripe.pay((await stripe.open_session(link["id"]))["id"])
    (event,) = [one for one in stripe.objects("event") if one["type"] == "checkout.session.completed"]
    body = json.dumps(event).encode()

    for _ in range(3):
        with pytest.raises(SignatureInvalid):
            await webhooks.take(TEAM, body, signed(body, THEIRS))
    assert db.run(refusals, world.organisation_id) == ["no secret fits"]
    world.ahead = timedelta(seconds=61)
    with pytest.raises(SignatureInvalid):
        await webhooks.take(TEAM, body, "t=1,v1=" + "0" * 64)
    assert db.run(refusals, world.organisation_id) == ["no secret fits", "timestamp"]
    assert db.run(refusals, other.id) == []
    for nobody in ("T0NOBODY", "T0SILENT", ""):
        with pytest.raises(WebhookUnknown):
            await webhooks.take(nobody, body, signed(body, OURS))
    assert db.run(refusals, silent.id) == []
    # Ours, told at theirs with their own signature, is about nothing of theirs.
    assert await webhooks.take("T0OTHER", body, signed(body, THEIRS)) is Receipt.NOT_OURS
    live = json.dumps(event | {"livemode": True}).encode()
    assert await webhooks.take(TEAM, live, signed(live, OURS)) is Receipt.OTHER_MODE
    assert db.run(lambda session: session.scalars(sa.select(StripeEvent)).all()) == []

    assert await webhooks.take(TEAM, body, signed(body, OURS)) is Receipt.KEPT
    await world.watching.settle_due()
    assert (await world.desk.get_invoice(ADA, invoice_id)).status is LinkStatus.PAID
