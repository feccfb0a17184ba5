"""Billing invoices, where a search for them may begin, and which of them people have ticked."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from domain.models.base import STATUS, Base, Bytewise, Id, Instant
from domain.states import LinkStatus

SHORT_NAME = 60
HAS_SHORT_NAME = f"length(buyer_name) < {SHORT_NAME}"
"""Of an invoice whose buyer's terms are kept with the name: the condition of the index that finds it."""
UNFOLDED = {
    "sqlite": "identity IS NULL AND (number_key GLOB '*[^ -~]*' OR instr(number_key, '  ') > 0)",
    "postgresql": "identity IS NULL AND (number_key ~ '[^ -~]' OR strpos(number_key, '  ') > 0)",
}
"""By dialect, of an invoice that a version before 0014 wrote and whose number could be written in other ways: the
condition of the index that finds it, as domain/invoices/numbers/keys.py has it."""
CLOSING = "substr({0}, length({0}) - 1)"
"""The last two characters of a column, as both databases say it and find it in an index."""


def closing(column: str) -> ColumnElement[str]:
    """Of a column of invoices: as it stands in the index, since a parameter wouldn't be known to be the same."""
    return literal_column(CLOSING.format(column), Text)


class Invoice(Base):
    """A billing invoice. ``amount`` is in the currency's smallest unit as Stripe defines it.

    ``status`` and ``position`` are derived (domain/invoices/list_position.py) and kept because a list over a million invoices
    must walk an index: ``position`` is the place in list order, eligible first, then due date, then number.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("organisation_id", "number_key"),
        Index("ix_invoices_position", "organisation_id", "position"),
        Index("ix_invoices_status_position", "organisation_id", "status", "position"),
        Index(
            "ix_invoices_buyer_name",
            "organisation_id",
            "buyer_name",
            "status",
            "position",
            # What is found needn't be looked up in the table (SQLite's indexes have the id anyway).
            postgresql_include=["id"],
            sqlite_where=text(HAS_SHORT_NAME),
            postgresql_where=text(HAS_SHORT_NAME),
        ),
        Index(
            "ix_invoices_changed_at",
            "organisation_id",
            "changed_at",
            "id",
            sqlite_where=text("changed_at IS NOT NULL"),
            postgresql_where=text("changed_at IS NOT NULL"),
        ),
        Index(
            "uq_invoices_identity",
            "organisation_id",
            "identity",
            unique=True,
            sqlite_where=text("identity IS NOT NULL"),
            postgresql_where=text("identity IS NOT NULL"),
        ),
        Index(
            "ix_invoices_unfolded",
            "organisation_id",
            "id",
            sqlite_where=text(UNFOLDED["sqlite"]),
            postgresql_where=text(UNFOLDED["postgresql"]),
        ),
        Index(
            "ix_invoices_closing",
            "organisation_id",
            text(CLOSING.format("number_key")),
            "number_key",
            postgresql_include=["id"],
        ),
        Index(
            "ix_invoices_closing_identity",
            "organisation_id",
            text(CLOSING.format("identity")),
            "identity",
            sqlite_where=text("identity IS NOT NULL"),
            postgresql_where=text("identity IS NOT NULL"),
        ),
        CheckConstraint("status IN ('Not Created', 'Pending Payment', 'Paid')", name="status"),
        CheckConstraint("length(currency) = 3", name="currency"),
        CheckConstraint("billing_state IN ('open', 'settled', 'void')", name="billing_state"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    number: Mapped[str] = mapped_column(String(60))
    number_key: Mapped[str] = mapped_column(Bytewise)
    """Without regard to case and surrounding blanks: what versions before 0014 tell numbers apart by."""
    identity: Mapped[str | None] = mapped_column(Bytewise)
    """What the number is one by, where that isn't simply ``number_key``; None until it is folded, if a version before
    wrote it. That of twins of an older version is marked (domain/invoices/numbers/twins.py)."""
    buyer_name: Mapped[str] = mapped_column(Text)
    buyer_email: Mapped[str] = mapped_column(Text, default="")
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    issue_date: Mapped[date | None]
    due_date: Mapped[date | None]
    description: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[LinkStatus] = mapped_column(STATUS, default=LinkStatus.NOT_CREATED)
    position: Mapped[str] = mapped_column(Bytewise)
    billing_state: Mapped[str] = mapped_column(String(10), server_default="open")
    """What became of it elsewhere: ``settled`` and ``void`` ones are not to be paid any more."""
    changed_at: Mapped[datetime | None] = mapped_column(Instant, deferred=True)
    """When anything that programs are shown of it changed last, by the database's clock; None if not since schema 0009."""


