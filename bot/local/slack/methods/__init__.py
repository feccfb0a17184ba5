"""The Web API's methods, by group; `METHODS` names them all."""

from bot.local.slack.methods import chat, conversations, files, identity, views
from bot.local.slack.methods.request import Method

METHODS: dict[str, Method] = {
    **identity.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **views.METHODS,
    **files.METHODS,
}
