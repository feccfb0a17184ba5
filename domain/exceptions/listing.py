"""Looking at exceptions: the open ones of an organisation, and those of one invoice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.errors import ExceptionNotFound
from domain.exceptions.facts import read_facts
from domain.models import Base, Invoice, Link, Organisation, PaymentException
from domain.money import Money
from domain.scope import Scope
from domain.states import ExceptionKind
from domain.summaries import ExceptionPage, ExceptionSummary, Resolution

PAGE = 20
RESOLVED_SHOWN = timedelta(days=90)
MOST_OF_ONE = 20
"""Of one invoice, so many are shown of each kind."""

_EXCEPTIONS, _INVOICES = (Base.metadata.tables[model.__tablename__] for model in (PaymentException, Invoice))


def any_of_invoice() -> sa.Exists:
    """Whether an invoice that is read has any in the ``ledger`` that is bound: nearly always there are none."""
    return (
        sa.exists(_EXCEPTIONS.c.id)
        .where(_EXCEPTIONS.c.invoice_id == _INVOICES.c.id, _EXCEPTIONS.c.ledger_id == sa.bindparam("ledger"))
        .correlate(_INVOICES)
    )


def list_open(session: Session, scope: Scope, page: int = 0) -> ExceptionPage:
    """Those with a deadline first, then the oldest. A page beyond the last one is the last one."""
    total = count_open(session, scope)
    page = max(min(page, (total - 1) // PAGE), 0)
    found = session.execute(
        _rows()
        .where(*_open_in(scope))
        .order_by(
            PaymentException.due_by.is_(None),
            PaymentException.due_by,
            PaymentException.seen_at,
            PaymentException.id,
        )
        .offset(page * PAGE)
        .limit(PAGE)
    ).all()
    return ExceptionPage(_summaries(found), page, (page + 1) * PAGE < total, total, scope.rights)


def count_open(session: Session, scope: Scope) -> int:
    counted = sa.select(sa.func.count()).select_from(PaymentException)
    return session.scalar(counted.where(*_open_in(scope))) or 0


def count_kinds(session: Session, scope: Scope) -> tuple[tuple[ExceptionKind, int], ...]:
    """How many are open of each kind, the most first."""
    counted = sa.func.count().label("open")
    rows = session.execute(
        sa.select(PaymentException.kind, counted)
        .where(*_open_in(scope))
        .group_by(PaymentException.kind)
        .order_by(counted.desc(), PaymentException.kind)
    )
    return tuple((kind, number) for kind, number in rows)


def list_due(session: Session, scope: Scope, limit: int) -> tuple[ExceptionSummary, ...]:
    """The open ones to which an answer is due, the nearest deadline first."""
    found = _rows().where(*_open_in(scope), PaymentException.due_by.is_not(None))
    return _summaries(session.execute(found.order_by(PaymentException.due_by).limit(limit)).all())


def get(session: Session, scope: Scope, exception_id: int) -> ExceptionSummary:
    """Open or resolved. Raises ExceptionNotFound: unknown, or another organisation's."""
    own = PaymentException.organisation_id == scope.organisation_id
    row = session.execute(_rows().where(PaymentException.id == exception_id, own)).first()
    if row is None:
        raise ExceptionNotFound(f"exception {exception_id}")
    return _summarise(*row)


def summarise(session: Session, exception_id: int) -> ExceptionSummary:
    """Whoever's it is: for the message that tells of it."""
    return _summarise(*session.execute(_rows().where(PaymentException.id == exception_id)).one())


def find(session: Session, exception_id: int) -> tuple[str, ExceptionSummary]:
    """For operators: with its organisation's team id. Raises ExceptionNotFound."""
    found = _rows(Organisation.team_id).join(
        Organisation, Organisation.id == PaymentException.organisation_id
    )
    row = session.execute(found.where(PaymentException.id == exception_id)).first()
    if row is None:
        raise ExceptionNotFound(f"exception {exception_id}")
    *rest, team_id = row
    return team_id, _summarise(*rest)


