"""The Web API's methods, by group; `METHODS` names them all."""

from sandbox.slack.methods import blocks, chat, conversations, files, identity, usergroups, views
from sandbox.slack.methods.request import Method

METHODS: dict[str, Method] = {
    **identity.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **views.METHODS,
    **files.METHODS,
    **usergroups.METHODS,
    **blocks.METHODS,
}
