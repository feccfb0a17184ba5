"""Columns of the audit for what an entry says and for its place in the chain, and triggers that refuse every other change.

What is there by now, and what processes of the version before write, is chained by the first process of this version
(domain/audit/sealing.py): here it would keep writers out for as long.
"""

import sqlalchemy as sa
from alembic import op

from domain.migrations.locking import lock_briefly

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    connection = op.get_bind()
    lock_briefly(connection, "audit")
    if "position" not in {one["name"] for one in sa.inspect(connection).get_columns("audit")}:
        for column in (
            sa.Column("source", sa.String(20), nullable=True),
            sa.Column("result", sa.String(20), nullable=True),
            sa.Column("invoice_id", _ID, nullable=True),
            sa.Column("invoice_number", sa.Text(), nullable=True),
            sa.Column("before", sa.Text(), nullable=True),
            sa.Column("after", sa.Text(), nullable=True),
            sa.Column("position", _ID, nullable=True),
            sa.Column("hash", sa.String(64), nullable=True),
        ):
            op.add_column("audit", column)
    op.create_table(
        "audit_heads",
        sa.Column("organisation_id", _ID, autoincrement=False, nullable=False),
        sa.Column("entries", _ID, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_audit_heads")),
        if_not_exists=True,
    )
    op.create_table(
        "audit_erasures",
        sa.Column("organisation_id", _ID, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_audit_erasures")),
        if_not_exists=True,
    )
    for statement in _ON_SQLITE if connection.dialect.name == "sqlite" else _ON_POSTGRESQL:
        connection.exec_driver_sql(statement)


_ON_SQLITE = (
    "CREATE TRIGGER IF NOT EXISTS audit_changed BEFORE UPDATE ON audit WHEN NOT (OLD.position IS NULL AND NEW.position IS NOT NULL AND NEW.hash IS NOT NULL AND OLD.id IS NEW.id AND OLD.organisation_id IS NEW.organisation_id AND OLD.actor IS NEW.actor AND OLD.action IS NEW.action AND OLD.subject IS NEW.subject AND OLD.at IS NEW.at AND OLD.source IS NEW.source AND OLD.result IS NEW.result AND OLD.invoice_id IS NEW.invoice_id AND OLD.invoice_number IS NEW.invoice_number AND OLD.before IS NEW.before AND OLD.after IS NEW.after) BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_removed BEFORE DELETE ON audit WHEN NOT EXISTS (SELECT 1 FROM audit_erasures WHERE organisation_id = OLD.organisation_id) BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_replaced BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_heads_changed BEFORE UPDATE ON audit_heads WHEN OLD.organisation_id IS NOT NEW.organisation_id OR NEW.entries <= OLD.entries BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_heads_removed BEFORE DELETE ON audit_heads WHEN NOT EXISTS (SELECT 1 FROM audit_erasures WHERE organisation_id = OLD.organisation_id) BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_heads_replaced BEFORE INSERT ON audit_heads WHEN NEW.entries > 0 BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
)
_ON_POSTGRESQL = (
    """
CREATE OR REPLACE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.position IS NULL AND NEW.position IS NOT NULL AND NEW.hash IS NOT NULL AND ROW(OLD.id, OLD.organisation_id, OLD.actor, OLD.action, OLD.subject, OLD.at, OLD.source, OLD.result, OLD.invoice_id, OLD.invoice_number, OLD.before, OLD.after) IS NOT DISTINCT FROM ROW(NEW.id, NEW.organisation_id, NEW.actor, NEW.action, NEW.subject, NEW.at, NEW.source, NEW.result, NEW.invoice_id, NEW.invoice_number, NEW.before, NEW.after) THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT 1 FROM audit_erasures WHERE organisation_id = OLD.organisation_id) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'restrict_violation';
END $$""",
    "DROP TRIGGER IF EXISTS audit_changed ON audit",
    "DROP TRIGGER IF EXISTS audit_emptied ON audit",
    "CREATE TRIGGER audit_changed BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION keep_audit()",
    "CREATE TRIGGER audit_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION keep_audit()",
    """
CREATE OR REPLACE FUNCTION keep_audit_heads() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.organisation_id = NEW.organisation_id AND NEW.entries > OLD.entries THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT 1 FROM audit_erasures WHERE organisation_id = OLD.organisation_id) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'restrict_violation';
END $$""",
    "DROP TRIGGER IF EXISTS audit_heads_changed ON audit_heads",
    "DROP TRIGGER IF EXISTS audit_heads_emptied ON audit_heads",
    "CREATE TRIGGER audit_heads_changed BEFORE UPDATE OR DELETE ON audit_heads FOR EACH ROW EXECUTE FUNCTION keep_audit_heads()",
    "CREATE TRIGGER audit_heads_emptied BEFORE TRUNCATE ON audit_heads FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_heads()",
)
