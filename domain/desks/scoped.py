"""What every part of the desk does: ask at the door, find the actor's scope, and write down whoever asks for what isn't theirs."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import update_wrapper
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.orm import Session

from domain import audit
from domain.audit import refusals
from domain.connecting.connecting import Connecting
from domain.database import Database
from domain.errors import (
    ExceptionNotFound,
    ImportNotFound,
    InvoiceNotFound,
    NotEligible,
    RunNotFound,
    SelectionNotFound,
)
from domain.imports.running import FileImports
from domain.links.creation import LinkCreation
from domain.overview.summaries import FollowedView
from domain.payments.watching import Watching
from domain.rights.door import Door, Enter
from domain.rights.people import People
from domain.scope import Scope
from domain.states import Right
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
        people: People,
        poll_every: timedelta = timedelta(minutes=5),
        connecting: Connecting | None = None,
    ) -> None:
        """``connecting``: None where the Stripe key is configured and not connected."""
        self._db = db
        self._accounts = accounts
        self._creation = creation
        self._watching = watching
        self._imports = imports
        self._clock = clock
        self._poll_every = poll_every
        self._connecting = connecting
        self.door = Door(db, accounts, people, clock)
        # Details that were opened and aren't written down yet, by their views (domain/desks/open_views.py).
        self._opened: dict[str, FollowedView] = {}

    async def check(self, actor: Actor, deed: Right) -> None:
        """Raises NotAllowed, StandingUnknown: for what is shown without anything of the organisation's in it."""
        await self._read(deed, actor, _nothing)

    async def _read(
        self,
        deed: Right,
        actor: Actor,
        fn: Callable[Concatenate[Session, Scope, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Raises NotAllowed, StandingUnknown, as do all that follow."""
        return await self.door.pass_through(
            actor, deed, lambda enter: self._db.read(_entering(enter, fn), *args, **kwargs)
        )

    async def _write(
        self,
        deed: Right,
        actor: Actor,
        fn: Callable[Concatenate[Session, Scope, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        return await self.door.pass_through(
            actor, deed, lambda enter: self._db.write(_entering(enter, fn), *args, **kwargs)
        )

    async def _background_read(
        self,
        deed: Right,
        actor: Actor,
        fn: Callable[Concatenate[Session, Scope, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Behind what people wait for."""
        return await self.door.pass_through(
            actor, deed, lambda enter: self._db.background_read(_entering(enter, fn), *args, **kwargs)
        )

    async def _background_write(
        self,
        deed: Right,
        actor: Actor,
        fn: Callable[Concatenate[Session, Scope, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        return await self.door.pass_through(
            actor, deed, lambda enter: self._db.background_write(_entering(enter, fn), *args, **kwargs)
        )

    def _scoped(
        self, actor: Actor, fn: Callable[Concatenate[Session, Scope, P], T]
    ) -> Callable[Concatenate[Session, P], T]:
        """For what needs no right: what Paylink does by itself, and what is written down of somebody."""
        return _entering(lambda session: self._accounts.get_scope(session, actor.team_id), fn)

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
            refused = self._scoped(actor, record_refusal)
            await self._db.write(refused, actor, str(refusal) or what, self._clock())
            raise


def _entering(
    enter: Enter, fn: Callable[Concatenate[Session, Scope, P], T]
) -> Callable[Concatenate[Session, P], T]:
    """Find the actor's scope in the same transaction: by itself that would be one more way to the database."""

    def scoped(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return fn(session, enter(session), *args, **kwargs)

    update_wrapper(scoped, fn)
    return scoped


def _nothing(session: Session, scope: Scope) -> None:
    return None


def record_refusal(session: Session, scope: Scope, actor: Actor, what: str, now: datetime) -> None:
    refusals.record_refusal(session, what, by=actor, now=now, organisation_id=scope.organisation_id)


def record_not_made(
    session: Session, scope: Scope, actor: Actor, invoice_id: int, refusal: NotEligible, now: datetime
) -> None:
    audit.record(
        session,
        audit.Deed.LINK_ASKED,
        refusal.reason.value,
        by=actor,
        now=now,
        organisation_id=scope.organisation_id,
        invoice=audit.OfInvoice(invoice_id, refusal.number),
        result=audit.Result.REFUSED,
    )
