"""What becomes of an invoice stands in its audit: each deed once, with who did it and from where."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

import domain
from domain.audit import Deed
from domain.audit.reading import ENTRIES
from domain.audit.sealing import Sealing
from domain.audit.verifying import verify
from domain.errors import NotEligible
from domain.files.import_fields import ImportedInvoice
from domain.files.importing import take
from domain.money import Money
from domain.organisations import organisations
from domain.states import Source
from domain.summaries import Actor
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import NOW, make_invoice
from tests.domain.files.test_importing import line
from tests.domain.test_two_organisations import completed
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

CLICKING = Actor(ADA.team_id, ADA.user_id, Source.BUTTON)


async def test_an_invoices_life_is_in_its_history(world: World, stripe: LocalStripe) -> None:
    invoice = make_invoice(world.db, "INV-1", amount=1_000)
    await world.desk.create_link(CLICKING, invoice, Money(1_000, "USD"), patience=PATIENCE)
    take_in(world, line("INV-1", amount=1_200))
    intent = (await stripe.pay((await stripe.open_session(str(stripe.links()[0]["id"])))["id"]))[
        "payment_intent"
    ]
    await world.watching.receive(world.organisation_id, completed(stripe))
    await world.see()
    await stripe.refund(str(intent), amount=200)
    await world.see()

    _, history = await world.desk.get_history(ADA, invoice, 0)
    said = [(one.deed, one.actor, one.source, one.before, one.after) for one in reversed(history.entries)]
    said = [one for one in said if one[0] != Deed.MESSAGE_POSTED]
    assert said == [
        (Deed.LINK_ASKED, ADA.user_id, "button", None, "USD 10.00"),
        (Deed.LINK_CREATED, "Paylink", "paylink", None, "USD 10.00"),
        (Deed.AMOUNT_CHANGED, "operator", "cli", "USD 10.00", "USD 12.00"),
        (Deed.EXCEPTION_OPENED, "Paylink", "paylink", None, "USD 12.00"),
        (Deed.PAYMENT_RECORDED, "Stripe", "stripe_webhook", None, "USD 10.00"),
        (Deed.EXCEPTION_SETTLED, "Stripe", None, None, "link_paid"),
        (Deed.REFUND_RECORDED, "Stripe", "stripe_poll", None, "USD 2.00"),
        (Deed.EXCEPTION_OPENED, "Paylink", "paylink", None, "USD 2.00"),
    ]
    assert Deed.MESSAGE_POSTED in {one.deed for one in history.entries}
    assert [one.subject for one in history.entries if one.deed == Deed.PAYMENT_RECORDED] == [f"{intent} paid"]
    assert {one.invoice for one in history.entries} == {"INV-1"}
    await Sealing(world.db).seal_waiting()
    verified = verify(world.db.run, world.scope.organisation_id, ADA.team_id)
    assert (verified.found, verified.waiting) == (None, 0)
    assert verified.entries > len(history.entries)


def take_in(world: World, row: ImportedInvoice) -> None:
    own = world.db.run(organisations.get_by_team, ADA.team_id)
    take(world.db, own, [row], now=NOW)


async def test_who_was_refused_stands_there_with_the_reason(world: World) -> None:
    invoice = make_invoice(world.db, "INV-1", amount=0)
    with pytest.raises(NotEligible):
        await world.desk.create_link(CLICKING, invoice, Money(0, "USD"), patience=PATIENCE)
    [entry] = (await world.desk.get_history(ADA, invoice, 0))[1].entries
    assert (entry.deed, entry.result, entry.subject) == (Deed.LINK_ASKED, "refused", "not_positive")


async def test_nothing_of_a_buyer_gets_in(world: World, stripe: LocalStripe) -> None:
    invoice = make_invoice(
        world.db, "INV-1", amount=1_000, buyer_name="Kestrel", buyer_email="k@kestrel.example"
    )
    await world.desk.create_link(CLICKING, invoice, Money(1_000, "USD"), patience=PATIENCE)
    take_in(world, line("INV-1", amount=1_200, buyer_name="Kestrel & Sons", description="for Kestrel"))
    await stripe.pay((await stripe.open_session(str(stripe.links()[0]["id"])))["id"])
    await world.see()
    rows = world.db.run(lambda session: session.execute(sa.select(ENTRIES)).all())
    assert len(rows) > 6
    assert "estrel" not in repr(rows)


def test_each_deed_is_done_somewhere() -> None:
    code = "".join(
        file.read_text("utf-8")
        for file in Path(domain.__file__).parent.rglob("*.py")
        if file.name != "deeds.py"
    )
    assert {deed.name for deed in Deed} == set(re.findall(r"\bDeed\.([A-Z_]+)", code)) & set(Deed.__members__)