class SearchTerm(Base):
    """Where a search for one invoice may begin: at a number that isn't ASCII, and at each word of
    a long buyer's name.

    Versions before 0003 keep all numbers and names so.

    Written in one transaction with its invoice, which is never deleted: that is what foreign keys would promise, at
    nearly half of an import's time (decision 0015).
    """

    __tablename__ = "search_terms"

    organisation_id: Mapped[int] = mapped_column(Id, primary_key=True)
    term: Mapped[str] = mapped_column(Bytewise, primary_key=True)
    invoice_id: Mapped[int] = mapped_column(Id, primary_key=True)

    __table_args__ = (Index("ix_search_terms_invoice_id", "invoice_id", "term"), {"sqlite_with_rowid": False})


class BuyerTerm(Base):
    """Where a search for a buyer's invoices may begin: at each word of the name, kept once for all of them.

    Names that aren't short have their terms with each invoice: cut off, they wouldn't fit into an index, and two that
    begin alike would be one. Versions before 0003 keep all names' terms so, and find nothing here.
    """

    __tablename__ = "buyer_terms"
    __table_args__ = (Index("ix_buyer_terms_buyer_name", "buyer_name", "term"), {"sqlite_with_rowid": False})

    organisation_id: Mapped[int] = mapped_column(Id, primary_key=True)
    term: Mapped[str] = mapped_column(Bytewise, primary_key=True)
    buyer_name: Mapped[str] = mapped_column(Text, primary_key=True)


class Selection(Base):
    """The draft behind one list modal: what it shows, and what is ticked over all pages and filters."""

    __tablename__ = "selections"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[str] = mapped_column(String(255))
    filter: Mapped[LinkStatus | None] = mapped_column(STATUS)
    due_before: Mapped[date | None]
    """The day on which it was narrowed to what is overdue; ``filter`` is None then."""
    search: Mapped[str] = mapped_column(Text, default="")
    trail: Mapped[str] = mapped_column(Text, default="")
    """Where each page up to the shown one begins: positions, one a line, none for the first page."""
    revision: Mapped[int] = mapped_column(default=1)
    touched_at: Mapped[datetime] = mapped_column(Instant, index=True)
    last_action: Mapped[str] = mapped_column(String(64), default="")


class SelectionItem(Base):
    """One ticked invoice; the amount is the one on the confirmation that the person saw, once there was one."""

    __tablename__ = "selection_items"

    selection_id: Mapped[int] = mapped_column(
        ForeignKey("selections.id", ondelete="CASCADE"), primary_key=True
    )
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"), primary_key=True)
    amount: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))


class OpenView(Base):
    """A details modal of Slack's that follows its invoice until ``until``, by the database's clock.

    ``shown`` is what it shows of the invoice, digested, and the view's hash; ``carried`` what the modal carries besides.
    """

    __tablename__ = "open_views"

    view_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    user_id: Mapped[str] = mapped_column(String(255))
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"))
    carried: Mapped[str] = mapped_column(Text)
    shown: Mapped[str] = mapped_column(String(64))
    until: Mapped[datetime] = mapped_column(Instant, index=True)
