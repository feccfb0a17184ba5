"""The draft behind one list modal: which page it shows, and what is ticked over all pages and filters.

Slack keeps what a person ticked only for the inputs that are displayed, so every change is merged here; the revision
goes into the view's block ids, so that a page that is rendered again shows what stands here (docs/facts/slack.md).

Opening a list writes nothing: whoever types a command waits for no other writer. The first thing that is done in it
writes it down. Until then its id alone says whose it is (decision 0013).
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import insert_into
from domain.errors import SelectionNotFound
from domain.invoices import invoices
from domain.invoices.list_page import find_page
from domain.lists.selection_ids import is_made_for
from domain.models import Invoice, Organisation, Selection, SelectionItem
from domain.organisations import organisations
from domain.scope import Scope
from domain.states import LinkStatus
from domain.summaries import FIRST_REVISION, Actor, InvoiceList, InvoiceSummary, SelectionSummary

MOST = 100
GROUP = 10


def open_list(
    session: Session, scope: Scope, actor: Actor, selection_id: int, search: str, *, room: int
) -> InvoiceList:
    """See Desk.open_list."""
    opened = Selection(**_opened(scope, actor, selection_id, search))
    return _show(session, scope, opened, room)


def show_list(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    *,
    room: int,
    opened_with: str | None = None,
) -> InvoiceList:
    """See Desk.show_list."""
    try:
        selection = get(session, scope, actor, selection_id)
    except SelectionNotFound:
        if opened_with is None or not is_made_for(actor, selection_id):
            raise
        return open_list(session, scope, actor, selection_id, opened_with, room=room)
    return _show(session, scope, selection, room)


def tick(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    *,
    revision: int,
    displayed: set[int],
    ticked: set[int],
    action_ts: str,
    opened_with: str | None,
    now: datetime,
) -> int:
    """See Desk.tick."""
    if opened_with is not None:
        _write_down(session, scope, actor, selection_id, opened_with, now)
    selection = get(session, scope, actor, selection_id, lock=True)
    is_drawn = selection.revision == revision
    # A submission has no time of its own: its state wins, and what is ticked after it is newer again.
    if action_ts and not (is_drawn and _is_newer(action_ts, selection.last_action)):
        return 0
    selection.last_action = action_ts or selection.last_action
    selection.touched_at = now
    before = ticked_ids(session, selection.id)
    # What isn't ticked in a list that was submitted before Slack drew it as it is may have been ticked since.
    kept = before - (displayed - ticked) if is_drawn else before
    wanted = sorted((ticked & displayed) - before)
    added = wanted[: MOST - len(kept)]
    _remove(session, selection, before - kept)
    _add(session, selection, added)
    left_out = len(wanted) - len(added)
    if left_out:
        selection.revision += 1
    return left_out


def select_page(
    session: Session, scope: Scope, actor: Actor, selection_id: int, *, room: int, now: datetime
) -> InvoiceList:
    selection = _touch(session, scope, actor, selection_id, now)
    page, _ = _page(session, scope, selection, room)
    before = ticked_ids(session, selection.id)
    wanted = [invoice.id for invoice in page if invoice.eligible and invoice.id not in before]
    added = wanted[: MOST - len(before)]
    _add(session, selection, added)
    return _show(session, scope, selection, room, left_out=len(wanted) - len(added))


def clear(
    session: Session, scope: Scope, actor: Actor, selection_id: int, *, room: int, now: datetime
) -> InvoiceList:
    selection = _touch(session, scope, actor, selection_id, now)
    empty(session, selection)
    return _show(session, scope, selection, room)


def untick(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    *,
    invoice_id: int,
    room: int,
    now: datetime,
) -> InvoiceList:
    selection = _touch(session, scope, actor, selection_id, now)
    _remove(session, selection, {invoice_id})
    return _show(session, scope, selection, room)


def turn_page(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    *,
    forward: bool,
    revision: int,
    room: int,
    now: datetime,
) -> InvoiceList:
    selection = get(session, scope, actor, selection_id, lock=True)
    if selection.revision == revision:
        selection = _touch(session, scope, actor, selection_id, now)
        trail = _trail(selection)
        if not forward:
            trail = trail[:-1]
        else:
            page, has_next = _page(session, scope, selection, room)
            if has_next:
                trail = [*trail, session.scalar(_position_of(page[-1].id)) or ""]
        selection.trail = "\n".join(trail)
    return _show(session, scope, selection, room)


def narrow(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    *,
    filter: LinkStatus | None,
    search: str,
    room: int,
    now: datetime,
) -> InvoiceList:
    selection = _touch(session, scope, actor, selection_id, now)
    selection.filter = filter
    selection.search, selection.trail = search[:200], ""
    return _show(session, scope, selection, room)


def start_over(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    *,
    fresh_id: int,
    room: int,
    now: datetime,
) -> InvoiceList:
    """See Desk.refresh_list. What comes late for the list as it was, a submission's repetition, doesn't reach this one."""
    before = get(session, scope, actor, selection_id)
    opened = _opened(scope, actor, fresh_id, before.search)
    drawn_anew = {"filter": before.filter, "revision": before.revision + 1, "touched_at": now}
    fresh = Selection(**opened | drawn_anew)
    session.add(fresh)
    session.flush()
    return _show(session, scope, fresh, room)


def get(session: Session, scope: Scope, actor: Actor, selection_id: int, *, lock: bool = False) -> Selection:
    """This person's selection. Raises SelectionNotFound."""
    found = sa.select(Selection).where(
        Selection.id == selection_id,
        Selection.user_id == actor.user_id,
        Selection.organisation_id == scope.organisation_id,
    )
    selection = session.scalar(found.with_for_update() if lock else found)
    if selection is None:
        raise SelectionNotFound
    return selection


