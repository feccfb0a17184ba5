"""Everything of an organisation is erased, and nothing of another one, with an account of its own or the same one."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import Database
from domain.errors import OrganisationUnknown
from domain.models import Base, Organisation
from domain.money import Money
from domain.organisations import erasing, forgetting, installations, organisations, stripe_keys
from domain.organisations.installations import Tokens
from domain.programs import tokens
from domain.secrets.box import Box, new_key
from domain.summaries import Actor
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import PAGE, TEAM, make_invoice
from tests.domain.world import ADA, World
from tests.patience import PATIENCE

SEEN = Money(120_050, "USD")
BOX = Box([new_key()])
NOT_BY_ORGANISATION = {"duties", "paces", "ledgers", "stripe_events", "unused_events", "secret_generations"}


def test_every_table_is_known() -> None:
    assert {part.table for part in forgetting._PARTS} | forgetting.ELSEWHERE == set(Base.metadata.tables)


async def bill(world: World, stripe: LocalStripe, actor: Actor, organisation_id: int) -> None:
    """An invoice that is paid twice and refunded, another one in a bulk run, a list with ticks, and messages of all that."""
    number = f"INV-{organisation_id}"
    first, second = (
        make_invoice(world.db, f"{number}-{n}", organisation_id=organisation_id, buyer_name="Bü " * 30)
        for n in range(2)
    )
    desk, ids = world.desk, {second}
    shown = (await desk.create_link(actor, first, SEEN, patience=PATIENCE)).link
    assert shown is not None
    (link,) = [one for one in stripe.objects("payment_link") if one["url"] == shown.url]
    await stripe.pay((await stripe.open_session(link["id"]))["id"])
    await world.watching.sweep_if_due()
    selection = (await desk.open_list(actor, shape=PAGE)).selection.id
    await desk.tick(
        actor, selection, revision=1, displayed=ids, ticked=ids, acted_at="1.000001", opened_with=""
    )
    seal = (await desk.confirm(actor, selection)).seal
    await desk.start_run(actor, selection, seal=seal, submission=f"V{number}", view_id=None)
    await world.creation.run_due()
    await desk.open_list(actor, shape=PAGE)
    await desk.welcome(actor)
    await desk.take_event(actor, f"Ev{organisation_id}")
    await world.see()


def keep_keys(db: Database, team_id: str) -> None:
    installation = installations.Installation(
        team_id, None, False, "B1", "U1", ("chat:write",), "U1", Tokens("xoxb-1")
    )
    db.run(installations.store, BOX, installation, "")
    db.run(stripe_keys.store, BOX, team_id, "rk_test_51Hxyz4242", by="U1")
    db.run(tokens.add, team_id, "erp")


def rows(session: Session) -> dict[str, list[Any]]:
    return {
        name: sorted(map(repr, session.execute(sa.select(table)).all()))
        for name, table in Base.metadata.tables.items()
    }


def owned(session: Session, organisation_id: int) -> dict[str, int]:
    counts = {}
    for name, table in Base.metadata.tables.items():
        if "organisation_id" in table.c:
            own = sa.select(sa.func.count()).select_from(table)
            counts[name] = session.scalar(own.where(table.c.organisation_id == organisation_id)) or 0
    return counts


@pytest.mark.parametrize("account", [None, "acct_other"])
async def test_an_organisation_is_forgotten_and_another_one_is_not(
    world: World, stripe: LocalStripe, account: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "PORTION", 2)
    db = world.db
    key = None if account is None else stripe.add_key("sk_test_other", account=account).secret
    await bill(world, stripe, ADA, world.organisation_id)
    keep_keys(db, TEAM)
    before = db.run(rows)
    other = await world.serve("T0OTHER", key=key)
    keep_keys(db, "T0OTHER")
    if account is None:
        await bill(world, stripe, other.actor, other.id)
    else:
        make_invoice(db, "INV-9", organisation_id=other.id)
        await world.desk.open_list(other.actor, shape=PAGE)

    db.run(erasing.erase, "T0OTHER", "operator")
    erased = forgetting.forget(db, "T0OTHER")
    assert erased["invoices"] == (2 if account is None else 1)
    assert erased["audit"] > 0
    assert not any(db.run(owned, other.id).values())
    with pytest.raises(OrganisationUnknown):
        db.run(organisations.get_by_team, "T0OTHER")
    with pytest.raises(OrganisationUnknown):
        forgetting.forget(db, "T0OTHER")
    after = db.run(rows)
    for name, were in before.items():
        left = after[name]
        if name == "audit":
            # What belongs to no organisation says that it was done.
            left = [one for one in left if one in were]
        if name not in NOT_BY_ORGANISATION:
            assert left == were, name
    assert len(after["ledgers"]) == 1

    # All of it, and the keys of this one too.
    assert forgetting.forget(db, TEAM)["payments"] == 1
    assert not any(db.run(owned, world.organisation_id).values())
    assert db.run(lambda session: session.scalars(sa.select(Organisation)).all()) == []
    assert {name for name, left in db.run(rows).items() if left} == {"audit", "secret_generations"}
