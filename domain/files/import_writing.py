"""Writing a chunk of imported invoices in one transaction, a few statements however many rows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import database_now, insert_into
from domain.errors import DatabaseUnavailable
from domain.files.import_exceptions import Difference, Importing, note_differences
from domain.files.import_fields import ImportedInvoice
from domain.files.import_matching import COMPARED, NUMBER, Doubtful, Known, find_known
from domain.invoices.eligibility import own_reason
from domain.invoices.list_position import position, standing
from domain.invoices.numbers.folding import fold_some, lock_numbers
from domain.invoices.numbers.keys import identity_of, written_key
from domain.invoices.search_terms import own_terms
from domain.models import EPOCH, STATUS, Invoice, Link, Organisation, SearchTerm, milliseconds
from domain.money import Money
from domain.states import LinkState, LinkStatus

_WRITTEN = ("organisation_id", *NUMBER, "status", "position", "changed_at", *COMPARED)
_WRITTEN_ONCE = ("organisation_id", *NUMBER)
_compared = attrgetter(*COMPARED)
# Core's statements: the ORM's bulk inserts take eleven times as long.
_invoices = cast(sa.Table, Invoice.__table__)
_terms = cast(sa.Table, SearchTerm.__table__)
# What a chunk touches has room in it: pages that are put out before the end of the transaction are written twice.
_SQLITE_CACHE_KIBIBYTES = 32 * 1024
# Of so many it isn't worth it, and the connection would hold on to it.
_FEW_ROWS = 1_000
# In one statement; few enough for its places, and for it to be kept compiled.
_SQLITE_ROWS = 500


Number = tuple[str, str, str | None]


@dataclass(frozen=True)
class Changes:
    """What became of the rows: how many, and of which numbers' keys."""

    new_keys: frozenset[str]
    updated_keys: frozenset[str]
    unchanged: int
    doubtful: tuple[Doubtful, ...] = ()
    """Nothing is done about them."""

    @property
    def new(self) -> int:
        return len(self.new_keys)

    @property
    def updated(self) -> int:
        return len(self.updated_keys)


@dataclass(frozen=True)
class Comparison:
    """Rows that would be inserted, and those that would be updated: as they would be, as they are, and their ids."""

    fresh: list[ImportedInvoice]
    changed: list[tuple[ImportedInvoice, ImportedInvoice, int]]
    doubtful: list[Doubtful]


def write_rows(
    session: Session,
    organisation_id: int,
    rows: list[ImportedInvoice],
    buyer_terms: Mapping[str, frozenset[str]],
    importing: Importing | None,
) -> Changes:
    """Insert or update these invoices, whose numbers' keys differ; leave alone what hasn't changed.

    ``buyer_terms`` are those that the rows' buyers share, by name, of all that may not have theirs yet.
    The status and the position follow from the row and its link in the current ledger; no link is touched, but
    one that waits for payment and asks for something else is an exception. Without ``importing`` nothing is written.
    """
    dry_run = importing is None
    if not dry_run:
        if session.get_bind().dialect.name == "sqlite" and len(rows) > _FEW_ROWS:
            session.execute(sa.text(f"PRAGMA cache_size = -{_SQLITE_CACHE_KIBIBYTES}"))
        # Another import of this organisation waits here, so nobody inserts between the look and the write.
        lock_numbers(session, organisation_id)
        while fold_some(session, organisation_id):
            pass
    known, doubtful = find_known(session, organisation_id, rows, lock=not dry_run)
    unclear = {one.row.number_key for one in doubtful}
    fresh = [row for row in rows if row.number_key not in known and row.number_key not in unclear]
    changed = [row for row in rows if (old := known.get(row.number_key)) is not None and _differs(row, old)]
    if importing is not None:
        _insert(session, organisation_id, fresh)
        _update(session, organisation_id, changed, known)
        note_differences(session, [_difference(row, known[row.number_key]) for row in changed], importing)
        if buyer_terms:
            _insert_buyer_terms(session, organisation_id, buyer_terms)
    return Changes(
        frozenset(row.number_key for row in fresh),
        frozenset(row.number_key for row in changed),
        len(rows) - len(fresh) - len(changed) - len(doubtful),
        tuple(doubtful),
    )


