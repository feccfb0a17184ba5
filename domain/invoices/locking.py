"""One order of locks: an invoice, then its link, then what there is of exceptions. So nobody waits for each other."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import database_clock
from domain.errors import InvoiceNotFound
from domain.models import Invoice, Link, Organisation
from domain.scope import Scope


def lock_invoice(session: Session, invoice_id: int | sa.ScalarSelect[int]) -> None:
    """As strictly as what refers to it allows: its id never changes."""
    session.execute(sa.select(Invoice.id).where(Invoice.id == invoice_id).with_for_update(key_share=True))


def lock_own(session: Session, scope: Scope, invoice_id: int) -> tuple[Invoice, Organisation]:
    """The invoice, locked against whoever else would reserve its link. Raises InvoiceNotFound."""
    row = session.execute(
        sa.select(Invoice, Organisation)
        .join(Organisation, Organisation.id == Invoice.organisation_id)
        .where(Invoice.id == invoice_id, Organisation.id == scope.organisation_id)
        .with_for_update(of=Invoice, key_share=True)
    ).first()
    if row is None:
        raise InvoiceNotFound(f"invoice {invoice_id}")
    return row[0], row[1]


def lock_link(session: Session, *conditions: sa.ColumnElement[bool]) -> Link | None:
    """The one link for which these are so, with its invoice; both are read anew."""
    invoice_id = sa.select(Link.invoice_id).where(*conditions).scalar_subquery()
    lock_invoice(session, invoice_id)
    found = sa.select(Link).where(*conditions).with_for_update()
    return session.scalar(found.execution_options(populate_existing=True))


def lock_links(session: Session, *conditions: sa.ColumnElement[bool]) -> None:
    """All links for which these are so, with their invoices, each by id."""
    links = sa.select(Link).where(*conditions)
    ids = session.scalars(links.with_only_columns(Link.invoice_id)).all()
    invoices = sa.select(Invoice.id).where(Invoice.id.in_(ids)).order_by(Invoice.id)
    session.execute(invoices.with_for_update(key_share=True))
    session.execute(links.order_by(Link.id).with_for_update())


def mark_changed(session: Session, invoice_id: int) -> None:
    """What isn't written in its own row has changed: programs that ask what has since are shown it again. The caller holds it."""
    session.execute(
        sa.update(Invoice).where(Invoice.id == invoice_id).values(changed_at=database_clock()),
        execution_options={"synchronize_session": False},
    )
