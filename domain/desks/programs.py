"""Programs at the desk: who is let in by a token, what they bring in and look at, and what they are told."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from domain.desks.scoped import ScopedDesk
from domain.feed import reading
from domain.feed.reading import FeedPage
from domain.files.import_fields import ImportedInvoice
from domain.programs import pages, putting, tokens
from domain.programs.pages import InvoicePage, Question
from domain.programs.putting import Outcome
from domain.programs.tokens import Program
from domain.scope import Scope
from domain.states import Right
from domain.summaries import Actor


class ProgramDesk(ScopedDesk):
    async def admit(self, token: str) -> Program | None:
        """Whom the token lets in; None for one that isn't known, or is revoked by now."""
        program = await self._db.read(tokens.find_program, token)
        if program is not None and program.is_used_anew:
            await self._db.background_write(tokens.note_use, program.token_id)
        return program

    async def put_invoices(
        self, actor: Actor, rows: Sequence[ImportedInvoice], *, refused: int
    ) -> dict[str, Outcome]:
        """Take these, whose numbers differ, all or none; what became of each, by its number's key.

        ``refused``: how many more there were, for the audit. Behind what people wait for.
        """
        now = self._clock()
        return await self._background_write(Right.IMPORT, actor, putting.put, actor, rows, refused, now)

    async def list_invoices(self, actor: Actor, question: Question) -> InvoicePage:
        """Raises CursorUnreadable."""
        return await self._background_read(Right.LOOK, actor, pages.find_page, question)

    async def list_events(self, actor: Actor, after: int | None = None) -> FeedPage:
        """What happened after that position, in order; None for the oldest that is kept. Raises FeedForgotten, FeedUnknown."""
        if await self._background_read(Right.LOOK, actor, _is_waiting):
            await self._background_write(Right.LOOK, actor, _number)
        return await self._background_read(Right.LOOK, actor, reading.read_page, after)


def _is_waiting(session: Session, scope: Scope) -> bool:
    return reading.is_waiting(session, scope.organisation_id)


def _number(session: Session, scope: Scope) -> int:
    return reading.number(session, scope.organisation_id)
