"""Of a fake desk what exceptions need."""

from dataclasses import replace

from domain.errors import (
    AlreadyResolved,
    ExceptionNotFound,
)
from domain.exceptions.resolving import read_reason
from domain.summaries import (
    Actor,
    ExceptionPage,
    ExceptionSummary,
    Resolution,
)
from tests.handlers.fake_desks.scoped import FakeScopedDesk
from tests.handlers.samples import NOW


class FakeExceptionDesk(FakeScopedDesk):
    async def list_exceptions(self, actor: Actor, page: int = 0) -> ExceptionPage:
        await self._asked(actor)
        opens = [one for one in self.exceptions.values() if one.resolution is None]
        page = max(min(page, (len(opens) - 1) // 20), 0)
        shown = tuple(opens[page * 20 : page * 20 + 20])
        return ExceptionPage(shown, page, page * 20 + 20 < len(opens), len(opens))

    async def get_exception(self, actor: Actor, exception_id: int) -> ExceptionSummary:
        await self._asked(actor)
        if exception_id not in self.exceptions:
            raise ExceptionNotFound(f"exception {exception_id}")
        return self.exceptions[exception_id]

    async def resolve_exception(self, actor: Actor, exception_id: int, reason: str) -> ExceptionSummary:
        one = await self.get_exception(actor, exception_id)
        reason = read_reason(reason)
        if one.resolution is None:
            ended = Resolution(NOW, actor.user_id, reason)
            self.exceptions[exception_id] = replace(one, resolution=ended)
        elif (one.resolution.by, one.resolution.reason) != (actor.user_id, reason):
            raise AlreadyResolved(exception_id)
        return self.exceptions[exception_id]
