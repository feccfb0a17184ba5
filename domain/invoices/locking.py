"""One order of locks: an invoice, then its link, then what there is of exceptions. So nobody waits for each other."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Invoice, Link


def lock_invoice(session: Session, invoice_id: int | sa.ScalarSelect[int]) -> None:
    """As strictly as what refers to it allows: its id never changes."""
    session.execute(sa.select(Invoice.id).where(Invoice.id == invoice_id).with_for_update(key_share=True))


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
