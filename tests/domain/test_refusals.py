"""Ids of another organisation, or of another person's list, wherever one can come in: refused, and in the audit."""

from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.errors import ExceptionNotFound, InvoiceNotFound, PaylinkError, RunNotFound, SelectionNotFound
from domain.exceptions.opening import Opening, open_once
from domain.models import AuditEntry, Link
from domain.money import Money
from domain.states import ExceptionKind
from domain.summaries import Actor
from tests.domain.factories import NOW, PAGE, make_invoice, make_link, make_organisation
from tests.domain.world import ADA, BEN, World

EVE = Actor("T0OTHER", "U0EVE")


async def touch(world: World, actor: Actor, selection: int, opened_with: str | None = "") -> None:
    """Something that changes no tick."""
    await world.desk.tick(
        actor,
        selection,
        revision=1,
        displayed=set(),
        ticked=set(),
        acted_at="1.000001",
        opened_with=opened_with,
    )


ON_A_SELECTION: dict[str, Callable[[World, Actor, int], Awaitable[object]]] = {
    "show": lambda world, actor, id_: world.desk.show_list(actor, id_, shape=PAGE),
    "show as opened": lambda world, actor, id_: world.desk.show_list(actor, id_, shape=PAGE, opened_with=""),
    "tick": lambda world, actor, id_: touch(world, actor, id_, None),
    "tick as opened": lambda world, actor, id_: touch(world, actor, id_, ""),
    "select page": lambda world, actor, id_: world.desk.select_page(actor, id_, shape=PAGE),
    "clear": lambda world, actor, id_: world.desk.clear_selection(actor, id_, shape=PAGE),
    "turn page": lambda world, actor, id_: world.desk.turn_page(
        actor, id_, forward=True, revision=1, shape=PAGE
    ),
    "narrow": lambda world, actor, id_: world.desk.narrow(actor, id_, filter=None, search="", shape=PAGE),
    "confirm": lambda world, actor, id_: world.desk.confirm(actor, id_),
    "start": lambda world, actor, id_: world.desk.start_run(
        actor, id_, seal="", submission="V1", view_id="V1"
    ),
}


async def refused(
    world: World, attempt: Awaitable[object], error: type[PaylinkError]
) -> list[tuple[str, str]]:
    """What the audit holds of an attempt that must be refused: who, and what it was about."""
    with pytest.raises(error):
        await attempt
    entries = sa.select(AuditEntry.actor, AuditEntry.subject).where(AuditEntry.action == "id.refused")
    own = entries.where(AuditEntry.subject.not_like("% asked for from %"))
    return await world.db.read(lambda session: [(actor, what) for actor, what in session.execute(own)])


@pytest.mark.parametrize("what", ON_A_SELECTION)
@pytest.mark.parametrize("actor", [BEN, EVE])
@pytest.mark.parametrize("written_down", [True, False])
async def test_anothers_list_is_refused_and_audited(
    world: World, what: str, actor: Actor, written_down: bool
) -> None:
    make_organisation(world.db)
    await world.serve(EVE.team_id)
    selection = (await world.desk.open_list(ADA, shape=PAGE)).selection.id
    if written_down:
        await touch(world, ADA, selection)

    attempt = ON_A_SELECTION[what](world, actor, selection)

    assert await refused(world, attempt, SelectionNotFound) == [(actor.user_id, f"selection {selection}")]


async def test_ticking_another_organisations_invoice_is_refused_and_audited(world: World) -> None:
    make_organisation(world.db)
    other = make_organisation(world.db, EVE.team_id)
    theirs = make_invoice(world.db, organisation_id=other)
    selection = (await world.desk.open_list(ADA, shape=PAGE)).selection.id

    attempt = world.desk.tick(
        ADA, selection, revision=1, displayed={theirs}, ticked={theirs}, acted_at="1.000001"
    )

    assert await refused(world, attempt, InvoiceNotFound) == [(ADA.user_id, f"invoice {theirs}")]
    attacked = sa.select(AuditEntry.actor, AuditEntry.subject).where(AuditEntry.organisation_id == other)
    assert await world.db.read(lambda session: [tuple(row) for row in session.execute(attacked)]) == [
        (ADA.user_id, f"invoice {theirs} asked for from {ADA.team_id}")
    ]
    shown = await world.desk.show_list(ADA, selection, shape=PAGE, opened_with="")
    assert shown.selection.ticked == frozenset()


async def test_retrying_another_organisations_run_is_refused_and_audited(world: World) -> None:
    make_invoice(world.db)
    await world.serve(EVE.team_id)
    selection = (await world.desk.open_list(ADA, shape=PAGE)).selection.id
    await touch(world, ADA, selection)
    await world.desk.select_page(ADA, selection, shape=PAGE)
    seal = (await world.desk.confirm(ADA, selection)).seal
    run = await world.desk.start_run(ADA, selection, seal=seal, submission="V1", view_id="V1")

    attempt = world.desk.retry_failed(EVE, run.id, submission="retry", view_id="V2")

    assert await refused(world, attempt, RunNotFound) == [(EVE.user_id, f"bulk run {run.id}")]


async def test_rechecking_another_organisations_invoice_is_refused_and_audited(world: World) -> None:
    await world.serve(EVE.team_id)
    invoice = make_invoice(world.db)

    attempt = world.desk.recheck(EVE, invoice)

    assert await refused(world, attempt, InvoiceNotFound) == [(EVE.user_id, f"invoice {invoice}")]


@pytest.mark.parametrize("what", ["look", "resolve"])
async def test_anothers_exception_is_refused_and_audited(world: World, what: str) -> None:
    await world.serve(EVE.team_id)
    invoice = make_invoice(world.db)
    link_id = make_link(world.db, invoice, ledger_id=world.account.ledger_id)

    def opened(session: Session) -> int | None:
        link = session.get_one(Link, link_id)
        kind = ExceptionKind.SECOND_PAYMENT
        return open_once(session, Opening(kind, "a", link.ledger_id, Money(5, "USD"), link=link), NOW)

    exception_id = world.db.run(opened)
    assert exception_id is not None

    if what == "look":
        attempt: Awaitable[object] = world.desk.get_exception(EVE, exception_id)
    else:
        attempt = world.desk.resolve_exception(EVE, exception_id, "Not mine")

    assert await refused(world, attempt, ExceptionNotFound) == [(EVE.user_id, f"exception {exception_id}")]
    assert (await world.desk.get_exception(ADA, exception_id)).resolution is None
