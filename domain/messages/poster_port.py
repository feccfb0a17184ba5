"""What the domain asks of whoever posts to people, and how that can go wrong."""

from dataclasses import dataclass
from typing import Protocol

from domain.messages.summaries import Announcement


@dataclass(frozen=True)
class Posted:
    channel: str
    ts: str


class NotPosted(Exception):
    """The message certainly wasn't posted.

    ``channel_lost``: nothing can be posted to this destination until people mend it.
    ``thread_lost``: nothing can stand in that thread any more; in the channel it can.
    ``unforeseen``: the code says neither that the destination is at fault nor the message nor the token.
    ``final``: this message will never be taken as it is.
    ``retry_after``: seconds to wait before the next message to this destination, when told.
    """

    def __init__(
        self,
        code: str,
        *,
        retry_after: float | None = None,
        channel_lost: bool = False,
        thread_lost: bool = False,
        final: bool = False,
        unforeseen: bool = False,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after
        self.channel_lost = channel_lost
        self.thread_lost = thread_lost
        self.final = final
        self.unforeseen = unforeseen

    @property
    def destination_lost(self) -> bool:
        """Whether another destination might take it, and not this one."""
        return not self.thread_lost and not self.final and (self.channel_lost or self.unforeseen)


class PostUnknown(Exception):
    """The answer got lost: the message may have been posted or may still be."""


class HistoryUnreadable(Exception):
    """The channel's history can't be read, and won't be until people mend it (``args[0]`` is the code)."""


class Poster(Protocol):
    async def post(self, announcement: Announcement) -> Posted:
        """Post once, with ``announcement.key`` in the message's metadata. Raises NotPosted, PostUnknown."""

    async def find(self, announcement: Announcement) -> Posted | None:
        """Look for ``announcement.key`` in its thread, if it has one, and in the history of its conversation or destination, since ``announcement.attempted_at``.

        Raises HistoryUnreadable, or PostUnknown when Slack can't be asked now.
        """
