"""What Alembic runs: on the connection that ``upgrade`` hands over, or on ``-x url=...`` when drafting a version."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from domain.database import make_engine
from domain.models import Base, Instant


def render_item(kind: str, item: Any, _autogen: object) -> str | Literal[False]:
    """Versions stand by themselves: what is a type of the models today may mean something else later."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Instant) else False


def run_on(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        # SQLite can't alter a table otherwise than by copying it.
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given: sa.Connection | None = context.config.attributes.get("connection")
if given is not None:
    run_on(given)
else:
    with make_engine(context.get_x_argument(as_dictionary=True)["url"]).connect() as opened:
        run_on(opened)
