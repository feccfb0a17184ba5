"""Connect Stripe: a key is checked with Stripe at once, and kept. It is in the submission alone: no view, log or message has it.

Slack waits three seconds for an answer to a submission. What Stripe says by then stands beside the input; later it
stands in the view that took its place, where the key has to be given once more.
"""

import asyncio

from domain.connecting.summaries import AskFirst, Connected
from domain.errors import KeyLacks, KeyUnusable, SigningSecretUnusable
from handlers import ids
from handlers.bolt.context import Office
from handlers.bolt.failures import explain, tell
from handlers.bolt.modals import Place, show_modal, update
from handlers.bolt.payload import Delivery, text_at
from handlers.features import home
from handlers.features.setting_up import steps
from handlers.references import ConnectReference
from handlers.views import connecting
from handlers.views.blocks import Json

PATIENCE = 1.8
"""Seconds that Stripe may take before Slack is answered without what it says."""


async def open_form(office: Office, delivery: Delivery) -> None:
    """Connect Stripe, on Home, in the settings or among the steps."""
    under = delivery.view.callback_id if delivery.view is not None and delivery.view.is_modal else ""

    async def made() -> Json:
        return connecting.form((await office.desk.show_settings(delivery.actor)).key, under=under)

    await show_modal(office, delivery, made())


async def connect(office: Office, delivery: Delivery) -> Json:
    """Connect, with the key; once more after what was asked first."""
    reference = ConnectReference.read(delivery.shown.private_metadata)
    key, secret = _given(delivery, ids.RESTRICTED_KEY), _given(delivery, ids.SIGNING_SECRET)
    doing = asyncio.ensure_future(
        office.desk.connect_stripe(delivery.actor, key, secret, confirmed=reference.confirmed)
    )
    done, _ = await asyncio.wait({doing}, timeout=PATIENCE)
    if not done:
        office.track(_show_later(office, delivery, reference, doing))
        return {"response_action": "update", "view": connecting.checking()}
    try:
        view = _view_of(doing.result(), reference)
    except (KeyUnusable, KeyLacks, SigningSecretUnusable) as error:
        block = ids.SIGNING_SECRET if isinstance(error, SigningSecretUnusable) else ids.RESTRICTED_KEY
        return {"response_action": "errors", "errors": {block: explain(office.log, error)}}
    office.track(_show_elsewhere(office, delivery, reference))
    return {"response_action": "update", "view": view}


def _given(delivery: Delivery, name: str) -> str:
    return text_at(delivery.shown.state_of(name, name), "value").strip()


def _view_of(done: Connected | AskFirst, reference: ConnectReference) -> Json:
    if isinstance(done, AskFirst):
        return connecting.form(under=reference.under, asked=done)
    return connecting.connected(done)


async def _show_later(
    office: Office,
    delivery: Delivery,
    reference: ConnectReference,
    doing: "asyncio.Future[Connected | AskFirst]",
) -> None:
    words = None
    try:
        view = _view_of(await doing, reference)
    except Exception as error:
        words = explain(office.log, error)
        view = connecting.form(under=reference.under, said=words)
    place = await update(office.log, delivery.client, Place(delivery.shown.id), view)
    if words and (place is None or place.stale):
        await tell(office, delivery, words)
    await _show_elsewhere(office, delivery, reference)


async def _show_elsewhere(office: Office, delivery: Delivery, reference: ConnectReference) -> None:
    """Home, and the steps underneath, show that this one is done."""
    await home.publish(office, delivery)
    if reference.under == ids.SET_UP and delivery.shown.previous_view_id:
        await steps.redraw(office, delivery, delivery.shown.previous_view_id)
