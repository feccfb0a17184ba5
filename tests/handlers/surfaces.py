"""Everything that Paylink shows and people can act in, and what Slack delivers when they do."""

import copy
from collections.abc import Iterator
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.exceptions.opening import Opening, open_once
from domain.files.reading.plain import HEADING
from domain.imports.summaries import ImportPreview, ImportQuestion
from domain.messages.summaries import Announcement
from domain.models import BulkRunItem, Link, Selection, SelectionItem
from domain.money import Money
from domain.organisations.settings import Settings
from domain.overview.summaries import LookedUp, Steps
from domain.states import AnnouncementKind, ExceptionKind, Right
from handlers.references import ListReference, ResolveReference
from handlers.views import connecting, imports, settings
from handlers.views.blocks import Json
from handlers.views.confirmation import confirmation
from handlers.views.details import copying, details
from handlers.views.download import of_list, of_run
from handlers.views.exceptions import exceptions, resolving
from handlers.views.history import history
from handlers.views.home import home
from handlers.views.import_result import progress
from handlers.views.listing import PAGE, listing
from handlers.views.messages import announcement_message
from handlers.views.result import result, result_message
from handlers.views.search import search, several, unknown
from handlers.views.setting_up import installed, set_up
from tests.domain.factories import NOW, TEAM, make_invoice, make_link
from tests.domain.world import ADA, World

TEXT = "INV"


async def surfaces(world: World) -> dict[str, Json]:
    """Each view and message as ADA sees it, with all of her own in it."""
    desk = world.desk
    plain, linked, failed, created = (make_invoice(world.db, f"INV-{n}") for n in range(1, 5))
    make_link(world.db, linked, ledger_id=world.account.ledger_id)
    organisation, stripe = await desk.get_organisation(TEAM), await desk.get_stripe_state(ADA)
    one, other = await desk.get_invoice(ADA, plain), await desk.get_invoice(ADA, linked)
    assert other.link is not None
    for_run = _make_selection(world, failed, created)
    seal = (await desk.confirm(ADA, for_run)).seal
    run = await desk.start_run(ADA, for_run, seal=seal, submission="V9", view_id="V9")
    await world.creation.run_due()
    world.db.run(_let_fail, run.id, failed)
    run = await desk.get_result(ADA, run.id)
    shown = _make_selection(world, plain)
    page = await desk.show_list(ADA, shown, shape=PAGE)
    world.db.run(_open_exceptions, linked)
    found = await desk.get_details(ADA, linked)
    opened = await desk.list_exceptions(ADA)
    exception = opened.exceptions[0]
    asked = await desk.preview_import(ADA, await desk.bring_in(ADA, "a.csv", b"Nr;Kunde\n1;Acme\n"))
    content = f"{HEADING}\nINV-1,Acme,,20.00,USD,,,\n".encode()
    previewed = await desk.preview_import(ADA, await desk.bring_in(ADA, "b.csv", content))
    assert isinstance(asked, ImportQuestion)
    assert isinstance(previewed, ImportPreview)
    told = Announcement(1, 1, AnnouncementKind.EXCEPTION, "key", "C0PAYMENTS", 0, False, None)
    paid = Announcement(1, 1, AnnouncementKind.PAID, "key", "C0PAYMENTS", 0, False, None, invoice=other)
    return {
        "search": search(),
        "unknown number": unknown("INV-0", await desk.find_nearest(ADA, "INV-0")),
        "several numbers": several(
            "INV-0", LookedUp(options=await desk.find_nearest(ADA, "INV-0"), more=True)
        ),
        "details": details(one, organisation, stripe, today=found.today),
        "details of a link": details(other, organisation, stripe, today=found.today),
        "copy": copying(other, other.link),
        "history": history(one, replace((await desk.get_history(ADA, plain, 0))[1], page=1, has_next=True)),
        "list": listing(replace(page, has_next=True, page_number=2)),
        "confirmation": confirmation(await desk.confirm(ADA, shown)),
        "result": result(run),
        "download of the list": of_list("All", ListReference.read(listing(page)["private_metadata"])),
        "download of a run": of_run("All", run.id),
        "home": home(
            replace(
                await desk.get_home(ADA), rights=frozenset(Right), steps=Steps(False, False, False, False)
            )
        ),
        "set up": set_up(Steps(False, False, False, False), may=True),
        "installed": installed(),
        "connect Stripe": connecting.form(),
        "settings": settings.form(Settings(), None, settings.chosen_by(Settings())),
        "paid message": announcement_message(paid),
        "result message": result_message(run),
        "exceptions": exceptions(replace(opened, page=1, has_next=True, total=60)),
        "details with an exception": details(
            other,
            organisation,
            stripe,
            today=found.today,
            exceptions=found.exceptions,
            resolved=found.resolved,
        ),
        "exception message": announcement_message(
            replace(told, exception=replace(exception, invoice_id=None))
        ),
        "resolve": resolving(exception, ResolveReference(exception.id, "exceptions:0"))
        | {"previous_view_id": "V0"},
        "import": imports.form(),
        "import question": imports.question(asked),
        "import preview": imports.preview(replace(previewed, layout="")),
        "import progress": progress(await desk.get_import(ADA, previewed.import_id)),
        # Last, since its Create takes the invoice's tick away.
        "details on the list": details(one, organisation, stripe, today=found.today)
        | {"private_metadata": listing(page)["private_metadata"]},
    }


