"""Import Invoices through a real bot: a file is put into the form, previewed, imported, and told of."""

import pytest
import sqlalchemy as sa

from domain.imports import claiming, transactions
from domain.models import FileImport, Invoice, KnownHeading
from domain.money import Money
from handlers.bolt import context
from sandbox.slack import Message
from sandbox.slack.state.faults import Fault
from tests.acceptance.conftest import Transport, World, Worlds

HEADING = "number,buyer_name,buyer_email,billing_amount,currency,issue_date,due_date,description\n"
PLAIN = (
    HEADING + 'INV-1,Acme,,12.00,USD,,,\nINV-2,"Beta <!channel>",,7,JPY,,,\nINV-3,Acme,,x,USD,,,\n'
).encode()
UNKNOWN = (
    b"Beleg;Kunde;Betrag;Waehrung;Faellig\n"
    b"R-1;Acme GmbH;1.250,00;EUR;03.12.2026\n"
    b"R-2;Beta AG;300,50;EUR;13.12.2026\n"
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "PAUSES", (0.02,) * len(context.PAUSES))


@pytest.fixture
async def world(sqlite_worlds: Worlds) -> World:
    """Over Socket Mode; what differs between databases is tested in tests/domain/imports."""
    return await sqlite_worlds.make()


async def choose(world: World, name: str, content: bytes, user: str | None = None) -> None:
    """Opens the form with the command, puts the file into it and presses Preview."""
    user = user or world.alice
    await world.workspace.command(user, world.channel, "/invoices import")
    await world.until(lambda: "10 MB at most" in str(world.workspace.views(user)))
    view = world.workspace.top(user)
    file_id = world.workspace.upload(user, name, content)
    [block] = [block for block in view.blocks if block["type"] == "input"]
    await world.workspace.click(user, view.id, block["block_id"], block["element"]["action_id"], [file_id])
    outcome = await world.workspace.submit(user, view.id)
    assert outcome.ok, outcome


async def select(world: World, label: str, value: str) -> None:
    view = world.workspace.top(world.alice)
    [block] = [b for b in view.blocks if b["type"] == "input" and b["label"]["text"] == label]
    await world.workspace.click(world.alice, view.id, block["block_id"], block["element"]["action_id"], value)


def header(world: World) -> str:
    return str(world.workspace.top(world.alice).blocks[0]["text"]["text"])


def told(world: World) -> list[Message]:
    return [message for message in world.workspace.dms(world.alice) if "Import of" in message.text]


def invoices(world: World) -> dict[str, Money]:
    rows = world.db.run(
        lambda session: session.execute(sa.select(Invoice.number, Invoice.amount, Invoice.currency)).all()
    )
    return {number: Money(amount, currency) for number, amount, currency in rows}


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_a_file_is_previewed_imported_and_told_of(sqlite_worlds: Worlds, transport: Transport) -> None:
    world = await sqlite_worlds.make(transport)
    world.add_invoice("INV-1", buyer_name="Acme", amount=1000, currency="USD")
    await choose(world, "May.csv", PLAIN)
    await world.until(lambda: header(world) == "Import Preview")
    shown = world.top()
    for words in ("New: 1", "Changed: 1", "Unchanged: 0", "Refused: 1", "Left out: 0", "JPY 7", "USD 12.00"):
        assert words in shown
    assert "Billing amount: USD 10.00 → USD 12.00" in shown
    assert "Line 4" in shown
    assert invoices(world) == {"INV-1": Money(1000, "USD")}
    await world.submit()
    [message] = await world.until(lambda: told(world))
    assert invoices(world) == {"INV-1": Money(1200, "USD"), "INV-2": Money(7, "JPY")}
    assert "New: 1" in message.text
    assert [file["name"] for file in message.files] == ["refused.csv"]
    refused = next(file for file in world.workspace.files if file.id == message.files[0]["id"])
    assert b"INV-3,Acme,,x,USD" in (refused.content or b"")
    await world.until(lambda: "The import is done." in world.top())
    assert 'paylink_imports_ended_total{outcome="finished"} 1.0' in (await world.get("/metrics"))[1]
    kept = world.db.run(lambda session: session.scalars(sa.select(FileImport.content)).all())
    assert kept == [None]


async def test_columns_that_are_not_known_are_asked_for_and_remembered(world: World) -> None:
    await choose(world, "export.csv", UNKNOWN)
    await world.until(lambda: header(world) == "Import Preview")
    assert "R-1 · R-2" in str(world.workspace.top(world.alice).payload)
    for place, label in enumerate(("Invoice number", "Buyer", "Billing amount", "Currency", "Due date")):
        await select(world, label, str(place))
    await world.submit()
    await world.until(lambda: "New: 2" in world.top())
    assert "EUR 1,550.50" in world.top()
    await world.submit()
    await world.until(lambda: told(world))
    assert invoices(world) == {"R-1": Money(125_000, "EUR"), "R-2": Money(30_050, "EUR")}
    assert world.db.run(lambda session: len(session.scalars(sa.select(KnownHeading.heading)).all())) == 1
    await choose(world, "next.csv", UNKNOWN.replace(b"R-2", b"R-3"))
    await world.until(lambda: "New: 1" in world.top())
    assert "Unchanged: 1" in world.top()
    await world.press("Choose Columns")
    await world.until(lambda: "Invoice number" in world.top())


