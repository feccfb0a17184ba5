"""Indexes of big tables that a revision of PostgreSQL's needs: built before its transaction, while everybody writes."""

import sqlalchemy as sa
from sqlalchemy.engine import Engine

INDEXES = {
    "0003": {
        "ix_invoices_buyer_name": "invoices (organisation_id, buyer_name, status, position) INCLUDE (id) "
        "WHERE length(buyer_name) < 60"
    },
    "0010": {
        "ix_invoices_changed_at": "invoices (organisation_id, changed_at, id) WHERE changed_at IS NOT NULL"
    },
    "0015": {
        "uq_invoices_identity": "invoices (organisation_id, identity) WHERE identity IS NOT NULL",
        "ix_invoices_unfolded": "invoices (organisation_id, id) WHERE identity IS NULL AND "
        "(number_key ~ '[^ -~]' OR strpos(number_key, '  ') > 0)",
    },
    "0023": {
        "ix_invoices_closing": "invoices (organisation_id, substr(number_key, length(number_key) - 1), number_key) "
        "INCLUDE (id)",
        "ix_invoices_closing_identity": "invoices (organisation_id, substr(identity, length(identity) - 1), identity) "
        "WHERE identity IS NOT NULL",
        "ix_links_url": "links (organisation_id, ledger_id, url) WHERE url IS NOT NULL",
    },
    "0027": {
        "ix_audit_waiting": "audit (organisation_id, id) WHERE position IS NULL",
        "uq_audit_position": "audit (organisation_id, position) WHERE position IS NOT NULL",
        "ix_audit_invoice": "audit (organisation_id, invoice_id, id) WHERE invoice_id IS NOT NULL",
        "ix_audit_before": "audit (organisation_id, subject) WHERE invoice_id IS NULL AND action = 'link.reserve'",
    },
}
"""By revision: each index's name, and what it is of."""
UNIQUE = frozenset({"uq_invoices_identity", "uq_audit_position"})


def build_indexes(engine: Engine, revision: str) -> None:
    """Those that aren't there. One whose building was broken off is taken away first.

    Waits a minute for each transaction that is older, which holds up nobody, then gives up with an OperationalError.
    """
    if engine.dialect.name != "postgresql":
        return
    for name, of in INDEXES.get(revision, {}).items():
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if has_index(connection, name):
                continue
            # What is set for this goes away with the connection.
            connection.detach()
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql("SET lock_timeout = '60s'")
            connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            unique = "UNIQUE " if name in UNIQUE else ""
            connection.exec_driver_sql(f"CREATE {unique}INDEX CONCURRENTLY {name} ON {of}")


def has_index(connection: sa.Connection, name: str) -> bool:
    """Whether PostgreSQL has it, and whole."""
    found = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    return connection.execute(found, {"name": name}).scalar() is True
