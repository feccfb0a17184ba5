"""Which ledger is an organisation's current one."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.models import Base, Ledger, Organisation

_ORGANISATIONS = Base.metadata.tables[Organisation.__tablename__]
_LEDGERS = Base.metadata.tables[Ledger.__tablename__]
_TAKEN_UP = sa.select(_ORGANISATIONS.c.ledger_id).where(_ORGANISATIONS.c.ledger_id.is_not(None))
CURRENT = (
    sa.select(_ORGANISATIONS.c.id)
    .where(_ORGANISATIONS.c.id == sa.bindparam("organisation"))
    .where(_ORGANISATIONS.c.ledger_id == sa.bindparam("ledger"))
    # A version before schema 0008 has put the whole database under another account since.
    .where(~sa.select(_LEDGERS.c.id).where(_LEDGERS.c.current, _LEDGERS.c.id.not_in(_TAKEN_UP)).exists())
)
"""The organisation, if this is its current ledger."""
CURRENT_HELD = CURRENT.with_for_update(read=True, of=_ORGANISATIONS)
"""The same, and it stays so until the transaction ends."""


def is_current(session: Session, organisation_id: int, ledger_id: int) -> bool:
    """Whether this is the organisation's current ledger."""
    return session.scalar(CURRENT, {"organisation": organisation_id, "ledger": ledger_id}) is not None
