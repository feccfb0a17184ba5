"""Errors on their way to people: into a sentence, and to the place where the person looks."""

import secrets

from slack_sdk.errors import SlackApiError
from slack_sdk.webhook.async_client import AsyncWebhookClient

from handlers.bolt.answers import SLACK_AWAY, SLACKS_OWN, http_status, slack_code
from handlers.bolt.context import Log, Office
from handlers.bolt.payload import Delivery, ShownView
from handlers.views.blocks import BLOCKS_OF_VIEW, Json, notice
from handlers.views.search import note
from handlers.words.sentences import sentence, unforeseen
from handlers.words.text import marked

_NO_ANSWER = "Slack didn't answer Paylink. Try again in a minute."
_LIMITED = "Slack takes no more from Paylink right now. Try again in a minute."
_TOO_LATE = "Slack gave Paylink three seconds to answer, and they were over. Try again."


def explain(log: Log, error: Exception) -> str | None:
    """The sentence for an error; None where people are told nothing, because they have what they asked for.

    What nobody foresaw is logged under a reference that the person sees too.
    """
    known = sentence(error)
    if known is not None:
        log.info("delivery.refused", error=type(error).__name__)
        return known
    if isinstance(error, SlackApiError):
        code = slack_code(error)
        if code == "exchanged_trigger_id":
            log.info("delivery.repeated")
            return None
        if code in ("expired_trigger_id", "trigger_expired", "invalid_trigger_id"):
            log.warning("slack.trigger_expired")
            return _TOO_LATE
        if code in ("ratelimited", "rate_limited"):
            log.warning("slack.limited")
            return _LIMITED
        if http_status(error) >= 500 or code.startswith("http_") or code in SLACKS_OWN:
            log.warning("slack.away", error=code)
            return _NO_ANSWER
    if isinstance(error, SLACK_AWAY):
        log.warning("slack.away", error=type(error).__name__)
        return _NO_ANSWER
    reference = secrets.token_hex(4)
    log.error("handler.failed", reference=reference, exc_info=error)
    return unforeseen(reference)


async def tell(office: Office, delivery: Delivery, words: str) -> None:
    """Say it where the person acted: in their modal, beside their command or message, or in a modal of its own.

    A modal that is closed or shows something else by now isn't disturbed, and some Slack can't update or open: then a
    direct message says it.
    """
    try:
        if delivery.view is not None and delivery.view.is_modal:
            await _tell_in_modal(delivery, delivery.view, words)
        elif delivery.response_url:
            await _respond(delivery, words)
        else:
            await _tell_in_note(delivery, words)
    except SlackApiError as error:
        office.log.warning("failure.not_told", code=slack_code(error))
    except SLACK_AWAY as error:
        office.log.warning("failure.not_told", code=type(error).__name__)


def with_notice(view: ShownView, words: str) -> Json:
    """The view as it was delivered, with a notice at its top instead of the one that may be there."""
    kept = ("type", "title", "submit", "close", "callback_id", "private_metadata")
    blocks = [block for block in view.blocks if block.get("block_id") != "notice"]
    made = {name: view.payload[name] for name in kept if view.payload.get(name)}
    return made | {"blocks": [notice(words), *blocks][:BLOCKS_OF_VIEW]}


def refusal(view: ShownView | None, words: str) -> Json:
    """The answer to a submission that goes nowhere: beside the view's first input, or as a notice."""
    if view is None:
        return {}
    blocks = [block for block in view.blocks if block.get("type") == "input"]
    inputs = [block["block_id"] for block in blocks if isinstance(block.get("block_id"), str)]
    if inputs:
        return {"response_action": "errors", "errors": {inputs[0]: words}}
    return {"response_action": "update", "view": with_notice(view, words)}


async def _tell_in_modal(delivery: Delivery, view: ShownView, words: str) -> None:
    try:
        await delivery.client.views_update(
            view_id=view.id, hash=view.hash or None, view=with_notice(view, words)
        )
    except SlackApiError:
        await delivery.client.chat_postMessage(channel=delivery.actor.user_id, text=marked(words))


async def _tell_in_note(delivery: Delivery, words: str) -> None:
    try:
        await delivery.client.views_open(trigger_id=delivery.trigger_id, view=note(words))
    except SlackApiError:
        await delivery.client.chat_postMessage(channel=delivery.actor.user_id, text=marked(words))


async def _respond(delivery: Delivery, words: str) -> None:
    """To the response_url, whose host is checked where the payload comes in."""
    client = delivery.client
    hook = AsyncWebhookClient(
        delivery.response_url,
        timeout=client.timeout,
        session=client.session,
        ssl=client.ssl,
        proxy=client.proxy,
        logger=client.logger,
    )
    await hook.send(text=marked(words), response_type="ephemeral", replace_original=False)
