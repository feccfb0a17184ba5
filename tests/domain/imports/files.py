"""Files that are brought in, previewed and confirmed."""

import pytest
import sqlalchemy as sa

from domain.database import Database
from domain.files import importing
from domain.imports.summaries import ImportPreview
from domain.models import FileImport, Invoice
from domain.summaries import Actor
from tests.domain.world import ADA, World

HEADING = "number,buyer_name,buyer_email,billing_amount,currency,issue_date,due_date,description\n"


def rows(*numbers: int, amount: str = "10.00") -> bytes:
    lines = [f"INV-{number},Acme,,{amount},USD,,,\n" for number in numbers]
    return (HEADING + "".join(lines)).encode()


async def previewed(world: World, content: bytes, actor: Actor = ADA) -> ImportPreview:
    import_id = await world.desk.bring_in(actor, "invoices.csv", content)
    preview = await world.desk.preview_import(actor, import_id)
    assert isinstance(preview, ImportPreview)
    return preview


async def confirmed(world: World, content: bytes) -> int:
    import_id = (await previewed(world, content)).import_id
    await world.desk.start_import(ADA, import_id, view_id="V1")
    return import_id


def brought(world: World, import_id: int) -> FileImport:
    def find(session: sa.orm.Session) -> FileImport:
        options = [sa.orm.undefer(FileImport.content), sa.orm.undefer(FileImport.refused)]
        return session.get_one(FileImport, import_id, options=options)

    return world.db.run(find)


def amounts(db: Database) -> dict[str, int]:
    return db.run(lambda session: dict(session.execute(sa.select(Invoice.number, Invoice.amount)).all()))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK_ROWS", 4)
    monkeypatch.setattr(importing, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(importing, "RETRY_SECONDS", 0)
