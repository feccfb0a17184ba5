"""Which of the organisation's invoices the rows of an import mean: by their numbers, however these are written."""

import json
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.files.import_fields import ImportedInvoice, Problem
from domain.files.reading.records import BadLine
from domain.invoices.numbers.keys import written_key
from domain.invoices.numbers.twins import are_any, choose, has_identities, key_of
from domain.models import Invoice

COMPARED = (
    "buyer_name",
    "buyer_email",
    "amount",
    "currency",
    "issue_date",
    "due_date",
    "description",
    "billing_state",
)
NUMBER = ("number", "number_key", "identity")
"""Written once: a number stays as it was written first."""
SEVERAL = "several invoices have this number, write it exactly as one of them is written"
_invoices = cast(sa.Table, Invoice.__table__)
Known = dict[str, sa.Row[Any]]
"""By the number's key."""


@dataclass(frozen=True)
class Doubtful:
    """A row whose number several invoices have, of which none is written so."""

    row: ImportedInvoice
    numbers: tuple[str, ...]
    """Those invoices', as they are written."""

    def told(self) -> BadLine:
        """In escapes, by which the numbers can be told apart."""
        row, where = self.row, " and ".join(map(ascii, self.numbers))
        problem = Problem("number", ascii(row.number), SEVERAL, where)
        return BadLine(row.line, row.last, (problem,), row.number, row.cells, row.number_key)


def find_known(
    session: Session, organisation_id: int, rows: list[ImportedInvoice], *, lock: bool
) -> tuple[Known, list[Doubtful]]:
    """The invoices that have these rows' numbers, and the rows of which nobody can say which of several they mean."""
    by_key: dict[str, dict[int, sa.Row[Any]]] = {}
    for found in _find(session, organisation_id, rows, lock=lock):
        by_key.setdefault(key_of(found.identity, found.number_key), {})[found.id] = found
    known: Known = {}
    doubtful = []
    for row in rows:
        candidates = by_key.get(row.number_key)
        if candidates is None:
            continue
        chosen = choose(row.number, {one.id: one.number_key for one in candidates.values()})
        if chosen is None:
            doubtful.append(Doubtful(row, tuple(one.number for one in candidates.values())))
        else:
            known[row.number_key] = candidates[chosen]
    return known, doubtful


def _find(
    session: Session, organisation_id: int, rows: list[ImportedInvoice], *, lock: bool
) -> list[sa.Row[Any]]:
    columns = (*NUMBER, *COMPARED)
    query = sa.select(_invoices.c.id, *(_invoices.c[name] for name in columns)).order_by(_invoices.c.id)
    if lock:
        # A link that is being reserved is either seen below or sees the new amount: it locks the invoice as well.
        query = query.with_for_update(of=_invoices, key_share=True)
    keys = [row.number_key for row in rows]
    # What isn't folded yet, in a dry run, is found as it is written.
    as_written = {written_key(row.number) for row in rows if row.number_key != row.number}.difference(keys)
    by_key = _are(session, organisation_id, "number_key", [*keys, *as_written])
    found = list(session.execute(query.where(by_key)))
    if not has_identities(session, organisation_id):
        return found
    others = [_are(session, organisation_id, "identity", keys)]
    if are_any(session, organisation_id):
        others.append(_are_twins(session, organisation_id, keys))
    for which in others:
        ids = {row.id for row in found}
        found += [row for row in session.execute(query.where(which)) if row.id not in ids]
    return found


def _are(session: Session, organisation_id: int, column: str, keys: list[str]) -> sa.TextClause:
    """One parameter however many numbers: a place for each takes longer to write than the rows to find."""
    if session.get_bind().dialect.name == "sqlite":
        found = f"organisation_id = :own AND {column} IN (SELECT value FROM json_each(:keys))"  # noqa: S608
        return sa.text(found).bindparams(own=organisation_id, keys=json.dumps(keys))
    # Pairs, since PostgreSQL takes any organisation for a small one while the table grows, and would read all it has.
    found = f"(organisation_id, {column}) IN (SELECT CAST(:own AS BIGINT), unnest(CAST(:keys AS TEXT[])))"
    return sa.text(found).bindparams(own=organisation_id, keys=keys)


def _are_twins(session: Session, organisation_id: int, keys: list[str]) -> sa.TextClause:
    """A range of marked identities for each number."""
    if session.get_bind().dialect.name == "sqlite":
        found = """
            SELECT twin.id FROM json_each(:keys) AS given CROSS JOIN invoices AS twin
            WHERE twin.organisation_id = :own AND twin.identity >= char(10) || given.value || char(10)
            AND twin.identity < char(10) || given.value || char(11)
            """
        return sa.text(f"invoices.id IN ({found})").bindparams(own=organisation_id, keys=json.dumps(keys))
    # Behind the offset each number is looked for by itself, whatever PostgreSQL thinks of the table.
    found = """
        SELECT found.id FROM unnest(CAST(:keys AS TEXT[])) AS given (value), LATERAL (
            SELECT twin.id FROM invoices AS twin
            WHERE twin.organisation_id = :own AND twin.identity >= chr(10) || given.value || chr(10)
            AND twin.identity < chr(10) || given.value || chr(11) OFFSET 0
        ) AS found
        """
    return sa.text(f"invoices.id IN ({found})").bindparams(own=organisation_id, keys=keys)
