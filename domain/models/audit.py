"""Who did or tried what. The database takes entries and gives them their places, and refuses every other change."""

from datetime import datetime

from sqlalchemy import Connection, ForeignKey, Index, String, Table, Text, event, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.models.base import Base, Id, Instant

_WAITS = text("position IS NULL")
_HAS_PLACE = text("position IS NOT NULL")
_OF_INVOICE = text("invoice_id IS NOT NULL")
_BEFORE = text("invoice_id IS NULL AND action = 'link.reserve'")


class AuditEntry(Base):
    """One deed, written in its transaction; ``position`` and ``hash`` are given once it is committed (domain/audit/sealing.py).

    Processes of versions before 0026 write no more than the columns up to ``at``, with the invoice in ``subject``.
    """

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_waiting", "organisation_id", "id", sqlite_where=_WAITS, postgresql_where=_WAITS),
        Index(
            "uq_audit_position",
            "organisation_id",
            "position",
            unique=True,
            sqlite_where=_HAS_PLACE,
            postgresql_where=_HAS_PLACE,
        ),
        Index(
            "ix_audit_invoice",
            "organisation_id",
            "invoice_id",
            "id",
            sqlite_where=_OF_INVOICE,
            postgresql_where=_OF_INVOICE,
        ),
        Index(
            "ix_audit_before", "organisation_id", "subject", sqlite_where=_BEFORE, postgresql_where=_BEFORE
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    actor: Mapped[str] = mapped_column(String(255))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)
    source: Mapped[str | None] = mapped_column(String(20))
    result: Mapped[str | None] = mapped_column(String(20))
    invoice_id: Mapped[int | None] = mapped_column(Id)
    invoice_number: Mapped[str | None] = mapped_column(Text)
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    position: Mapped[int | None] = mapped_column(Id)
    hash: Mapped[str | None] = mapped_column(String(64))


class AuditHead(Base):
    """How long an organisation's chain is, and its last hash. 0 stands for what belongs to no organisation."""

    __tablename__ = "audit_heads"

    organisation_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    entries: Mapped[int] = mapped_column(Id)
    hash: Mapped[str] = mapped_column(String(64))


class AuditErasure(Base):
    """While it is there, this organisation's audit may be erased: within the transaction that forgets the organisation."""

    __tablename__ = "audit_erasures"

    organisation_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)


# What an entry says never changes; its place in the chain is given once.
_SAID = (
    *("id", "organisation_id", "actor", "action", "subject", "at", "source", "result"),
    *("invoice_id", "invoice_number", "before", "after"),
)
_REFUSAL = "the audit is append-only"
_SAME = " AND ".join(f"OLD.{name} IS NEW.{name}" for name in _SAID)
_OLD, _NEW = (", ".join(f"{row}.{name}" for name in _SAID) for row in ("OLD", "NEW"))
_KNOWN = "EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)"
_ERASING = "EXISTS (SELECT 1 FROM audit_erasures WHERE organisation_id = OLD.organisation_id)"
_SEALING = "OLD.position IS NULL AND NEW.position IS NOT NULL AND NEW.hash IS NOT NULL"


def _sqlite(name: str, when: str) -> str:
    return f"CREATE TRIGGER IF NOT EXISTS {name} {when} BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"


ON_SQLITE = (
    _sqlite("audit_changed", f"BEFORE UPDATE ON audit WHEN NOT ({_SEALING} AND {_SAME})"),
    _sqlite("audit_removed", f"BEFORE DELETE ON audit WHEN NOT {_ERASING}"),
    # INSERT OR REPLACE removes what is in its way without asking the trigger before this one.
    _sqlite("audit_replaced", f"BEFORE INSERT ON audit WHEN {_KNOWN}"),
    _sqlite(
        "audit_heads_changed",
        "BEFORE UPDATE ON audit_heads "
        "WHEN OLD.organisation_id IS NOT NEW.organisation_id OR NEW.entries <= OLD.entries",
    ),
    _sqlite("audit_heads_removed", f"BEFORE DELETE ON audit_heads WHEN NOT {_ERASING}"),
    _sqlite("audit_heads_replaced", "BEFORE INSERT ON audit_heads WHEN NEW.entries > 0"),
)


def _postgresql(table: str, allowed: str) -> tuple[str, ...]:
    return (
        # Whoever restores rows alone does so without a search path.
        f"""
CREATE OR REPLACE FUNCTION keep_{table}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF {allowed} THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF {_ERASING} THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'restrict_violation';
END $$""",
        f"DROP TRIGGER IF EXISTS {table}_changed ON {table}",
        f"DROP TRIGGER IF EXISTS {table}_emptied ON {table}",
        f"CREATE TRIGGER {table}_changed BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION keep_{table}()",
        f"CREATE TRIGGER {table}_emptied BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION keep_{table}()",
    )


ON_POSTGRESQL = (
    *_postgresql("audit", f"{_SEALING} AND ROW({_OLD}) IS NOT DISTINCT FROM ROW({_NEW})"),
    *_postgresql("audit_heads", "OLD.organisation_id = NEW.organisation_id AND NEW.entries > OLD.entries"),
)


@event.listens_for(AuditEntry.__table__, "after_create")
@event.listens_for(AuditHead.__table__, "after_create")
def _make_triggers(table: Table, connection: Connection, **_: object) -> None:
    """They ask a table that may be made after this one, which both databases look for when rows are changed."""
    for statement in ON_SQLITE if connection.dialect.name == "sqlite" else ON_POSTGRESQL:
        if f"ON {table.name} " in statement or f"keep_{table.name}()" in statement:
            connection.exec_driver_sql(statement)
