"""Exceptions at the desk: what is open, and resolving it."""

from datetime import datetime

from sqlalchemy.orm import Session

from domain.desks.scoped import ScopedDesk
from domain.exceptions import listing
from domain.exceptions.resolving import resolve
from domain.scope import Scope
from domain.states import Right
from domain.summaries import Actor, ExceptionPage, ExceptionSummary


class ExceptionDesk(ScopedDesk):
    async def list_exceptions(self, actor: Actor, page: int = 0) -> ExceptionPage:
        """The open ones: those with a deadline first, then the oldest; a page beyond the last one is the last one."""
        return await self._read(Right.LOOK, actor, listing.list_open, page)

    async def get_exception(self, actor: Actor, exception_id: int) -> ExceptionSummary:
        """Open or resolved. Raises ExceptionNotFound."""
        return await self._audited(actor, self._read(Right.LOOK, actor, listing.get, exception_id))

    async def resolve_exception(self, actor: Actor, exception_id: int, reason: str) -> ExceptionSummary:
        """End it in the person's name. Raises ExceptionNotFound, AlreadyResolved, ReasonUnusable."""
        ended = self._write(Right.RESOLVE, actor, _resolve, actor, exception_id, reason, self._clock())
        return await self._audited(actor, ended)


def _resolve(
    session: Session, scope: Scope, actor: Actor, exception_id: int, reason: str, now: datetime
) -> ExceptionSummary:
    resolve(session, scope.organisation_id, exception_id, reason, by=actor.user_id, now=now)
    return listing.get(session, scope, exception_id)