def compare_rows(session: Session, organisation_id: int, rows: list[ImportedInvoice]) -> Comparison:
    """What write_rows would do."""
    known, doubtful = find_known(session, organisation_id, rows, lock=False)
    unclear = {one.row.number_key for one in doubtful}
    fresh = [row for row in rows if row.number_key not in known and row.number_key not in unclear]
    changed = [
        (row, replace(row, number=old.number, **{name: getattr(old, name) for name in COMPARED}), old.id)
        for row in rows
        if (old := known.get(row.number_key)) is not None and _differs(row, old)
    ]
    return Comparison(fresh, changed, doubtful)


def _differs(row: ImportedInvoice, old: sa.Row[Any]) -> bool:
    return bool(_compared(row) != _compared(old))


def _difference(row: ImportedInvoice, old: sa.Row[Any]) -> Difference:
    return Difference(
        old.id,
        row,
        was=(old.amount, old.currency),
        amount_changed=(row.amount, row.currency) != (old.amount, old.currency),
        state_changed=row.billing_state != old.billing_state,
    )


def _insert(session: Session, organisation_id: int, rows: list[ImportedInvoice]) -> None:
    if not rows:
        return
    ids = _reserve_ids(session, len(rows))
    now = database_now(session)
    numbers = [_number(row) for row in rows]
    # What _written would say of each, as the driver puts it into the columns.
    status, changed = STATUS.written(LinkStatus.NOT_CREATED), milliseconds(now - EPOCH)
    invoices = [
        (invoice_id, organisation_id, *number, status, _place(row, number[1]), changed, *_compared(row))
        for invoice_id, row, number in zip(ids, rows, numbers, strict=True)
    ]
    insert_many(session, "invoices", ("id", *_WRITTEN), invoices)
    found_by = (
        (invoice_id, number[1], row.buyer_name)
        for invoice_id, row, number in zip(ids, rows, numbers, strict=True)
    )
    _insert_terms(session, organisation_id, found_by)


def _reserve_ids(session: Session, count: int) -> Sequence[int]:
    """The ids of the next invoices: reading them after the insert takes as long as looking for all the numbers."""
    if session.get_bind().dialect.name == "sqlite":
        # Nobody else writes until the end of this transaction.
        last: int = session.execute(sa.text("SELECT coalesce(max(id), 0) FROM invoices")).scalar_one()
        return range(last + 1, last + 1 + count)
    # Which sequence it is would be looked up for each of them.
    reserved = sa.text(
        "SELECT array_agg(nextval(ids)) FROM generate_series(1, :count), "
        "(SELECT CAST(pg_get_serial_sequence('invoices', 'id') AS REGCLASS) AS ids OFFSET 0) AS sequence"
    )
    ids: list[int] = session.execute(reserved, {"count": count}).scalar_one()
    return ids


def _update(session: Session, organisation_id: int, rows: list[ImportedInvoice], known: Known) -> None:
    if not rows:
        return
    ids = [known[row.number_key].id for row in rows]
    links = {
        link.invoice_id: link
        for link in session.execute(
            sa.select(Link.invoice_id, Link.state, Link.status)
            .join(Organisation, Organisation.ledger_id == Link.ledger_id)
            .where(Organisation.id == organisation_id, Link.invoice_id.in_(ids))
        )
    }
    values = []
    now = database_now(session)
    for invoice_id, row in zip(ids, rows, strict=True):
        link = links.get(invoice_id)
        state, status = (None, LinkStatus.NOT_CREATED) if link is None else (link.state, link.status)
        old = known[row.number_key]
        number = (old.number, old.number_key, old.identity)
        written = zip(_WRITTEN, _written(organisation_id, row, number, state, status, now), strict=True)
        values.append({"id": invoice_id, **dict(written)})
    statement = insert_into(session, _invoices)
    # All the rows exist and are locked: this is an update of many rows in one statement.
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={name: statement.excluded[name] for name in _WRITTEN if name not in _WRITTEN_ONCE},
        ),
        values,
    )
    renamed = [
        (old.id, old.number_key, row.buyer_name)
        for row in rows
        if (old := known[row.number_key]).buyer_name != row.buyer_name
    ]
    # Those of the name before stay: another of its invoices may come, and to this one they don't lead.
    session.execute(
        sa.delete(_terms).where(_terms.c.invoice_id.in_([invoice_id for invoice_id, _, _ in renamed]))
    )
    _insert_terms(session, organisation_id, renamed)


