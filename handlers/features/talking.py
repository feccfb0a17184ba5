"""Being spoken to: a direct message, a mention in a channel, and the welcome on first sight.

Slack sends Paylink's own messages and every edit as well, and the same event again when it isn't sure that it arrived.
"""

from typing import Any

from slack_sdk.errors import SlackApiError

from domain.errors import OrganisationUnknown, PaylinkError
from domain.states import Right
from handlers.bolt.answers import SLACK_AWAY, http_status, slack_code
from handlers.bolt.context import Office
from handlers.bolt.failures import explain
from handlers.bolt.payload import Delivery, text_at
from handlers.features import home
from handlers.rejections import Outsider
from handlers.views import talking
from handlers.views.blocks import Json
from handlers.words.sentences import sentence
from handlers.words.text import marked

_SILENT: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}


async def answer_message(office: Office, delivery: Delivery) -> None:
    """A direct message: what Paylink can do, where it was asked."""
    event = delivery.event
    if not _is_spoken(event) or text_at(event, "channel_type") != "im":
        return
    said = await _to_say(office, delivery)
    if said is None:
        return
    thread = {"thread_ts": text_at(event, "thread_ts")} if text_at(event, "thread_ts") else {}
    await _post(office, delivery, {"channel": text_at(event, "channel"), **thread, **said})


async def answer_mention(office: Office, delivery: Delivery) -> None:
    """A mention: the same, to that person alone, in the thread where it stands."""
    event = delivery.event
    if not _is_spoken(event):
        return
    said = await _to_say(office, delivery)
    if said is None:
        return
    # Slack shows what only one person sees in a thread that there is (Slack docs: chat.postEphemeral, thread_ts); one
    # that the mention would only begin isn't there for anybody.
    thread = text_at(event, "thread_ts") or None
    try:
        await delivery.client.chat_postEphemeral(
            channel=text_at(event, "channel"), user=delivery.actor.user_id, thread_ts=thread, **said
        )
    except SlackApiError as error:
        office.log.info("mention.answered_directly", code=slack_code(error))
        await _post(office, delivery, {"channel": delivery.actor.user_id, **said})
    except SLACK_AWAY as error:
        office.log.warning("answer.not_posted", code=type(error).__name__)


async def opened(office: Office, delivery: Delivery) -> None:
    """Home or the messages were opened. The welcome comes after Home, for which somebody waits."""
    shown = text_at(delivery.event, "tab") == "messages" or await home.publish(office, delivery)
    if shown and not delivery.outside:
        try:
            await welcome(office, delivery)
        except PaylinkError as error:
            office.log.warning("welcome.not_posted", code=type(error).__name__)


async def welcome(office: Office, delivery: Delivery) -> None:
    """Once for each person."""
    desk, actor = office.desk, delivery.actor
    if not await desk.welcome(actor):
        return
    organisation = await desk.get_organisation(actor.team_id)
    message = talking.welcome(organisation.channel)
    try:
        await delivery.client.chat_postMessage(channel=actor.user_id, **_SILENT, **message)
    except SlackApiError as error:
        office.log.warning("welcome.not_posted", code=slack_code(error))
        if 0 < http_status(error) < 500:
            await desk.forget_welcome(actor)
    except SLACK_AWAY as error:
        # It may stand there: better none than two.
        office.log.warning("welcome.not_posted", code=type(error).__name__)


def _is_spoken(event: Json) -> bool:
    """Whether a person has just said it: no app, no edit, no deletion, nobody who joined."""
    return not any(event.get(name) for name in ("bot_id", "app_id", "hidden")) and event.get("subtype") in (
        None,
        "file_share",
        "thread_broadcast",
    )


async def _to_say(office: Office, delivery: Delivery) -> Json | None:
    """The answer; None if it was given before, to the same event."""
    try:
        if delivery.event_id and not await office.desk.take_event(delivery.actor, delivery.event_id):
            return None
        if delivery.outside:
            await office.desk.record_outsider(delivery.actor, delivery.outside)
            return _only(str(sentence(Outsider())))
        await office.desk.check(delivery.actor, Right.LOOK)
    except OrganisationUnknown as error:
        return _only(str(sentence(error)))
    except Exception as error:
        return _only(explain(office.log, error) or "")
    return talking.able()


def _only(words: str) -> Json:
    return {"text": marked(words)}


async def _post(office: Office, delivery: Delivery, message: dict[str, Any]) -> None:
    try:
        await delivery.client.chat_postMessage(**_SILENT, **message)
    except SlackApiError as error:
        office.log.warning("answer.not_posted", code=slack_code(error))
    except SLACK_AWAY as error:
        office.log.warning("answer.not_posted", code=type(error).__name__)
