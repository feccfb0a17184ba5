"""Writing a chunk of imported invoices in one transaction, a few statements however many rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import insert_into
from domain.errors import DatabaseUnavailable
from domain.import_fields import ImportedInvoice
from domain.models import Invoice, Ledger, Link, Organisation, SearchTerm
from domain.money import Money
from domain.search_terms import terms_of
from domain.standing import position, standing

_COMPARED = (
    "number",
    "buyer_name",
    "buyer_email",
    "amount",
    "currency",
    "issue_date",
    "due_date",
    "description",
)
# Core's statements: the ORM's bulk inserts take eleven times as long.
_invoices = cast(sa.Table, Invoice.__table__)
_terms = cast(sa.Table, SearchTerm.__table__)


@dataclass(frozen=True)
class Changes:
    new: int
    updated: int
    unchanged: int


def write_rows(
    session: Session, organisation_id: int, rows: list[ImportedInvoice], dry_run: bool = False
) -> Changes:
    """Insert or update these invoices, whose numbers differ; leave alone what hasn't changed.

    The status and the position follow from the row and its link in the current ledger; no link is touched.
    """
    if not dry_run:
        if session.get_bind().dialect.name == "postgresql":
            # Safe, since the import's last transaction waits for the disk, and for all that was written before.
            session.execute(sa.text("SET LOCAL synchronous_commit = off"))
        # Another import of this organisation waits here, so nobody inserts between the look and the write.
        session.execute(
            sa.select(Organisation.id)
            .where(Organisation.id == organisation_id)
            .with_for_update(key_share=True)
        )
    known = _known(session, organisation_id, [row.number_key for row in rows], lock=not dry_run)
    fresh = [row for row in rows if row.number_key not in known]
    changed = [row for row in rows if (old := known.get(row.number_key)) is not None and _differs(row, old)]
    if not dry_run:
        _insert(session, organisation_id, fresh)
        _update(session, organisation_id, changed, known)
    return Changes(len(fresh), len(changed), len(rows) - len(fresh) - len(changed))


def _known(session: Session, organisation_id: int, keys: list[str], *, lock: bool) -> dict[str, sa.Row[Any]]:
    query = (
        sa.select(_invoices.c.id, _invoices.c.number_key, *(_invoices.c[name] for name in _COMPARED))
        .where(_invoices.c.organisation_id == organisation_id, _invoices.c.number_key.in_(keys))
        .order_by(_invoices.c.id)
    )
    # A link that is being reserved is either seen below or sees the new amount: it locks the invoice as well.
    found = session.execute(query.with_for_update() if lock else query)
    return {row.number_key: row for row in found}


def _differs(row: ImportedInvoice, old: sa.Row[Any]) -> bool:
    return any(getattr(row, name) != getattr(old, name) for name in _COMPARED)


def _insert(session: Session, organisation_id: int, rows: list[ImportedInvoice]) -> None:
    if not rows:
        return
    values = [_values(organisation_id, row, None, "") for row in rows]
    insert_many(session, "invoices", tuple(values[0]), [tuple(value.values()) for value in values])
    made = session.execute(
        sa.select(_invoices.c.number_key, _invoices.c.id).where(
            _invoices.c.organisation_id == organisation_id,
            _invoices.c.number_key.in_([row.number_key for row in rows]),
        )
    )
    ids = {row.number_key: row.id for row in made}
    _insert_terms(session, organisation_id, [(ids[row.number_key], row) for row in rows])


def _update(
    session: Session, organisation_id: int, rows: list[ImportedInvoice], known: dict[str, sa.Row[Any]]
) -> None:
    if not rows:
        return
    ids = [known[row.number_key].id for row in rows]
    links = {
        link.invoice_id: link
        for link in session.execute(
            sa.select(Link.invoice_id, Link.state, Link.status)
            .join(Ledger, Ledger.id == Link.ledger_id)
            .where(Ledger.current, Link.invoice_id.in_(ids))
        )
    }
    values = []
    for invoice_id, row in zip(ids, rows, strict=True):
        link = links.get(invoice_id)
        state, status = (None, "") if link is None else (link.state, link.status)
        values.append({"id": invoice_id, **_values(organisation_id, row, state, status)})
    statement = insert_into(session, _invoices)
    # All the rows exist and are locked: this is an update of many rows in one statement.
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={name: statement.excluded[name] for name in (*_COMPARED, "status", "position")},
        ),
        values,
    )
    renamed = [
        (invoice_id, row)
        for invoice_id, row in zip(ids, rows, strict=True)
        if known[row.number_key].buyer_name != row.buyer_name
    ]
    session.execute(
        sa.delete(_terms).where(_terms.c.invoice_id.in_([invoice_id for invoice_id, _ in renamed]))
    )
    _insert_terms(session, organisation_id, renamed)


def _insert_terms(session: Session, organisation_id: int, rows: list[tuple[int, ImportedInvoice]]) -> None:
    # In the index's order, each of its pages is touched once.
    terms = sorted(
        (organisation_id, term, invoice_id)
        for invoice_id, row in rows
        for term in terms_of(row.number_key, row.buyer_name)
    )
    insert_many(session, "search_terms", ("organisation_id", "term", "invoice_id"), terms)


def insert_many(
    session: Session, table: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert by the driver's own fast way: compiling statements of many small rows takes longer than writing them."""
    connection = session.connection()
    names = ", ".join(columns)
    if connection.dialect.name == "sqlite":
        if rows:
            places = ", ".join("?" * len(columns))
            connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({places})", list(rows))  # noqa: S608
        return
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(type(error).__name__) from error


def _values(
    organisation_id: int, row: ImportedInvoice, link_state: str | None, link_status: str
) -> dict[str, Any]:
    status, eligible = standing(Money(row.amount, row.currency), link_state, link_status)
    place = position(eligible=eligible, due_date=row.due_date, number_key=row.number_key)
    return {
        "organisation_id": organisation_id,
        "number_key": row.number_key,
        "status": status,
        "position": place,
        **{name: getattr(row, name) for name in _COMPARED},
    }
