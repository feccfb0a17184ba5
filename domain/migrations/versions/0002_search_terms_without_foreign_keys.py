"""Search terms without foreign keys (decision 0015).

Where they are gone already, because somebody went back to the version before, nothing is left to do.
"""

import re

from alembic import op

from domain.migrations.locking import lock_briefly
from domain.migrations.redefining import correct_definition

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEY = re.compile(r",\s*CONSTRAINT fk_search_terms_\w+ FOREIGN KEY\(\w+\) REFERENCES \w+ \(id\)")


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        correct_definition(connection, "search_terms", _without_keys)
        return
    lock_briefly(connection, "organisations", "invoices", "search_terms")
    for name in ("fk_search_terms_invoice_id", "fk_search_terms_organisation_id"):
        op.drop_constraint(name, "search_terms", type_="foreignkey", if_exists=True)


def _without_keys(found: str) -> str:
    corrected = _KEY.sub("", found)
    if "FOREIGN KEY" in corrected:
        raise RuntimeError("search_terms isn't as version 0001 made it")
    return corrected