def _insert_terms(session: Session, organisation_id: int, rows: Iterable[tuple[int, str, str]]) -> None:
    """``rows``: ids, the column ``number_key`` and the buyer's names."""
    terms = [
        (organisation_id, term, invoice_id)
        for invoice_id, number_key, buyer_name in rows
        for term in own_terms(number_key, buyer_name)
    ]
    insert_many(session, "search_terms", ("organisation_id", "term", "invoice_id"), terms)


def _insert_buyer_terms(session: Session, organisation_id: int, terms: Mapping[str, frozenset[str]]) -> None:
    """Those that aren't there yet."""
    # In the index's order, each of its pages is touched once.
    rows = sorted((term, name) for name, begins in terms.items() for term in begins)
    if session.get_bind().dialect.name == "sqlite":
        # The condition says that what follows is no part of a join.
        given = "json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:rows) WHERE true"
        values: dict[str, Any] = {"rows": json.dumps(rows)}
    else:
        given = "* FROM unnest(CAST(:terms AS TEXT[]), CAST(:names AS TEXT[]))"
        values = {"terms": [term for term, _ in rows], "names": [name for _, name in rows]}
    session.execute(
        sa.text(
            "INSERT INTO buyer_terms (organisation_id, term, buyer_name) "
            f"SELECT CAST(:own AS BIGINT), {given} ON CONFLICT DO NOTHING"
        ),
        {"own": organisation_id, **values},
    )


def insert_many(
    session: Session, table: str, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert by the driver's own fast way: compiling statements of many small rows takes longer than writing them."""
    if not rows:
        return
    connection = session.connection()
    names = ", ".join(columns)
    if connection.dialect.name == "sqlite":
        # A statement for each row would wait for Python's lock, which the reading thread has, each time.
        place = f"({', '.join('?' * len(columns))})"
        for at in range(0, len(rows), _SQLITE_ROWS):
            some = rows[at : at + _SQLITE_ROWS]
            places = ", ".join([place] * len(some))
            values = tuple([value for row in some for value in row])
            connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES {places}", values)  # noqa: S608
        return
    import psycopg

    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    try:
        with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(type(error).__name__) from error


def _place(row: ImportedInvoice, number_key: str) -> str:
    """In list order, of one that has no link."""
    eligible = own_reason(Money(row.amount, row.currency), row.billing_state) is None
    return position(eligible=eligible, due_date=row.due_date, number_key=number_key)


def _number(row: ImportedInvoice) -> Number:
    if row.number.isascii() and "  " not in row.number:
        return row.number, row.number_key, None  # nearly all are so
    return row.number, written_key(row.number), identity_of(row.number)


def _written(
    organisation_id: int,
    row: ImportedInvoice,
    number: Number,
    link_state: LinkState | None,
    link_status: LinkStatus,
    now: datetime,
) -> tuple[Any, ...]:
    """The row's values of the columns ``_WRITTEN``, ``number`` being those of ``_NUMBER``."""
    status, eligible = standing(Money(row.amount, row.currency), link_state, link_status, row.billing_state)
    place = position(eligible=eligible, due_date=row.due_date, number_key=number[1])
    return organisation_id, *number, status, place, now, *_compared(row)
