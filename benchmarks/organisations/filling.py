"""A database with many organisations, each with its own installation, key, invoices and links."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks import postgres
from benchmarks.data import NOW, lines, number
from benchmarks.organisations.stubs import stripe_key, team, webhook_secret
from domain.database import Database
from domain.files.import_fields import COLUMNS, ImportedInvoice, read_fields
from domain.files.importing import take
from domain.migrations import upgrade
from domain.models import Base, Link, Organisation
from domain.organisations import installations, organisations, stripe_keys
from domain.organisations.installations import Installation, Tokens
from domain.secrets.box import Box
from domain.states import LinkStatus
from domain.stripe.client import digest_of
from domain.stripe.ledgers.opening import open_ledger

SCOPES = ("commands", "chat:write", "channels:history", "users:read")


def fill(db: Database, box: Box, count: int, invoices: int) -> None:
    """So many organisations with so many invoices each, of which one in twenty has a link that waits for payment."""
    upgrade(db.engine)
    first = db.run(organisations.ensure, team(0), "Benchmark", "C00000000")
    take(db, first, _imported(invoices), now=NOW)
    for begin in range(0, count, 50):
        db.run(_add, box, begin, min(begin + 50, count), invoices)


def _imported(count: int) -> list[ImportedInvoice]:
    named = (dict(zip(COLUMNS, line, strict=False)) for line in lines(count))
    return [read_fields(at, values) for at, values in enumerate(named, 1)]


def _add(session: Session, box: Box, begin: int, end: int, invoices: int) -> None:
    copied = [
        column.name
        for column in Base.metadata.tables["invoices"].columns
        if column.name not in ("id", "organisation_id")
    ]
    names = ", ".join(copied)
    at = int(NOW.timestamp() * 1000)
    for index in range(begin, end):
        team_id = team(index)
        installation = Installation(
            team_id, None, False, "B1", "U0BOT", SCOPES, "U0ANNA", Tokens(f"xoxb-{index}")
        )
        own = installations.store(session, box, installation, f"Company {index}", f"C{index:08d}").id
        key = stripe_key(index)
        stripe_keys.store(
            session,
            box,
            team_id,
            key,
            by="U0ANNA",
            account=f"acct_{key[-6:]}",
            signing_secrets=webhook_secret(index),
        )
        ledger = open_ledger(session, own, False, f"acct_{key[-6:]}", NOW, key_digest=digest_of(key))
        if index:
            session.execute(
                sa.text(
                    f"INSERT INTO invoices (organisation_id, {names}) SELECT :own, {names} FROM invoices "
                    "WHERE organisation_id = (SELECT min(id) FROM organisations)"
                ),
                {"own": own},
            )
        given = {"own": own, "ledger": ledger, "at": at, "no": False, "high": number(invoices // 20).lower()}
        session.execute(sa.text(_LINKS), given)


_LINKS = """
INSERT INTO links (organisation_id, invoice_id, ledger_id, state, status, amount, currency, reference, idempotency_key,
    request, api_version, requested_by, reserved_at, attempts, next_attempt_at, look_first, stripe_id, url, created_at,
    changed_at, refunded, disputed, exception)
SELECT organisation_id, id, :ledger, 'created', 'Pending Payment', amount, currency, 'reference-' || id, 'key-' || id,
    '{}', '2026-01-01', 'U0ANNA', :at, 1, :at, :no, 'plink_' || id, 'https://buy.stripe.com/test_' || id, :at, :at,
    :no, :no, :no
FROM invoices WHERE organisation_id = :own AND amount > 0 AND number_key <= :high"""


def waiting_link(session: Session, index: int) -> str:
    """The session that pays a link of this organisation's."""
    own = sa.select(Organisation.id).where(Organisation.team_id == team(index)).scalar_subquery()
    link = session.scalars(
        sa.select(Link).where(Link.organisation_id == own, Link.status == LinkStatus.PENDING_PAYMENT).limit(1)
    ).one()
    return f"cs_{str(link.stripe_id).removeprefix('plink_')}_{link.amount}_{link.currency}"


@contextlib.contextmanager
def database(kind: str) -> Iterator[str]:
    """An empty one, which goes away in the end."""
    with tempfile.TemporaryDirectory(prefix="paylink-bench-") as directory:
        if kind == "sqlite":
            yield f"sqlite:///{directory}/paylink.sqlite3"
            return
        with postgres.postgresql(Path(directory)) as server:
            yield postgres.create(server, "paylink")
