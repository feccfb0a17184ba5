"""Of a fake desk what imports need: each file has one new invoice."""

from domain.errors import (
    ImportNotFound,
)
from domain.import_results import ImportCounts, ImportStanding
from domain.imports.summaries import FileColumn, ImportAnswers, ImportPreview, ImportQuestion
from domain.states import ImportState
from domain.summaries import (
    Actor,
)
from tests.handlers.fake_desks.scoped import FakeScopedDesk


class FakeImportDesk(FakeScopedDesk):
    async def bring_in(self, actor: Actor, name: str, content: bytes) -> int:
        await self._asked(actor)
        self.brought.append((actor, name))
        return len(self.brought)

    async def preview_import(self, actor: Actor, import_id: int) -> ImportPreview | ImportQuestion:
        name = await self._brought(actor, import_id)
        return ImportPreview(import_id, name, "plain", (), ImportCounts(new=1), (), (), ())

    async def answer_import(
        self, actor: Actor, import_id: int, answers: ImportAnswers
    ) -> ImportPreview | ImportQuestion:
        return await self.preview_import(actor, import_id)

    async def question_import(self, actor: Actor, import_id: int) -> ImportQuestion:
        name = await self._brought(actor, import_id)
        columns = (FileColumn(0, "Number", ("INV-1",)),)
        return ImportQuestion(import_id, name, columns, asks_columns=True, asks_currency=True)

    async def start_import(self, actor: Actor, import_id: int, *, view_id: str | None) -> ImportStanding:
        return await self.get_import(actor, import_id)

    async def get_import(self, actor: Actor, import_id: int) -> ImportStanding:
        name = await self._brought(actor, import_id)
        counts = ImportCounts(new=1)
        return ImportStanding(import_id, name, ImportState.FINISHED, counts, counts)

    async def list_unfinished_imports(self) -> list[tuple[Actor, int, str]]:
        return []

    async def _brought(self, actor: Actor, import_id: int) -> str:
        await self._asked(actor)
        if not 1 <= import_id <= len(self.brought) or self.brought[import_id - 1][0] != actor:
            raise ImportNotFound(f"import {import_id}")
        return self.brought[import_id - 1][1]