def ticked_ids(session: Session, selection_id: int) -> set[int]:
    ids = sa.select(SelectionItem.invoice_id).where(SelectionItem.selection_id == selection_id)
    return set(session.scalars(ids))


def write_down_ticked(
    session: Session, scope: Scope, actor: Actor, selection_id: int, ids: Sequence[int], now: datetime
) -> None:
    """A list of this person's as it is opened, with these invoices ticked."""
    _write_down(session, scope, actor, selection_id, "", now)
    _add(session, get(session, scope, actor, selection_id), ids)


def empty(session: Session, selection: Selection) -> None:
    session.execute(
        sa.delete(SelectionItem).where(SelectionItem.selection_id == selection.id),
        # Nothing looks at the items that were read before; comparing each with what is deleted takes longer than this.
        execution_options={"synchronize_session": False},
    )


def _opened(scope: Scope, actor: Actor, selection_id: int, search: str) -> dict[str, Any]:
    """A list as it is opened: nothing ticked, on its first page, filtered by Not Created."""
    return {
        "id": selection_id,
        "organisation_id": scope.organisation_id,
        "user_id": actor.user_id,
        "filter": LinkStatus.NOT_CREATED,
        "search": search[:200],
        "trail": "",
        "revision": FIRST_REVISION,
        "last_action": "",
    }


def _write_down(
    session: Session, scope: Scope, actor: Actor, selection_id: int, search: str, now: datetime
) -> None:
    """This person's list as it was opened, never in place of one that is there: two clicks may come at once."""
    if is_made_for(actor, selection_id):
        opened = _opened(scope, actor, selection_id, search) | {"touched_at": now}
        session.execute(insert_into(session, Selection).values(opened).on_conflict_do_nothing())


def _touch(session: Session, scope: Scope, actor: Actor, selection_id: int, now: datetime) -> Selection:
    """The selection, locked, about to be rendered anew."""
    selection = get(session, scope, actor, selection_id, lock=True)
    selection.revision += 1
    selection.touched_at = now
    return selection


def _is_newer(action_ts: str, than: str) -> bool:
    try:
        return not action_ts or not than or Decimal(action_ts) > Decimal(than)
    except InvalidOperation:
        return False


def _add(session: Session, selection: Selection, ids: Sequence[int]) -> None:
    """Those of the ids that are this organisation's."""
    if not ids:
        return
    of = sa.select(Invoice.id, Invoice.organisation_id).where(Invoice.id.in_(ids))
    # By id, as an import locks them: each row locks its invoice through the foreign key, and would meet it crosswise.
    own = sorted(key for key, owner in session.execute(of) if owner == selection.organisation_id)
    if own:
        session.execute(
            sa.insert(SelectionItem), [{"selection_id": selection.id, "invoice_id": key} for key in own]
        )


def _remove(session: Session, selection: Selection, ids: set[int]) -> None:
    if ids:
        session.execute(
            sa.delete(SelectionItem).where(
                SelectionItem.selection_id == selection.id, SelectionItem.invoice_id.in_(ids)
            )
        )


def _trail(selection: Selection) -> list[str]:
    return selection.trail.split("\n") if selection.trail else []


def _position_of(invoice_id: int) -> sa.Select[str]:
    return sa.select(Invoice.position).where(Invoice.id == invoice_id)


def _page(
    session: Session, scope: Scope, selection: Selection, room: int
) -> tuple[list[InvoiceSummary], bool]:
    """The invoices of the shown page, and whether there are more behind them."""
    trail = _trail(selection)
    ids = find_page(
        session,
        scope.organisation_id,
        selection.search,
        status=selection.filter,
        after=trail[-1] if trail else None,
        limit=MOST + 1,
    )
    page = invoices.list_known(session, scope, ids)
    shown = _fitting(page[:MOST], room)
    return page[:shown], shown < len(page)


def _fitting(page: Sequence[InvoiceSummary], room: int) -> int:
    """How many fit into ``room``: ten eligible ones take one, each other one."""
    eligible = others = 0
    for count, invoice in enumerate(page):
        eligible, others = eligible + invoice.eligible, others + (not invoice.eligible)
        if -(-eligible // GROUP) + others > room:
            return count
    return len(page)


def _show(
    session: Session, scope: Scope, selection: Selection, room: int, *, left_out: int = 0
) -> InvoiceList:
    page, has_next = _page(session, scope, selection, room)
    return InvoiceList(
        organisation=organisations.summarise(session.get_one(Organisation, selection.organisation_id)),
        selection=SelectionSummary(
            id=selection.id,
            filter=selection.filter,
            search=selection.search,
            revision=selection.revision,
            ticked=frozenset(ticked_ids(session, selection.id)),
        ),
        invoices=tuple(page),
        has_previous=bool(selection.trail),
        has_next=has_next,
        left_out=left_out,
    )
