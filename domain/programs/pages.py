"""Pages of invoices for programs, which go on where the last one ended whatever changes meanwhile.

In the order of their numbers, which never change; or, since a moment, in the order of their last changes, so that what
changes meanwhile comes once more at the end. In list order an invoice could move past the page.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.database import database_now
from domain.exceptions import listing
from domain.invoices import invoices
from domain.invoices.list_page import found_by
from domain.models import EPOCH, STATUS, Invoice, milliseconds
from domain.scope import Scope
from domain.states import LinkStatus
from domain.summaries import ExceptionSummary, InvoiceSummary

PAGE = 100
# Invoices that are walked past for a page: of few found among a million, a page has what was met so far.
WALKED = 20_000
# Longer than any transaction that notes a change takes to commit.
COMMITTED_WITHIN = timedelta(seconds=60)


class CursorUnreadable(Exception):
    """It isn't one that was given out for such a question."""


@dataclass(frozen=True)
class Question:
    """Which invoices; ``cursor`` is the last page's ``following``."""

    status: LinkStatus | None = None
    search: str = ""
    changed_since: datetime | None = None
    cursor: str | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether invoices are to be walked past."""
        return self.status is not None or self.search != ""


@dataclass(frozen=True)
class Shown:
    """An invoice, and what is open about it."""

    invoice: InvoiceSummary
    exceptions: tuple[ExceptionSummary, ...] = ()


@dataclass(frozen=True)
class InvoicePage:
    """``as_of``: asked what has changed since then, nothing is left out. ``following``: None after the last page."""

    invoices: tuple[Shown, ...]
    following: str | None
    as_of: datetime


def find_page(session: Session, scope: Scope, question: Question) -> InvoicePage:
    """Up to 100 of them, fewer where many had to be walked past. Raises CursorUnreadable."""
    as_of = database_now(session) - COMMITTED_WITHIN
    wanted = [found_by(session, scope.organisation_id, question.search)]
    if question.status is not None:
        # Not as the index of statuses has it, by which SQLite would look up and sort all of them for each page.
        wanted.append(sa.func.lower(Invoice.status) == STATUS.written(question.status).lower())
    walk = _by_number if question.changed_since is None else _by_change
    ids, following = walk(session, scope, question, wanted)
    known = {one.id: one for one in invoices.list_known(session, scope, ids)} if ids else {}
    opens = listing.open_of(session, scope, ids) if ids else {}
    shown = tuple(Shown(known[key], opens.get(key, ())) for key in ids)
    return InvoicePage(shown, following, as_of)


def _by_number(
    session: Session, scope: Scope, question: Question, wanted: list[sa.ColumnElement[bool]]
) -> tuple[list[int], str | None]:
    after = "" if question.cursor is None else _read(question.cursor, "number", str)[0]
    own = [Invoice.organisation_id == scope.organisation_id, Invoice.number_key > after]
    ahead = sa.select(Invoice.number_key).where(*own).order_by(Invoice.number_key)
    end = session.scalar(ahead.offset(WALKED).limit(1)) if question.is_narrow else None
    if end is not None:
        own.append(Invoice.number_key <= end)
    found = sa.select(Invoice.id, Invoice.number_key).where(*own, *wanted).order_by(Invoice.number_key)
    rows = session.execute(found.limit(PAGE + 1)).all()
    if len(rows) > PAGE:
        end = rows[PAGE - 1].number_key
    return [row.id for row in rows[:PAGE]], None if end is None else _write("number", end)


def _by_change(
    session: Session, scope: Scope, question: Question, wanted: list[sa.ColumnElement[bool]]
) -> tuple[list[int], str | None]:
    assert question.changed_since is not None
    at, key = question.changed_since, 0
    if question.cursor is not None:
        since, key = _read(question.cursor, "change", int, int)
        at = EPOCH + timedelta(milliseconds=since)
    own = [
        Invoice.organisation_id == scope.organisation_id,
        Invoice.changed_at >= at,
        sa.or_(Invoice.changed_at > at, Invoice.id > key),
    ]
    in_order = (Invoice.changed_at, Invoice.id)
    ahead = sa.select(Invoice.changed_at, Invoice.id).where(*own).order_by(*in_order)
    end = session.execute(ahead.offset(WALKED).limit(1)).one_or_none() if question.is_narrow else None
    if end is not None:
        last = sa.and_(Invoice.changed_at == end.changed_at, Invoice.id <= end.id)
        own += [Invoice.changed_at <= end.changed_at, sa.or_(Invoice.changed_at < end.changed_at, last)]
    found = sa.select(Invoice.changed_at, Invoice.id).where(*own, *wanted).order_by(*in_order)
    rows = session.execute(found.limit(PAGE + 1)).all()
    if len(rows) > PAGE:
        end = rows[PAGE - 1]
    following = None if end is None else _write("change", milliseconds(end.changed_at - EPOCH), end.id)
    return [row.id for row in rows[:PAGE]], following


def _write(kind: str, *place: str | int) -> str:
    written = json.dumps([kind, *place], ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(written).decode().rstrip("=")


def _read(cursor: str, kind: str, *types: type[str] | type[int]) -> list[Any]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        read = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise CursorUnreadable from None
    if not isinstance(read, list) or [type(one) for one in read[1:]] != list(types) or read[0] != kind:
        raise CursorUnreadable
    if not all(_is_storable(one) for one in read[1:]):
        raise CursorUnreadable
    return read[1:]


def _is_storable(value: str | int) -> bool:
    if isinstance(value, int):
        # Of instants, what a datetime can hold.
        return 0 <= value <= 253_402_300_799_000
    return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
