"""Why Stripe can't be asked, as a code beside the sentence that versions before keep (decision 0019).

What the version before writes meanwhile, nobody reads: each start of this version asks Stripe, and writes down what it says.
Where the columns are there already, because somebody went back to that version, its sentences are what holds.
"""

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NAMED = "The Stripe key lacks the permission "
_REASONS = {
    "Stripe can't be reached right now": "stripe_away",
    "Stripe refuses the API key": "key_refused",
    "The Stripe key lacks a permission": "permission_lacking",
}


def upgrade() -> None:
    connection = op.get_bind()
    there = {column["name"] for column in sa.inspect(connection).get_columns("ledgers")}
    lock_briefly(connection, "ledgers")
    for column in (
        sa.Column("pause_reason", sa.String(length=40), nullable=True),
        sa.Column("pause_permission", sa.String(length=255), nullable=True),
    ):
        if column.name not in there:
            op.add_column("ledgers", column)
    _translate(connection)


def _translate(connection: sa.Connection) -> None:
    ledgers = sa.table(
        "ledgers",
        sa.column("id", sa.BigInteger()),
        sa.column("paused_because", sa.Text()),
        sa.column("pause_reason", sa.String()),
        sa.column("pause_permission", sa.String()),
    )
    for ledger_id, sentence in connection.execute(sa.select(ledgers.c.id, ledgers.c.paused_because)).all():
        permission = sentence.removeprefix(_NAMED)[:255] if sentence and sentence.startswith(_NAMED) else None
        reason = "permission_lacking" if permission else _REASONS.get(sentence)
        connection.execute(
            sa.update(ledgers)
            .where(ledgers.c.id == ledger_id)
            .values(pause_reason=reason, pause_permission=permission)
        )