async def test_what_is_in_doubt_is_asked(world: World) -> None:
    doubtful = UNKNOWN.replace(b"1.250,00", b"1.250").replace(b"300,50", b"2.500")
    doubtful = doubtful.replace(b"03.12.2026", b"03/12/2026").replace(b"13.12.2026", b"04/12/2026")
    await choose(world, "export.csv", doubtful)
    await world.until(lambda: header(world) == "Import Preview")
    for place, label in enumerate(("Invoice number", "Buyer", "Billing amount", "Currency", "Due date")):
        await select(world, label, str(place))
    # The amounts' column was guessed; that there are dates is known only once their column is.
    await select(world, "Decimal sign", ",")
    await world.submit()
    await world.until(lambda: "Date order" in world.top())
    assert "Decimal sign" not in world.top()
    assert "Month first: 03/12/2026 is 2026-03-12" in world.top()
    await select(world, "Date order", "dmy")
    await world.submit()
    await world.until(lambda: "New: 2" in world.top())
    assert "EUR 3,750.00" in world.top()


async def test_a_restart_goes_on_with_what_was_confirmed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that took it up is killed; its claim is taken back as of a dead process."""
    claim_next = claiming.claim_next
    monkeypatch.setattr(claiming, "claim_next", lambda *_: None)
    await choose(world, "May.csv", PLAIN)
    await world.until(lambda: header(world) == "Import Preview")
    await world.submit()
    assert invoices(world) == {}
    monkeypatch.setattr(claiming, "claim_next", claim_next)
    await world.until(lambda: told(world))
    assert set(invoices(world)) == {"INV-1", "INV-2"}


async def test_guests_may_not(world: World) -> None:
    guest = world.workspace.add_person("gil", guest="multi")
    await world.workspace.command(guest, world.channel, "/invoices import")
    await world.until(
        lambda: (
            "Guests can't import invoices"
            in str(world.workspace.views(guest))
            + str([m.text for m in world.workspace.messages(world.channel, seen_by=guest)])
        )
    )
    assert "file_input" not in str(world.workspace.views(guest))


@pytest.mark.parametrize("scope", ["files:read", "users:read"])
async def test_without_a_scope_people_are_told_and_all_else_works(world: World, scope: str) -> None:
    world.workspace.scopes.remove(scope)
    await world.workspace.command(world.alice, world.channel, "/invoices import")

    def said() -> str:
        messages = [m.text for m in world.workspace.messages(world.channel, seen_by=world.alice)]
        return world.top() + "\n".join(messages)

    await world.until(lambda: f"lacks the permission {scope}" in said())
    await world.workspace.command(world.alice, world.channel, "/invoices")
    await world.until(lambda: "Billing Invoices" in world.top())


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            Fault(
                "url_private_download",
                do="garbled",
                status=200,
                body="<!DOCTYPE html><html>",
                content_type="text/html",
            ),
            "files:read",
        ),
        (Fault("url_private_download", do="status", status=500), "doesn't give Paylink the file"),
        (Fault("url_private_download", do="status", status=302), "files:read"),
        (Fault("files.info", do="error", error="file_deleted"), "was deleted in Slack"),
    ],
)
async def test_a_file_that_slack_does_not_give(world: World, fault: Fault, words: str) -> None:
    world.slack.faults.add(fault)
    await choose(world, "May.csv", PLAIN)
    await world.until(lambda: words in world.top())
    assert "file_input" in str(world.workspace.top(world.alice).payload)
    assert invoices(world) == {}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xls", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "old kind"),
        ("<!channel> & <b>.csv", b"%PDF-1.7 ...", "<!channel>"),
        ("empty.csv", b"", "empty"),
    ],
)
async def test_what_is_no_file_of_invoices_is_told_as_what_it_is(
    world: World, name: str, content: bytes, words: str
) -> None:
    await choose(world, name, content)
    await world.until(lambda: words in world.top())


async def test_a_preview_that_was_forgotten_meanwhile_is_told(world: World) -> None:
    await choose(world, "May.csv", PLAIN)
    await world.until(lambda: header(world) == "Import Preview")
    world.db.run(lambda session: session.execute(sa.delete(FileImport)) and None)
    await world.submit()
    assert "Bring it in again" in world.top() or "doesn't exist any more" in world.top()
    assert invoices(world) == {}
    assert transactions.UNCONFIRMED_KEPT.total_seconds() < 3600
