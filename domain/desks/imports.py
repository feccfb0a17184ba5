"""Files of invoices at the desk: bring one in, see what it would do, say that it shall, look at how far it is."""

from domain.desks.scoped import ScopedDesk
from domain.import_results import ImportStanding
from domain.imports import transactions
from domain.imports.summaries import ImportAnswers, ImportPreview, ImportQuestion
from domain.rights.allowances import Costly
from domain.states import Right
from domain.summaries import Actor


class ImportDesk(ScopedDesk):
    """Whoever brought a file in is the only one who sees it: another person's import is ImportNotFound."""

    async def bring_in(self, actor: Actor, name: str, content: bytes) -> int:
        """Keep the file for its preview, an hour at most; its id. Nothing else comes of it. Raises TooOften."""
        self.door.spend(actor, Costly.IMPORT)
        digest = transactions.digest_of(content)
        return await self._write(
            Right.IMPORT, actor, transactions.keep, actor, name, content, digest, self._clock()
        )

    async def preview_import(self, actor: Actor, import_id: int) -> ImportPreview | ImportQuestion:
        """What importing the file would do, or what must be said first. It may take half a minute.

        Raises FileRefused, ImportOutdated, ImportNotFound.
        """
        kept = await self._audited(
            actor, self._read(Right.IMPORT, actor, transactions.get_kept, actor, import_id)
        )
        found = await self._imports.preview(kept)
        if isinstance(found, ImportQuestion):
            return found
        counts = found.preview.counts
        await self._write(
            Right.IMPORT, actor, transactions.note_preview, actor, import_id, found.choices, counts
        )
        return found.preview

    async def answer_import(
        self, actor: Actor, import_id: int, answers: ImportAnswers
    ) -> ImportPreview | ImportQuestion:
        """As preview_import, once it is said what a question asked for; remembered for the next file with this heading.

        Raises FileRefused, ImportOutdated, ImportNotFound.
        """
        kept = await self._audited(
            actor, self._read(Right.IMPORT, actor, transactions.get_kept, actor, import_id)
        )
        reading, heading = await self._imports.answer(kept, answers)
        now = self._clock()
        await self._write(
            Right.IMPORT, actor, transactions.note_answer, actor, import_id, reading, heading, now
        )
        return await self.preview_import(actor, import_id)

    async def question_import(self, actor: Actor, import_id: int) -> ImportQuestion:
        """Which column is what, asked again of a file whose heading no layout has. Raises as preview_import does."""
        kept = await self._audited(
            actor, self._read(Right.IMPORT, actor, transactions.get_kept, actor, import_id)
        )
        return await self._imports.question(kept)

    async def start_import(self, actor: Actor, import_id: int, *, view_id: str | None) -> ImportStanding:
        """Commit to importing exactly what was previewed; the same again changes nothing. Raises ImportOutdated,
        ImportNotFound."""
        started = self._write(
            Right.IMPORT, actor, transactions.confirm, actor, import_id, view_id=view_id, now=self._clock()
        )
        standing = await self._audited(actor, started)
        self._imports.wake()
        return standing

    async def get_import(self, actor: Actor, import_id: int) -> ImportStanding:
        """Raises ImportNotFound."""
        return await self._audited(
            actor, self._read(Right.LOOK, actor, transactions.get_standing, actor, import_id)
        )

    async def list_unfinished_imports(self) -> list[tuple[Actor, int, str]]:
        """Imports that go on: who wanted them, their id, and the id of the view that shows them."""
        return await self._db.read(transactions.list_unfinished)
