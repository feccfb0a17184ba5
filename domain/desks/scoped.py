"""What every part of the desk does: find the actor's scope, and write down whoever asks for what isn't theirs."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import update_wrapper
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.orm import Session

from domain import audit
from domain.database import Database
from domain.errors import (
    ExceptionNotFound,
    ImportNotFound,
    InvoiceNotFound,
    RunNotFound,
    SelectionNotFound,
)
from domain.imports.running import FileImports
from domain.links.creation import LinkCreation
from domain.payments.watching import Watching
from domain.scope import Scope
from domain.stripe.accounts import Accounts
from domain.summaries import Actor

P = ParamSpec("P")
T = TypeVar("T")


class ScopedDesk:
    """The database, entered for a person; ``clock`` tells the time of the rules of the business."""

    def __init__(
        self,
        db: Database,
        accounts: Accounts,
        creation: LinkCreation,
        watching: Watching,
        imports: FileImports,
        clock: Callable[[], datetime],
        *,
        poll_every: timedelta = timedelta(minutes=5),
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._creation = creation
        self._watching = watching
        self._imports = imports
        self._clock = clock
        self._poll_every = poll_every

    async def _read(
        self,
        actor: Actor,
        fn: Callable[Concatenate[Session, Scope, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        return await self._db.read(self._scoped(actor, fn), *args, **kwargs)

    async def _write(
        self,
        actor: Actor,
        fn: Callable[Concatenate[Session, Scope, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        return await self._db.write(self._scoped(actor, fn), *args, **kwargs)

    def _scoped(
        self, actor: Actor, fn: Callable[Concatenate[Session, Scope, P], T]
    ) -> Callable[Concatenate[Session, P], T]:
        """Find the actor's scope in the same transaction: by itself that would be one more way to the database."""

        def scoped(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> T:
            return fn(session, self._accounts.get_scope(session, actor.team_id), *args, **kwargs)

        update_wrapper(scoped, fn)
        return scoped

    async def _audited(self, actor: Actor, answer: Awaitable[T], what: str = "") -> T:
        """Await; an id that isn't this organisation's (or a selection of another person's) is refused, and written down."""
        try:
            return await answer
        except (
            InvoiceNotFound,
            ExceptionNotFound,
            RunNotFound,
            SelectionNotFound,
            ImportNotFound,
        ) as refusal:
            await self._write(actor, record_refusal, actor, str(refusal) or what, self._clock())
            raise


def record_refusal(session: Session, scope: Scope, actor: Actor, what: str, now: datetime) -> None:
    audit.record(
        session,
        audit.Deed.ID_REFUSED,
        what,
        by=actor,
        now=now,
        organisation_id=scope.organisation_id,
        result=audit.Result.REFUSED,
    )
