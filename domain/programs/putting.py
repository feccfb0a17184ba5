"""Taking the invoices that a program brings, in one transaction, by the same writing as imports."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from domain import audit
from domain.exceptions.reminding import tell_batch
from domain.files.import_exceptions import Importing
from domain.files.import_fields import ImportedInvoice
from domain.files.import_writing import write_rows
from domain.invoices.search_terms import shared_terms
from domain.models import Organisation
from domain.scope import Scope
from domain.summaries import Actor


class Outcome(StrEnum):
    """What became of one of the invoices."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


def put(
    session: Session,
    scope: Scope,
    actor: Actor,
    rows: Sequence[ImportedInvoice],
    refused: int,
    now: datetime,
) -> dict[str, Outcome]:
    """Insert or update these, whose numbers differ, all or none; what became of each, by its number's key.

    Refused is one of which nobody can say which of several invoices it means, whose numbers look the same.

    A link that asks for something else than its invoice is an exception, told as that of an import.
    """
    importing = Importing(secrets.token_hex(16), now, actor)
    terms = {row.buyer_name: begins for row in rows if (begins := shared_terms(row.buyer_name))}
    changes = write_rows(session, scope.organisation_id, list(rows), terms, importing)
    tell_batch(session, importing.id, scope.organisation_id, now)
    session.get_one(Organisation, scope.organisation_id).last_imported_at = now
    audit.record(
        session,
        audit.Deed.INVOICES_PUT,
        f"{changes.new} new, {changes.updated} changed, {changes.unchanged} unchanged, {refused} refused",
        by=actor,
        now=now,
        organisation_id=scope.organisation_id,
    )
    doubtful = {one.row.number_key for one in changes.doubtful}
    return {
        row.number_key: Outcome.REFUSED
        if row.number_key in doubtful
        else Outcome.NEW
        if row.number_key in changes.new_keys
        else Outcome.CHANGED
        if row.number_key in changes.updated_keys
        else Outcome.UNCHANGED
        for row in rows
    }
