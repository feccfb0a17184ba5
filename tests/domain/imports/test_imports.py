"""Files that people bring in: previewed, confirmed, and imported."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain.errors import FileRefused, ImportNotFound, ImportOutdated
from domain.import_results import ImportCounts
from domain.models import AuditEntry, FileImport, OutboxMessage
from domain.money import Money
from domain.states import AnnouncementKind, ImportState
from domain.summaries import Actor
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import make_invoice, make_link
from tests.domain.imports.files import amounts, brought, confirmed, previewed, rows, small_chunks
from tests.domain.world import ADA, World

__all__ = ["small_chunks"]


async def test_a_preview_tells_what_would_happen_and_does_none_of_it(world: World) -> None:
    linked = make_invoice(world.db, "INV-1", buyer_name="Acme", amount=1000, currency="USD")
    make_link(world.db, linked)
    make_invoice(world.db, "INV-2", buyer_name="Acme", amount=500, currency="USD")
    before = amounts(world.db)
    content = rows(2, 1, 3, 4, amount="20.00") + b"INV-5,Acme,,x,USD,,,\nINV-6,Beta,,7,JPY,,,\n"
    preview = await previewed(world, content)
    assert preview.counts == ImportCounts(new=3, changed=2, refused=1)
    told = [(change.before.number, change.before.amount, change.after.amount) for change in preview.changes]
    assert told == [("INV-1", 1000, 2000), ("INV-2", 500, 2000)]
    assert [change.linked for change in preview.changes] == [True, False]
    assert [bad.line for bad in preview.refused] == [6]
    assert preview.totals == (Money(7, "JPY"), Money(8000, "USD"))
    assert amounts(world.db) == before


async def test_what_was_confirmed_happens_and_nothing_is_kept_of_the_file(world: World) -> None:
    import_id = await confirmed(world, rows(1, 2) + b"INV-3,Acme,,x,USD,,,\n")
    await world.imports.run_due()
    assert amounts(world.db) == {"INV-1": 1000, "INV-2": 1000}
    standing = await world.desk.get_import(ADA, import_id)
    assert (standing.state, standing.counts) == (ImportState.FINISHED, ImportCounts(new=2, refused=1))
    kept = brought(world, import_id)
    assert kept.content is None
    assert kept.refused is not None
    await world.announcing.deliver_due()
    [message] = world.poster.posted
    assert (message.kind, message.destination) == (AnnouncementKind.IMPORT_RESULT, ADA.user_id)
    assert message.imported == standing
    assert message.file is not None
    assert "billing_amount" in message.file.decode()
    assert brought(world, import_id).refused is None


async def test_nothing_happens_unless_somebody_says_so_and_after_an_hour_nothing_is_left(
    world: World,
) -> None:
    preview = await previewed(world, rows(1))
    await world.imports.run_due()
    assert amounts(world.db) == {}
    world.ahead = timedelta(hours=1)
    await world.imports.run_due()
    assert world.db.run(lambda session: session.scalars(sa.select(FileImport.id)).all()) == []
    with pytest.raises(ImportNotFound):
        await world.desk.start_import(ADA, preview.import_id, view_id="V1")


async def test_confirmed_twice_it_is_imported_once(world: World) -> None:
    import_id = await confirmed(world, rows(1))
    await world.desk.start_import(ADA, import_id, view_id="V1")
    await world.imports.run_due()
    again = await world.desk.start_import(ADA, import_id, view_id="V1")
    assert again.state is ImportState.FINISHED
    await world.imports.run_due()
    assert world.db.run(lambda session: len(session.scalars(sa.select(OutboxMessage.id)).all())) == 1


async def test_a_confirmed_file_is_not_previewed_again(world: World) -> None:
    import_id = await confirmed(world, rows(1))
    with pytest.raises(ImportOutdated):
        await world.desk.preview_import(ADA, import_id)


async def test_a_file_that_was_never_read_cannot_be_confirmed(world: World) -> None:
    import_id = await world.desk.bring_in(ADA, "a.csv", rows(1))
    with pytest.raises(ImportOutdated):
        await world.desk.start_import(ADA, import_id, view_id="V1")


async def test_what_can_not_be_read_is_refused(world: World) -> None:
    import_id = await world.desk.bring_in(ADA, "a.csv", b"<html>")
    with pytest.raises(FileRefused, match=r"a\.csv"):
        await world.desk.preview_import(ADA, import_id)


async def test_another_person_s_and_another_organisation_s_file_is_not_there(
    world: World, stripe: LocalStripe
) -> None:
    import_id = (await previewed(world, rows(1))).import_id
    other = await world.serve("T0OTHER", key=stripe.add_key("sk_test_other", account="acct_2").secret)
    for actor in (Actor(ADA.team_id, "U0MALLORY"), other.actor):
        for ask in (world.desk.preview_import, world.desk.get_import):
            with pytest.raises(ImportNotFound):
                await ask(actor, import_id)
        with pytest.raises(ImportNotFound):
            await world.desk.start_import(actor, import_id, view_id="V1")
    refused = sa.select(AuditEntry.id).where(AuditEntry.subject == f"import {import_id}")
    assert len(world.db.run(lambda session: session.scalars(refused).all())) == 6


@pytest.mark.usefixtures("small_chunks")
async def test_what_changed_since_the_preview_shows(world: World) -> None:
    import_id = await confirmed(world, rows(1, 2))
    make_invoice(world.db, "INV-1", buyer_name="Acme", amount=1000, currency="USD", issue_date=None)
    await world.imports.run_due()
    standing = await world.desk.get_import(ADA, import_id)
    assert standing.previewed == ImportCounts(new=2)
    assert standing.counts.new == 1
    assert not standing.as_previewed
