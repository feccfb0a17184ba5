"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duties",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_duties")),
    )
    op.create_table(
        "ledgers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.String(length=255), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.Column("events_watermark", sa.BigInteger(), nullable=True),
        sa.Column("swept_until", sa.BigInteger(), nullable=True),
        sa.Column("last_checked_at", sa.BigInteger(), nullable=True),
        sa.Column("paused_because", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledgers")),
        sa.UniqueConstraint("account", "livemode", name=op.f("uq_ledgers_account_livemode")),
    )
    op.create_index(
        "uq_ledgers_current",
        "ledgers",
        ["current"],
        unique=True,
        sqlite_where=sa.text("current"),
        postgresql_where=sa.text("current"),
    )

    op.create_table(
        "organisations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("team_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("add_on", sa.Boolean(), nullable=False),
        sa.Column("channel", sa.String(length=255), nullable=True),
        sa.Column("channel_problem", sa.String(length=255), nullable=True),
        sa.Column("last_imported_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("team_id", name=op.f("uq_organisations_team_id")),
    )
    op.create_table(
        "paces",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_paces")),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_audit_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_organisation_id"), "audit", ["organisation_id"], unique=False)

    op.create_table(
        "bulk_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ledger_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("submission", sa.String(length=255), nullable=False),
        sa.Column("requested_by", sa.String(length=255), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("view_id", sa.String(length=255), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["ledger_id"], ["ledgers.id"], name=op.f("fk_bulk_runs_ledger_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_bulk_runs_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_runs")),
        sa.UniqueConstraint("submission", name=op.f("uq_bulk_runs_submission")),
    )
    op.create_index(op.f("ix_bulk_runs_organisation_id"), "bulk_runs", ["organisation_id"], unique=False)

    op.create_table(
        "invoices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("number_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("buyer_name", sa.Text(), nullable=False),
        sa.Column("buyer_email", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("issue_date", sa.Date(), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("position", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.CheckConstraint(
            "status IN ('Not Created', 'Pending Payment', 'Paid')", name=op.f("ck_invoices_status")
        ),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_invoices_currency")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_invoices_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint(
            "organisation_id", "number_key", name=op.f("uq_invoices_organisation_id_number_key")
        ),
    )
    op.create_index("ix_invoices_position", "invoices", ["organisation_id", "position"], unique=False)
    op.create_index(
        "ix_invoices_status_position", "invoices", ["organisation_id", "status", "position"], unique=False
    )

    op.create_table(
        "selections",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("filter", sa.String(length=20), nullable=True),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("trail", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.Column("last_action", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_selections_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selections")),
    )
    op.create_index(op.f("ix_selections_touched_at"), "selections", ["touched_at"], unique=False)

    op.create_table(
        "stripe_events",
        sa.Column("ledger_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("payment_intent", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["ledger_id"], ["ledgers.id"], name=op.f("fk_stripe_events_ledger_id")),
        sa.PrimaryKeyConstraint("ledger_id", "id", name=op.f("pk_stripe_events")),
    )
    op.create_index(
        "ix_stripe_events_due",
        "stripe_events",
        ["ledger_id", "next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index("ix_stripe_events_settled_at", "stripe_events", ["settled_at"], unique=False)

    op.create_table(
        "links",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ledger_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("api_version", sa.String(length=64), nullable=False),
        sa.Column("requested_by", sa.String(length=255), nullable=True),
        sa.Column("reserved_at", sa.BigInteger(), nullable=False),
        sa.Column("first_sent_at", sa.BigInteger(), nullable=True),
        sa.Column("last_sent_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("look_first", sa.Boolean(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("stripe_id", sa.String(length=255), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("paid_at", sa.BigInteger(), nullable=True),
        sa.Column("amount_received", sa.BigInteger(), nullable=True),
        sa.Column("stripe_payment", sa.String(length=255), nullable=True),
        sa.Column("refunded", sa.Boolean(), nullable=False),
        sa.Column("disputed", sa.Boolean(), nullable=False),
        sa.Column("exception", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(state = 'created') = (status <> 'Not Created')", name=op.f("ck_links_status_of_created")
        ),
        sa.CheckConstraint(
            "(state = 'created') = (stripe_id IS NOT NULL AND url IS NOT NULL AND created_at IS NOT NULL)",
            name=op.f("ck_links_created"),
        ),
        sa.CheckConstraint("(status = 'Paid') = (paid_at IS NOT NULL)", name=op.f("ck_links_paid")),
        sa.CheckConstraint("state IN ('reserved', 'created', 'refused')", name=op.f("ck_links_state")),
        sa.CheckConstraint(
            "status IN ('Not Created', 'Pending Payment', 'Paid')", name=op.f("ck_links_status")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_links_amount")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_links_invoice_id")),
        sa.ForeignKeyConstraint(["ledger_id"], ["ledgers.id"], name=op.f("fk_links_ledger_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_links_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_links_idempotency_key")),
        sa.UniqueConstraint("invoice_id", "ledger_id", name=op.f("uq_links_invoice_id_ledger_id")),
        sa.UniqueConstraint("ledger_id", "stripe_id", name=op.f("uq_links_ledger_id_stripe_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_links_reference")),
    )
    op.create_index(
        "ix_links_due",
        "links",
        ["ledger_id", "next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("state = 'reserved'"),
        postgresql_where=sa.text("state = 'reserved'"),
    )
    op.create_index(
        "ix_links_status", "links", ["organisation_id", "ledger_id", "status", "changed_at"], unique=False
    )
    op.create_index(op.f("ix_links_stripe_payment"), "links", ["stripe_payment"], unique=False)

    op.create_table(
        "search_terms",
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("term", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_search_terms_invoice_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_search_terms_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "term", "invoice_id", name=op.f("pk_search_terms")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_search_terms_invoice_id", "search_terms", ["invoice_id", "term"], unique=False)

    op.create_table(
        "selection_items",
        sa.Column("selection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_selection_items_invoice_id")),
        sa.ForeignKeyConstraint(
            ["selection_id"],
            ["selections.id"],
            name=op.f("fk_selection_items_selection_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("selection_id", "invoice_id", name=op.f("pk_selection_items")),
    )
    op.create_table(
        "bulk_run_items",
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(outcome = 'skipped') = (reason IS NOT NULL)", name=op.f("ck_bulk_run_items_skipped")
        ),
        sa.CheckConstraint(
            "outcome IN ('being_created', 'created', 'skipped', 'failed')",
            name=op.f("ck_bulk_run_items_outcome"),
        ),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fk_bulk_run_items_invoice_id")),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_bulk_run_items_link_id")),
        sa.ForeignKeyConstraint(["run_id"], ["bulk_runs.id"], name=op.f("fk_bulk_run_items_run_id")),
        sa.PrimaryKeyConstraint("run_id", "ordinal", name=op.f("pk_bulk_run_items")),
    )
    op.create_index(
        "ix_bulk_run_items_open",
        "bulk_run_items",
        ["link_id"],
        unique=False,
        sqlite_where=sa.text("outcome = 'being_created'"),
        postgresql_where=sa.text("outcome = 'being_created'"),
    )

    op.create_table(
        "payment_exceptions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ledger_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("stripe_object", sa.String(length=255), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["ledger_id"], ["ledgers.id"], name=op.f("fk_payment_exceptions_ledger_id")),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_payment_exceptions_link_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_exceptions")),
        sa.UniqueConstraint("ledger_id", "key", name=op.f("uq_payment_exceptions_ledger_id_key")),
    )
    op.create_index(op.f("ix_payment_exceptions_link_id"), "payment_exceptions", ["link_id"], unique=False)

    op.create_table(
        "payments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ledger_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("session_id", sa.String(length=255), nullable=False),
        sa.Column("payment_intent", sa.String(length=255), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("paid_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('paid', 'second_payment', 'amount_differs', 'currency_differs', 'completed_unpaid')",
            name=op.f("ck_payments_verdict"),
        ),
        sa.ForeignKeyConstraint(["ledger_id"], ["ledgers.id"], name=op.f("fk_payments_ledger_id")),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_payments_link_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("ledger_id", "session_id", name=op.f("uq_payments_ledger_id_session_id")),
    )
    op.create_index("ix_payments_payment_intent", "payments", ["ledger_id", "payment_intent"], unique=False)
    op.create_index(
        "uq_payments_paid",
        "payments",
        ["link_id"],
        unique=True,
        sqlite_where=sa.text("verdict = 'paid'"),
        postgresql_where=sa.text("verdict = 'paid'"),
    )

    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.String(length=255), nullable=False),
        sa.Column("payment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("exception_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("enqueued_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("may_be_posted", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("attempted_at", sa.BigInteger(), nullable=True),
        sa.Column("last_attempted_at", sa.BigInteger(), nullable=True),
        sa.Column("attempted_channel", sa.String(length=255), nullable=True),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("posted_channel", sa.String(length=255), nullable=True),
        sa.Column("posted_ts", sa.String(length=64), nullable=True),
        sa.CheckConstraint("(state = 'posted') = (posted_ts IS NOT NULL)", name=op.f("ck_outbox_posted")),
        sa.CheckConstraint(
            "kind IN ('paid', 'exception', 'bulk_result', 'channel_lost')", name=op.f("ck_outbox_kind")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'posted', 'dead', 'unknown')", name=op.f("ck_outbox_state")
        ),
        sa.ForeignKeyConstraint(
            ["exception_id"], ["payment_exceptions.id"], name=op.f("fk_outbox_exception_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_outbox_organisation_id")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_outbox_payment_id")),
        sa.ForeignKeyConstraint(["run_id"], ["bulk_runs.id"], name=op.f("fk_outbox_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
        sa.UniqueConstraint("subject", name=op.f("uq_outbox_subject")),
    )
    op.create_index(
        "ix_outbox_open",
        "outbox",
        ["organisation_id", "destination", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('waiting', 'sending')"),
        postgresql_where=sa.text("state IN ('waiting', 'sending')"),
    )
    op.create_index("ix_outbox_organisation_state", "outbox", ["organisation_id", "state"], unique=False)
