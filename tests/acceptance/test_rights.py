"""Who may do what, through the whole bot: a guest who tries every way in, and a right that is taken away meanwhile."""

from typing import Any

import sqlalchemy as sa

from domain.models import AuditEntry, Link
from domain.organisations import organisations, settings
from domain.states import Creators
from tests.acceptance.conftest import World, Worlds, text_of
from tests.domain.factories import NOW

GUESTS = "Guests see no billing invoices here"
CHOSEN = "Only the people whom your organisation chose"


def set_up(world: World, **changes: Any) -> None:
    one = world.db.run(organisations.get_by_team, world.workspace.team_id)
    world.db.run(settings.change, one.id, by="operator", now=NOW, **changes)


def refused(world: World, user: str) -> list[str]:
    """The deeds that somebody was refused, as the audit has them."""
    found = sa.select(AuditEntry.subject).where(AuditEntry.action == "act.refused", AuditEntry.actor == user)
    return world.db.run(lambda session: list(session.scalars(found.order_by(AuditEntry.id))))


def links(world: World) -> int | None:
    return world.db.run(lambda session: session.scalar(sa.select(sa.func.count(Link.id))))


async def test_a_guest_sees_nothing_whichever_way_they_come(sqlite_worlds: Worlds) -> None:
    world = await sqlite_worlds.make(PAYLINK_POLL_SECONDS="1")
    world.add_invoice("INV-1", buyer_name="Veiled Buyer")
    work = world.workspace
    guest = work.add_person("gil", guest="multi")
    next(one for one in work.channels if one.id == world.channel).members.add(guest)
    everything: list[str] = []

    def told(words: str = GUESTS) -> bool:
        ephemeral = [m.text for m in work.messages(world.channel, seen_by=guest) if m.ephemeral_to == guest]
        dms = [message.text for message in work.dms(guest)]
        home = work.home(guest)
        now = "\n".join(
            [
                *ephemeral,
                *dms,
                *(text_of(view.payload) for view in work.views(guest)),
                text_of(home.payload) if home else "",
            ]
        )
        everything.append(now)
        return words in now

    for command in ("/invoice INV-1", "/invoice", "/invoices", "/invoice exceptions", "/invoices import"):
        await work.command(guest, world.channel, command)
        await world.until(lambda: told("Guests"))
        for view in list(work.views(guest)):
            await work.close(guest, view.id)
    for shortcut in ("find_invoice", "billing_invoices"):
        await work.global_shortcut(guest, shortcut)
        await world.until(lambda: bool(work.views(guest)) and told())
        for view in list(work.views(guest)):
            await work.close(guest, view.id)
    await work.open_home(guest)
    await world.until(lambda: GUESTS in text_of(home.payload) if (home := work.home(guest)) else False)
    await work.say(guest, work.dm_channel(guest) or "", "hello")
    await world.until(lambda: any(GUESTS in message.text for message in work.dms(guest)))

    await world.workspace.command(world.alice, world.channel, "/invoice INV-1")
    await world.until(lambda: "Create Payment Link" in world.top())
    await world.press("Create Payment Link")
    await world.until(lambda: links(world) == 1 and "Pending Payment" in world.top())
    url = world.db.run(lambda session: session.scalar(sa.select(Link.url)))
    await world.stripe.pay(str(url))
    await world.until(lambda: world.announced())
    message = next(one for one in work.messages(world.channel) if one.bot_id)
    await work.press(guest, message.place, "View Invoice")
    await world.until(lambda: told())
    assert "Veiled" not in "".join(everything).replace(message.text, "")
    assert "look" in refused(world, guest)

    # Named, they may look and create, and nothing else.
    set_up(world, chosen_people=(guest,))
    await work.command(guest, world.channel, "/invoice INV-1")
    await world.until(lambda: "Veiled Buyer" in world.top(guest))


async def test_a_right_that_was_taken_away_is_noticed_at_create(sqlite_worlds: Worlds) -> None:
    world = await sqlite_worlds.make()
    for number in ("INV-1", "INV-2"):
        world.add_invoice(number)
    await world.workspace.command(world.alice, world.channel, "/invoices")
    await world.until(lambda: "Billing Invoices" in world.top())
    await world.press("Select All on This Page")
    await world.until(lambda: "2 of at most 100 ticked" in world.top())
    await world.submit()
    await world.until(lambda: "Create Invoice Online Payment Links" in world.top())

    set_up(world, creators=Creators.CHOSEN, chosen_people=("U0BEN",), administrators=("U0CEO",))
    await world.submit()
    await world.until(lambda: CHOSEN in world.top())
    assert "<@U0CEO>" in world.top()
    assert (links(world), refused(world, world.alice)) == (0, ["create"])

    # What they open from now on doesn't offer it.
    for view in reversed(world.workspace.views(world.alice)):
        await world.workspace.close(world.alice, view.id)
    await world.workspace.command(world.alice, world.channel, "/invoices")
    await world.until(lambda: CHOSEN in world.top())
    assert "checkboxes" not in world.top()
    assert "Create Payment Link" not in world.top()
    await world.submit()
    await world.until(lambda: "INV-2" in world.top())
    assert refused(world, world.alice) == ["create"]
    await world.workspace.close(world.alice, world.workspace.top(world.alice).id)
    await world.workspace.command(world.alice, world.channel, "/invoice INV-1")
    await world.until(lambda: CHOSEN in world.top())
    assert "Create Payment Link" not in world.top()