def of_invoice(
    session: Session, scope: Scope, invoice_id: int, now: datetime
) -> tuple[tuple[ExceptionSummary, ...], tuple[ExceptionSummary, ...]]:
    """The open ones, the oldest first, and those resolved in the last 90 days, the latest first; 20 of each at most."""
    of_invoice = _rows().where(
        PaymentException.invoice_id == invoice_id, PaymentException.ledger_id == scope.ledger_id
    )
    still = of_invoice.where(PaymentException.resolved_at.is_(None)).order_by(PaymentException.id)
    ended = of_invoice.where(PaymentException.resolved_at > now - RESOLVED_SHOWN).order_by(
        PaymentException.resolved_at.desc(), PaymentException.id.desc()
    )
    return (
        _summaries(session.execute(still.limit(MOST_OF_ONE)).all()),
        _summaries(session.execute(ended.limit(MOST_OF_ONE)).all()),
    )


def open_of(
    session: Session, scope: Scope, invoice_ids: Sequence[int]
) -> dict[int, tuple[ExceptionSummary, ...]]:
    """The open ones of these invoices, by invoice, the oldest first."""
    found = _rows().where(
        PaymentException.invoice_id.in_(invoice_ids),
        PaymentException.ledger_id == scope.ledger_id,
        PaymentException.resolved_at.is_(None),
    )
    by_invoice: dict[int, tuple[ExceptionSummary, ...]] = {}
    for one in _summaries(session.execute(found.order_by(PaymentException.id)).all()):
        if one.invoice_id is not None:
            by_invoice[one.invoice_id] = (*by_invoice.get(one.invoice_id, ()), one)
    return by_invoice


def of_batch(session: Session, batch: str, limit: int) -> tuple[tuple[ExceptionSummary, ...], int]:
    """The first of those that an import opened, and how many there are."""
    in_batch = PaymentException.batch == batch
    counted = sa.select(sa.func.count()).select_from(PaymentException).where(in_batch)
    first = session.execute(_rows().where(in_batch).order_by(PaymentException.id).limit(limit)).all()
    return _summaries(first), session.scalar(counted) or 0


def list_all(session: Session, team_id: str | None, *, resolved: bool) -> list[tuple[str, ExceptionSummary]]:
    """For operators, with their organisations' team ids: the open ones, or with ``resolved`` all; the oldest first."""
    found = _rows(Organisation.team_id).join(
        Organisation, Organisation.id == PaymentException.organisation_id
    )
    if team_id is not None:
        found = found.where(Organisation.team_id == team_id)
    if not resolved:
        found = found.where(PaymentException.resolved_at.is_(None))
    rows = session.execute(found.order_by(PaymentException.id))
    return [(team, _summarise(*row)) for *row, team in rows]


def _rows(*more: Any) -> sa.Select[Any]:
    return (
        sa.select(PaymentException, Invoice.buyer_name, Link.amount, Link.currency, *more)
        .select_from(PaymentException)
        .outerjoin(Invoice, Invoice.id == PaymentException.invoice_id)
        .outerjoin(Link, Link.id == PaymentException.link_id)
    )


def _open_in(scope: Scope) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        PaymentException.organisation_id == scope.organisation_id,
        PaymentException.ledger_id == scope.ledger_id,
        PaymentException.resolved_at.is_(None),
    )


def _summaries(rows: Sequence[Any]) -> tuple[ExceptionSummary, ...]:
    return tuple(_summarise(*row) for row in rows)


def _summarise(
    row: PaymentException, buyer_name: str | None, asked: int | None, asked_in: str | None
) -> ExceptionSummary:
    facts = read_facts(row.facts)
    if facts.expected is None and asked is not None and asked_in is not None:
        facts = replace(facts, expected=Money(asked, asked_in))
    resolution = None
    if row.resolved_at is not None:
        resolution = Resolution(row.resolved_at, row.resolved_by or "", row.resolution or "")
    return ExceptionSummary(
        id=row.id,
        kind=row.kind,
        seen_at=row.seen_at,
        amount=Money(row.amount, row.currency) if row.currency else None,
        facts=facts,
        invoice_id=row.invoice_id,
        number=row.invoice_number,
        buyer_name=buyer_name,
        stripe_object=row.stripe_object,
        due_by=row.due_by,
        resolution=resolution,
    )
