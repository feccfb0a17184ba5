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
from domain.lists.drawn_page import read_page, show, ticked_ids, trail_of
from domain.lists.page_shape import MOST_TICKED, PageShape
from domain.lists.selection_ids import is_made_for
from domain.lists.summaries import FIRST_REVISION, InvoiceList
from domain.models import Invoice, Selection, SelectionItem
from domain.scope import Scope
from domain.states import Due, LinkStatus, ListFilter
from domain.summaries import Actor


def open_list(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    search: str,
    *,
    shape: PageShape,
    now: datetime,
) -> InvoiceList:
    """A list in which nothing is ticked, on its first page; nothing is written."""
    opened = Selection(**_opened(scope, actor, selection_id, search))
    return show(session, scope, opened, shape, now=now, is_written=False)


def show_list(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    *,
    shape: PageShape,
    now: datetime,
    opened_with: str | None = None,
) -> InvoiceList:
    """The page that the selection is on.

    ``opened_with``: the search of a list in which nothing was done yet, which isn't written down; None for others.
    Raises SelectionNotFound.
    """
    try:
        selection = get(session, scope, actor, selection_id)
    except SelectionNotFound:
        if opened_with is None or not is_made_for(actor, selection_id):
            raise
        return open_list(session, scope, actor, selection_id, opened_with, shape=shape, now=now)
    return show(session, scope, selection, shape, now=now)


def tick(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    *,
    revision: int,
    displayed: set[int],
    ticked: set[int],
    acted_at: str,
    opened_with: str | None,
    now: datetime,
) -> int:
    """Replace the ticks of the displayed page if nothing newer has been taken in; return how many the cap left out.

    ``acted_at`` orders what was done, and is empty for a submission, whose state wins. The caller has seen that the invoices are the organisation's.
    Raises SelectionNotFound.
    """
    if opened_with is not None:
        _write_down(session, scope, actor, selection_id, opened_with, now)
    selection = get(session, scope, actor, selection_id, lock=True)
    is_drawn = selection.revision == revision
    # A submission has no time of its own: its state wins, and what is ticked after it is newer again.
    if acted_at and not (is_drawn and _is_newer(acted_at, selection.last_action)):
        return 0
    selection.last_action = acted_at or selection.last_action
    selection.touched_at = now
    before = ticked_ids(session, selection.id)
    # What isn't ticked in a list that was submitted before Slack drew it as it is may have been ticked since.
    kept = before - (displayed - ticked) if is_drawn else before
    wanted = sorted((ticked & displayed) - before)
    added = wanted[: MOST_TICKED - len(kept)]
    _remove(session, selection, before - kept)
    _add(session, selection, added)
    left_out = len(wanted) - len(added)
    if left_out:
        selection.revision += 1
    return left_out


def select_page(
    session: Session, scope: Scope, actor: Actor, selection_id: int, *, shape: PageShape, now: datetime
) -> InvoiceList:
    selection = _touch(session, scope, actor, selection_id, now)
    page, _ = read_page(session, scope, selection, shape)
    before = ticked_ids(session, selection.id)
    wanted = [invoice.id for invoice in page if invoice.eligible and invoice.id not in before]
    added = wanted[: MOST_TICKED - len(before)]
    _add(session, selection, added)
    return show(session, scope, selection, shape, now=now, left_out=len(wanted) - len(added))


def clear(
    session: Session, scope: Scope, actor: Actor, selection_id: int, *, shape: PageShape, now: datetime
) -> InvoiceList:
    selection = _touch(session, scope, actor, selection_id, now)
    empty(session, selection)
    return show(session, scope, selection, shape, now=now)


def untick(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    *,
    invoice_id: int,
    shape: PageShape,
    now: datetime,
) -> InvoiceList:
    selection = _touch(session, scope, actor, selection_id, now)
    _remove(session, selection, {invoice_id})
    return show(session, scope, selection, shape, now=now)


def turn_page(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    *,
    forward: bool,
    revision: int,
    shape: PageShape,
    now: datetime,
) -> InvoiceList:
    selection = get(session, scope, actor, selection_id, lock=True)
    if selection.revision == revision:
        selection = _touch(session, scope, actor, selection_id, now)
        trail = trail_of(selection)
        if not forward:
            trail = trail[:-1]
        else:
            page, has_next = read_page(session, scope, selection, shape)
            if has_next:
                trail = [*trail, session.get_one(Invoice, page[-1].id).position]
        selection.trail = "\n".join(trail)
    return show(session, scope, selection, shape, now=now)


def narrow(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    *,
    filter: ListFilter | None,
    search: str,
    shape: PageShape,
    now: datetime,
) -> InvoiceList:
    selection = _touch(session, scope, actor, selection_id, now)
    overdue = filter is Due.OVERDUE
    selection.filter = filter if isinstance(filter, LinkStatus) else None
    selection.due_before = scope.today(now) if overdue else None
    selection.search, selection.trail = search[:200], ""
    return show(session, scope, selection, shape, now=now)


def start_over(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    *,
    fresh_id: int,
    shape: PageShape,
    now: datetime,
) -> InvoiceList:
    """Another list in its place: same search and filter, first page, nothing ticked.

    What comes late for the list as it was, a submission's repetition, doesn't reach this one. Raises SelectionNotFound.
    """
    before = get(session, scope, actor, selection_id)
    opened = _opened(scope, actor, fresh_id, before.search)
    drawn_anew = {
        "filter": before.filter,
        "revision": before.revision + 1,
        "due_before": before.due_before,
        "touched_at": now,
    }
    fresh = Selection(**opened | drawn_anew)
    session.add(fresh)
    session.flush()
    return show(session, scope, fresh, shape, now=now)


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
        "due_before": None,
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


def _is_newer(acted_at: str, than: str) -> bool:
    try:
        return not acted_at or not than or Decimal(acted_at) > Decimal(than)
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
        items = sa.delete(SelectionItem).where(SelectionItem.selection_id == selection.id)
        session.execute(items.where(SelectionItem.invoice_id.in_(ids)))
