"""Files that people bring in: previewed, confirmed, imported once, whoever is killed meanwhile."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain.coordination import turns
from domain.database import Database
from domain.errors import FileRefused, ImportNotFound, ImportOutdated
from domain.files import importing
from domain.import_results import ImportCounts
from domain.imports import claiming, reading_thread, running
from domain.imports.summaries import ImportPreview
from domain.imports.work import Work
from domain.models import AuditEntry, FileImport, Invoice, OutboxMessage
from domain.money import Money
from domain.states import AnnouncementKind, ImportState
from domain.summaries import Actor
from sandbox.stripe.server import LocalStripe
from tests.domain import world as worlds
from tests.domain.factories import make_invoice, make_link
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


async def begin(world: World, claim: claiming.Claim) -> None:
    """Import what was claimed, as a worker does."""
    work = Work(world.db.run, world.clock, lambda: False)
    await asyncio.to_thread(reading_thread.import_claimed, world.db, claim, work)


def killed(monkeypatch: pytest.MonkeyPatch, after: int) -> Callable[[], None]:
    """The process dies with the chunk after so many, before it is committed; returns what revives it."""
    note, seen = claiming.note_progress, []

    def note_or_die(*args: object) -> None:
        seen.append(args)
        if len(seen) > after:
            raise MemoryError("killed")
        note(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(claiming, "note_progress", note_or_die)
    monkeypatch.setattr(running, "AGAIN", timedelta(0))
    return lambda: monkeypatch.setattr(claiming, "note_progress", note)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("after", [0, 1, 2])
async def test_killed_in_the_middle_it_goes_on_and_takes_nothing_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    make_invoice(world.db, "INV-2", buyer_name="Acme", amount=500, currency="USD")
    content = rows(*range(1, 10)) + b"INV-10,Acme,,x,USD,,,\n"
    import_id = await confirmed(world, content)
    revive = killed(monkeypatch, after)
    claim = world.db.run(claiming.claim_next, world.lease)
    assert claim is not None
    with pytest.raises(MemoryError):
        await begin(world, claim)
    assert len(amounts(world.db)) == max(4 * after, 1)
    revive()
    # Its lease stands: nobody else takes it up meanwhile.
    await world.imports.run_due()
    assert (await world.desk.get_import(ADA, import_id)).state is ImportState.CONFIRMED
    world.db.run(claiming.release, claim)
    async with worlds.world(world.db, world.stripe, owner="two") as two:
        await two.imports.run_due()
    standing = await world.desk.get_import(ADA, import_id)
    assert (standing.state, standing.counts) == (
        ImportState.FINISHED,
        ImportCounts(new=8, changed=1, refused=1),
    )
    assert standing.as_previewed
    assert len(amounts(world.db)) == 9


@pytest.mark.usefixtures("small_chunks")
async def test_a_process_that_lost_its_claim_writes_nothing_more(world: World) -> None:
    import_id = await confirmed(world, rows(*range(1, 10)))
    late = world.db.run(claiming.claim_next, world.lease)
    assert late is not None
    world.db.run(claiming.release, late)
    async with worlds.world(world.db, world.stripe, owner="two") as two:
        await two.imports.run_due()
    with pytest.raises(claiming.ClaimLost):
        await begin(world, late)
    assert (await world.desk.get_import(ADA, import_id)).counts == ImportCounts(new=9)


async def test_two_processes_at_once_import_each_file_once(world: World) -> None:
    ids = [await confirmed(world, rows(*range(10 * each, 10 * each + 10))) for each in range(4)]
    async with worlds.world(world.db, world.stripe, owner="two") as two:
        await asyncio.gather(world.imports.run_due(), two.imports.run_due())
    for import_id in ids:
        assert (await world.desk.get_import(ADA, import_id)).counts == ImportCounts(new=10)
    assert len(amounts(world.db)) == 40


async def test_one_that_gets_nowhere_is_told_in_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await confirmed(world, rows(1))
    killed(monkeypatch, 0)
    for _ in range(claiming.ATTEMPTS):
        claim = world.db.run(claiming.claim_next, world.lease)
        assert claim is not None
        world.db.run(claiming.release, claim)
    await world.imports.run_due()
    assert (await world.desk.get_import(ADA, import_id)).state is ImportState.FAILED
    assert brought(world, import_id).content is None
    await world.announcing.deliver_due()
    assert [message.kind for message in world.poster.posted] == [AnnouncementKind.IMPORT_RESULT]


@pytest.mark.usefixtures("small_chunks")
async def test_what_changed_since_the_preview_shows(world: World) -> None:
    import_id = await confirmed(world, rows(1, 2))
    make_invoice(world.db, "INV-1", buyer_name="Acme", amount=1000, currency="USD", issue_date=None)
    await world.imports.run_due()
    standing = await world.desk.get_import(ADA, import_id)
    assert standing.previewed == ImportCounts(new=2)
    assert standing.counts.new == 1
    assert not standing.as_previewed


async def test_a_stop_leaves_the_rest_to_others(world: World) -> None:
    import_id = await confirmed(world, rows(1))
    claim = world.db.run(claiming.claim_next, world.lease)
    assert claim is not None
    world.imports.claim_no_more()
    await world.imports._do(claim)
    assert amounts(world.db) == {}
    async with worlds.world(world.db, world.stripe, owner="two") as two:
        await two.imports.run_due()
    assert (await world.desk.get_import(ADA, import_id)).state is ImportState.FINISHED


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("owner", ["one", "two"])
async def test_while_another_is_at_it_whoever_was_late_writes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    """``owner``: another process, or the same one, which took it up again."""
    import_id = await confirmed(world, rows(*range(1, 10)))
    late = world.db.run(claiming.claim_next, world.lease)
    assert late is not None
    world.db.run(claiming.release, late)
    at_it = world.db.run(claiming.claim_next, replace(world.lease, owner=owner))
    assert at_it is not None
    revive = killed(monkeypatch, 1)
    with pytest.raises(MemoryError):
        await begin(world, at_it)
    revive()
    with pytest.raises(claiming.ClaimLost):
        await begin(world, late)
    assert len(amounts(world.db)) == 4
    assert (await world.desk.get_import(ADA, import_id)).counts == ImportCounts(new=4)


async def test_it_waits_until_another_import_of_the_organisation_has_ended(world: World) -> None:
    import_id = (await previewed(world, rows(1))).import_id
    with turns.turn(world.db, turns.of_imports(world.scope.organisation_id), lambda: None):
        assert (await world.desk.start_import(ADA, import_id, view_id="V1")).waits
        for _ in range(claiming.ATTEMPTS + 1):
            await world.imports.run_due()
        assert amounts(world.db) == {}
        assert (await world.desk.get_import(ADA, import_id)).waits
        assert [one.waits for one in (await world.desk.get_home(ADA)).imports] == [True]
    assert [one.waits for one in (await world.desk.get_home(ADA)).imports] == [False]
    assert not (await world.desk.get_import(ADA, import_id)).waits
    await world.imports.run_due()
    assert (await world.desk.get_import(ADA, import_id)).state is ImportState.FINISHED


@pytest.mark.usefixtures("small_chunks")
async def test_while_it_is_under_way_another_import_of_the_organisation_waits(world: World) -> None:
    first = await confirmed(world, rows(*range(1, 10)))
    own = turns.of_imports(world.scope.organisation_id)
    other = replace(world.lease, owner="two")
    claim = world.db.run(claiming.claim_next, world.lease)
    assert claim is not None
    assert not world.db.run(turns.take_if_free, own, other)
    second = await confirmed(world, rows(10))
    waits = [(await world.desk.get_import(ADA, one)).waits for one in (first, second)]
    assert waits == [False, True]
    await begin(world, claim)
    assert world.db.run(turns.take_if_free, own, other)


async def test_of_another_organisation_it_goes_on_meanwhile(world: World) -> None:
    await confirmed(world, rows(1))
    with turns.turn(world.db, turns.of_imports(world.scope.organisation_id + 1), lambda: None):
        await world.imports.run_due()
    assert amounts(world.db) == {"INV-1": 1000}
