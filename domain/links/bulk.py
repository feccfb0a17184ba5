"""Bulk runs: up to 100 invoices, each reserved in the one transaction that commits the run, then created by
domain/links/creation.py like any other link. What became of each stands on its item (domain/links/run_results.py)."""

import hashlib
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain import audit
from domain.audit import Deed
from domain.database import database_now
from domain.errors import (
    AmountsChanged,
    NotEligible,
    NothingSelected,
    SelectionChanged,
)
from domain.invoices import invoices
from domain.invoices.list_position import existing_reason
from domain.links import reserving
from domain.links.bulk_progress import finish_if_settled
from domain.links.intents import Chosen, Reservation, find_existing, lock_invoices
from domain.links.run_results import get, is_for_good, summarise
from domain.lists import selections
from domain.lists.summaries import Confirmation
from domain.models import Base, BulkRun, BulkRunItem, Invoice, Link, Organisation, SelectionItem
from domain.money import Money
from domain.reasons import Reason
from domain.rows_given import given, over
from domain.scope import Scope
from domain.states import Outcome
from domain.summaries import Actor, BulkItem, BulkResult

_ITEMS = Base.metadata.tables[BulkRunItem.__tablename__]
_TICKED = Base.metadata.tables[SelectionItem.__tablename__]
_Seen = dict[int, tuple[int | None, str | None]]
"""The amounts that somebody was shown, by invoice."""


_SEEN = sa.select(_TICKED.c.invoice_id, _TICKED.c.amount, _TICKED.c.currency).where(
    _TICKED.c.selection_id == sa.bindparam("selection")
)
_ADD_ITEMS = over(
    {
        "ordinal": sa.Integer,
        "invoice_id": sa.BigInteger,
        "link_id": sa.BigInteger,
        "outcome": sa.Text,
        "reason": sa.Text,
    },
    lambda given: sa.insert(_ITEMS).from_select(
        ["run_id", *(column.name for column in given.c)],
        sa.select(sa.bindparam("run", type_=_ITEMS.c.run_id.type), *given.c),
    ),
)
_BEGUN = sa.select(BulkRun).where(
    BulkRun.submission == sa.bindparam("of"), BulkRun.organisation_id == sa.bindparam("own")
)


def confirm(
    session: Session, scope: Scope, actor: Actor, selection_id: int, *, now: datetime
) -> Confirmation:
    """What Create would do with what is ticked; writes down the amounts that the person is shown.

    Raises NothingSelected, SelectionNotFound, and NotEligible with ADD_ON_MISSING.
    """
    selection = selections.get(session, scope, actor, selection_id, lock=True)
    _require_add_on(session, scope)
    items = _items(session, selection.id)
    if not items:
        raise NothingSelected
    found = invoices.list_known(session, scope, items)
    changed = []
    for invoice in found:
        item = items[invoice.id]
        if item.amount is not None and (item.amount, item.currency) != _pair(invoice.amount):
            changed.append(invoice.number)
        item.amount, item.currency = _pair(invoice.amount)
    selection.touched_at = now
    targets = tuple(invoice for invoice in found if invoice.eligible)
    return Confirmation(
        selection_id=selection.id,
        targets=targets,
        skipped=tuple(invoice for invoice in found if not invoice.eligible),
        totals=invoices.totals(targets),
        livemode=scope.livemode,
        seal=_seal({key: (one.amount, one.currency) for key, one in items.items()}, scope.livemode),
        changed=tuple(changed),
    )


def start(
    session: Session,
    scope: Scope,
    actor: Actor,
    selection_id: int,
    *,
    seal: str,
    submission: str,
    view_id: str | None,
    now: datetime,
) -> BulkResult:
    """Commit a bulk run of what is ticked, and tick nothing any more; what ``submission`` began already is returned.

    ``seal`` is that of the confirmation. Raises SelectionChanged and AmountsChanged (nothing was started),
    NothingSelected, SelectionNotFound, NotEligible with ADD_ON_MISSING, LedgerChanged.
    """
    selection = selections.get(session, scope, actor, selection_id, lock=True)
    begun = _begun(session, scope, submission)
    if begun is not None:
        return begun
    items = session.execute(_SEEN, {"selection": selection.id}).all()
    if not items:
        raise NothingSelected
    seen = {key: (amount, currency) for key, amount, currency in items}
    if _seal(seen, scope.livemode) != seal:
        raise SelectionChanged
    result = _begin(
        session, scope, actor, seen, submission=submission, view_id=view_id, now=now, deed=Deed.RUN_STARTED
    )
    selections.empty(session, selection)
    selection.revision += 1
    return result


def retry_failed(
    session: Session,
    scope: Scope,
    actor: Actor,
    run_id: int,
    *,
    submission: str,
    view_id: str | None,
    now: datetime,
) -> BulkResult:
    """Commit a run of what failed in that one, with the amounts that were asked for then.

    Raises AmountsChanged (nothing was started), RunNotFound, RunOfOtherMode, NothingSelected, NotEligible with
    ADD_ON_MISSING, LedgerChanged.
    """
    run = get(session, scope, run_id, lock=True)
    begun = _begun(session, scope, submission)
    if begun is not None:
        return begun
    seen = _failed(session, run)
    return _begin(
        session, scope, actor, seen, submission=submission, view_id=view_id, now=now, deed=Deed.RUN_RETRIED
    )