def _open_exceptions(session: Session, invoice_id: int) -> None:
    link = session.scalars(sa.select(Link).where(Link.invoice_id == invoice_id)).one()
    for key in ("a", "b"):
        opening = Opening(
            ExceptionKind.SECOND_PAYMENT, key, link.ledger_id, Money(link.amount, link.currency), link=link
        )
        open_once(session, opening, NOW)


def _make_selection(world: World, *ticked: int) -> int:
    """A list of ADA's, of all invoices."""

    def add(session: Session) -> int:
        selection = Selection(organisation_id=1, user_id=ADA.user_id, filter=None, touched_at=NOW)
        session.add(selection)
        session.flush()
        session.add_all(SelectionItem(selection_id=selection.id, invoice_id=key) for key in ticked)
        return selection.id

    return world.db.run(add)


def _let_fail(session: Session, run_id: int, invoice_id: int) -> None:
    session.execute(
        sa.update(BulkRunItem)
        .where(BulkRunItem.run_id == run_id, BulkRunItem.invoice_id == invoice_id)
        .values(outcome="failed", refusal="Stripe refuses")
    )


def deliveries(surface: Json, own: int) -> Iterator[tuple[str, Json]]:
    """Everything that can be done in the surface: the name of what answers it, and the payload. ``own``: an invoice."""
    for block in surface["blocks"]:
        for element in _elements(block):
            # An input tells of itself only if it is asked to.
            if "action_id" not in element or (block["type"] == "input" and not block.get("dispatch_action")):
                continue
            action = _used(element, own) | {"block_id": block.get("block_id", "b"), "action_ts": "99.1"}
            yield element["action_id"], _base("block_actions") | _where(surface) | {"actions": [action]}
            if element["type"] == "external_select":
                typed = {"action_id": element["action_id"], "block_id": block["block_id"], "value": TEXT}
                yield element["action_id"], _base("block_suggestion") | _where(surface) | typed
    if surface.get("type") == "modal" and surface.get("submit"):
        yield surface["callback_id"], _base("view_submission") | _where(surface, own)


def outside() -> Iterator[tuple[str, Json]]:
    """What is delivered without a view: commands, shortcuts, events."""
    for name in ("find_invoice", "billing_invoices"):
        yield name, _base("shortcut") | {"callback_id": name}
    for command, text in (
        ("/invoice", "HIDDEN-77"),
        ("/invoices", "veiled"),
        ("/invoice", ""),
        ("/invoice", "exceptions"),
        ("/bill", "HIDDEN-77"),
        ("/invoices", "import"),
    ):
        yield (
            command,
            {"command": command, "text": text, "team_id": TEAM, "user_id": ADA.user_id}
            | {"trigger_id": "1.2.3", "channel_id": "C1", "token": "", "api_app_id": "A1"},
        )
    home = {"type": "app_home_opened", "tab": "home", "channel": "D1"}
    said = {"text": "hello HIDDEN-77", "ts": "1.1", "team": TEAM}
    events: tuple[Json, ...] = (
        home,
        {"type": "app_mention", "channel": "C1", **said},
        {"type": "message", "channel": "D1", "channel_type": "im", **said},
        {"type": "app_uninstalled"},
        {"type": "tokens_revoked", "tokens": {"bot": ["U0BOT"]}},
    )
    for number, event in enumerate(events):
        body = {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{number}"}
        told = {**event, "user": ADA.user_id, "event_ts": "1.1"}
        by = {"authorizations": [{"team_id": TEAM, "user_id": "U0BOT", "is_bot": True}]}
        yield str(event["type"]), body | {"event": told} | by


def _base(kind: str) -> Json:
    return {
        "type": kind,
        "team": {"id": TEAM},
        "user": {"id": ADA.user_id, "team_id": TEAM},
        "api_app_id": "A1",
        "trigger_id": "1.2.3",
        "token": "",
    }


def _where(surface: Json, own: int = 0) -> Json:
    if "type" not in surface:
        return {"container": {"type": "message", "channel_id": "C1"}, "message": copy.deepcopy(surface)}
    view = copy.deepcopy(surface) | {"id": "V1", "hash": "1.old", "root_view_id": "V1", "team_id": TEAM}
    view["state"] = {"values": {}}
    for block in view["blocks"]:
        for element in _elements(block):
            if "action_id" in element and element["type"] != "button":
                state = {element["action_id"]: _used(element, own)}
                view["state"]["values"][block["block_id"]] = state
    return {"container": {"type": "view", "view_id": "V1"}, "view": view}


def _elements(block: Json) -> list[Json]:
    found = [block.get("accessory"), block.get("element"), *block.get("elements", [])]
    return [element for element in found if isinstance(element, dict)]


def _used(element: Json, own: int) -> Json:
    """The element as it is in an action or in a view's state, with all chosen that can be."""
    used: Json = {"type": element["type"], "action_id": element["action_id"]}
    kind = element["type"]
    if kind == "button":
        used["value"] = element.get("value")
    elif kind == "checkboxes":
        used["selected_options"] = copy.deepcopy(element["options"])
    elif kind == "static_select":
        groups = element.get("option_groups") or [element]
        used["selected_option"] = copy.deepcopy(groups[0]["options"][0])
    elif kind == "external_select":
        used["selected_option"] = {"text": {"type": "plain_text", "text": "INV-1"}, "value": str(own)}
    else:
        used["value"] = TEXT
    return used
