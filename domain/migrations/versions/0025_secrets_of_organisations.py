"""An organisation's secrets, sealed: what Slack gave when the app was installed, and the Stripe key that was connected."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "secret_generations",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("number", _ID, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secret_generations")),
        if_not_exists=True,
    )
    op.create_table(
        "installations",
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("enterprise_id", sa.String(255), nullable=True),
        sa.Column("for_enterprise", sa.Boolean(), nullable=False),
        sa.Column("bot_id", sa.String(255), nullable=False),
        sa.Column("bot_user_id", sa.String(255), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("installed_by", sa.String(255), nullable=False),
        sa.Column("sealed_bot_token", sa.Text(), nullable=True),
        sa.Column("sealed_refresh_token", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("installed_at", sa.BigInteger(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.Column("refresh_owner", sa.String(64), nullable=True),
        sa.Column("refresh_until", sa.BigInteger(), nullable=True),
        sa.Column("generation", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_installations_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_installations")),
        if_not_exists=True,
    )
    op.create_table(
        "stripe_keys",
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("sealed_key", sa.Text(), nullable=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("last_four", sa.String(4), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("account", sa.String(255), nullable=True),
        sa.Column("sealed_signing_secrets", sa.Text(), nullable=True),
        sa.Column("endpoint_id", sa.String(255), nullable=True),
        sa.Column("sealed_endpoint_secret", sa.Text(), nullable=True),
        sa.Column("set_by", sa.String(255), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.Column("generation", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_stripe_keys_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_stripe_keys")),
        if_not_exists=True,
    )
    for table in ("installations", "stripe_keys"):
        op.create_index(f"ix_{table}_generation", table, ["generation"], if_not_exists=True)