def confirm_failed(
    session: Session,
    scope: Scope,
    actor: Actor,
    run_id: int,
    selection_id: int,
    *,
    now: datetime,
) -> Confirmation:
    """What failed in that run, ticked in a selection of its own. Raises as retry_failed and confirm do."""
    run = get(session, scope, run_id)
    selections.write_down_ticked(session, scope, actor, selection_id, sorted(_failed(session, run)), now)
    return confirm(session, scope, actor, selection_id, now=now)


def _begin(
    session: Session,
    scope: Scope,
    actor: Actor,
    seen: _Seen,
    *,
    submission: str,
    view_id: str | None,
    now: datetime,
    deed: Deed,
) -> BulkResult:
    """Reserve what is eligible, note what is skipped, and commit to both. Raises AmountsChanged."""
    organisation = _require_add_on(session, scope)
    reserving.require_current(session, scope)
    chosen = lock_invoices(session, scope, seen)
    existing = find_existing(session, scope, seen)
    changed = [
        invoice.number
        for invoice in chosen
        if seen[invoice.id] != (invoice.amount, invoice.currency)
        and existing_reason(existing.get(invoice.id)) is None
    ]
    if changed:
        raise AmountsChanged(tuple(changed))
    run = BulkRun(
        organisation_id=scope.organisation_id,
        ledger_id=scope.ledger_id,
        submission=submission,
        requested_by=actor.user_id,
        requested_at=now,
        view_id=view_id,
    )
    session.add(run)
    clock = database_now(session)
    outcomes = reserving.reserve(
        session, scope, chosen, organisation, existing, Reservation(actor, now, clock)
    )
    session.flush()
    audit.record(
        session,
        deed,
        f"run {run.id}",
        by=actor,
        now=now,
        organisation_id=scope.organisation_id,
        after=f"{sum(isinstance(one, int) for one in outcomes.values())} of {len(chosen)}",
    )
    items = [_begun_as(invoice, outcomes[invoice.id]) for invoice in chosen]
    kept = [_kept(ordinal, item, outcomes[item.invoice_id]) for ordinal, item in enumerate(items)]
    session.execute(_ADD_ITEMS(session), {"run": run.id} | given(kept))
    begun = BulkResult(run.id, run.organisation_id, run.requested_by, now, tuple(items), view_id)
    if begun.final:
        finish_if_settled(session, run.id, now)
    return begun


def _begun_as(invoice: Chosen, outcome: int | Reason) -> BulkItem:
    """What becomes of a reserved link, or the reason why there is none."""
    if isinstance(outcome, Reason):
        return BulkItem(invoice.id, invoice.number, Outcome.SKIPPED, outcome)
    return BulkItem(invoice.id, invoice.number, Outcome.BEING_CREATED)


def _kept(ordinal: int, item: BulkItem, outcome: int | Reason) -> dict[str, int | str | None]:
    return {
        "ordinal": ordinal,
        "invoice_id": item.invoice_id,
        "link_id": None if isinstance(outcome, Reason) else outcome,
        "outcome": item.outcome.value,
        "reason": item.reason and item.reason.value,
    }


def _failed(session: Session, run: BulkRun) -> _Seen:
    """The invoices that failed in it and needn't fail again, with the amounts that were asked for. Raises NothingSelected."""
    failed = session.execute(
        sa.select(BulkRunItem.invoice_id, Link.amount, Link.currency)
        .join(Link, Link.id == BulkRunItem.link_id)
        .join(Invoice, Invoice.id == BulkRunItem.invoice_id)
        .where(
            BulkRunItem.run_id == run.id,
            BulkRunItem.outcome == Outcome.FAILED,
            sa.not_(sa.func.coalesce(is_for_good, sa.false())),
        )
    )
    seen: _Seen = {key: (amount, currency) for key, amount, currency in failed}
    if not seen:
        raise NothingSelected
    return seen


def _begun(session: Session, scope: Scope, submission: str) -> BulkResult | None:
    """The run that the same submission began, when Slack delivers it twice."""
    run = session.scalar(_BEGUN, {"of": submission, "own": scope.organisation_id})
    return None if run is None else summarise(session, run)


def _require_add_on(session: Session, scope: Scope) -> Organisation:
    organisation = session.get_one(Organisation, scope.organisation_id)
    if not organisation.add_on:
        raise NotEligible("", Reason.ADD_ON_MISSING)
    reserving.require_connected(scope)
    return organisation


def _items(session: Session, selection_id: int) -> dict[int, SelectionItem]:
    found = session.scalars(sa.select(SelectionItem).where(SelectionItem.selection_id == selection_id))
    return {item.invoice_id: item for item in found}


def _seal(seen: _Seen, livemode: bool) -> str:
    shown = sorted((key, *pair) for key, pair in seen.items())
    return hashlib.sha256(repr((livemode, shown)).encode()).hexdigest()[:16]


def _pair(money: Money) -> tuple[int, str]:
    return money.amount, money.currency
