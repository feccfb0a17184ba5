"""A database with data in it comes through each version of the schema, and is worked with afterwards."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.orm import Session

from domain.database import Database, make_engine
from domain.invoices import older_decimals
from domain.invoices.numbers import folding, twins
from domain.migrations import REVISIONS, SchemaTooOld, check, prepare, upgrade
from domain.models import Base, Invoice
from domain.money import Money
from domain.overview import home
from domain.scope import Scope
from domain.states import LinkStatus, PauseReason
from domain.summaries import Pause
from sandbox.stripe.server import LocalStripe
from tests.domain.factories import PAGE
from tests.domain.migrations.first_rows import first_rows
from tests.domain.migrations.first_schema import kept_rows, make_first, migrate
from tests.domain.world import ADA, world
from tests.patience import PATIENCE

# SQLite's aren't reflected: test_migrations.py compares their text.
pytestmark = pytest.mark.filterwarnings("ignore:.*expression-based index")


@pytest.fixture
def old(blank_database_url: str) -> Iterator[sa.Engine]:
    """A database of the first version, with rows in every table."""
    engine = make_engine(blank_database_url)
    make_first(engine)
    yield engine
    engine.dispose()


def test_every_row_comes_through_every_version(old: sa.Engine) -> None:
    with old.connect() as connection:
        before = kept_rows(connection)
    assert before.keys() == first_rows().keys()
    assert all(before.values())
    for revision in REVISIONS[1:]:
        # Version 0034 adds up what is there.
        before.pop("received_sums", None)
        migrate(old, revision)
        with old.connect() as connection:
            assert kept_rows(connection, before) == before, revision
            before = kept_rows(connection)
            if connection.dialect.name == "sqlite":
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() == ["ok"]
                assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    check(old)


def test_an_upgraded_schema_is_the_models_schema(old: sa.Engine) -> None:
    assert upgrade(old)
    with old.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_an_old_schema_is_refused_until_it_is_upgraded(old: sa.Engine) -> None:
    for refuses in (check, prepare):
        with pytest.raises(SchemaTooOld, match="0001"):
            refuses(old)
    assert upgrade(old)
    prepare(old)


async def test_people_go_on_with_what_was_there(old: sa.Engine, stripe: LocalStripe) -> None:
    upgrade(old)
    db = Database(old.url.render_as_string(hide_password=False))
    async with world(db, stripe) as one:
        listed = await one.desk.open_list(ADA, "corp", shape=PAGE)
        found = await one.desk.find_options(ADA, "& nut")
        paid = await one.desk.find_invoice(ADA, "inv-1004")
        made = await one.desk.create_link(ADA, 7, Money(120_050, "USD"), patience=PATIENCE)
        await one.creation.run_due()
        again = await one.desk.find_invoice(ADA, "inv-1001")
    await db.close()
    assert [row.number for row in listed.invoices] == ["INV-1009"]
    assert {option.number for option in found} == {"INV-1001", "INV-1004", "INV-1007", "INV-1000"}
    assert paid is not None
    assert paid.status is LinkStatus.PAID
    assert made.status is LinkStatus.PENDING_PAYMENT
    # It was reserved when the database was upgraded.
    assert again is not None
    assert again.status is LinkStatus.PENDING_PAYMENT


def test_whoever_went_back_a_version_can_upgrade_again(old: sa.Engine) -> None:
    """As docs/how-to/upgrade.md says it."""
    upgrade(old)
    with old.begin() as connection:
        connection.execute(sa.text(f"UPDATE alembic_version SET version_num = '{REVISIONS[-2]}'"))
        before = kept_rows(connection)
    assert upgrade(old)
    check(old)
    with old.connect() as connection:
        assert kept_rows(connection) == before
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


SENTENCES: list[tuple[str | None, Pause | None]] = [
    ("Stripe can't be reached right now", Pause(PauseReason.STRIPE_AWAY)),
    ("Stripe refuses the API key", Pause(PauseReason.KEY_REFUSED)),
    ("The Stripe key lacks a permission", Pause(PauseReason.PERMISSION_LACKING)),
    (
        "The Stripe key lacks the permission rak_event_read",
        Pause(PauseReason.PERMISSION_LACKING, "rak_event_read"),
    ),
    (None, None),
]


@pytest.mark.parametrize(("sentence", "paused"), SENTENCES)
def test_why_the_work_waits_is_a_code_afterwards(
    old: sa.Engine, sentence: str | None, paused: Pause | None
) -> None:
    with old.begin() as connection:
        connection.execute(sa.text("UPDATE ledgers SET paused_because = :because"), {"because": sentence})
    upgrade(old)
    with Session(old) as session:
        session.connection(execution_options={"paylink_write": False})
        assert home.get_stripe_state(session, Scope(1, 1, livemode=False)).paused == paused
        # The version before goes on with its own.
        assert session.scalar(sa.text("SELECT paused_because FROM ledgers WHERE id = 1")) == sentence


def test_what_the_version_before_says_holds_when_it_is_upgraded_again(old: sa.Engine) -> None:
    upgrade(old)
    with old.begin() as connection:
        connection.execute(sa.text("UPDATE ledgers SET pause_reason = 'key_refused'"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0006'"))
    upgrade(old)
    with old.connect() as connection:
        assert connection.execute(sa.text("SELECT pause_reason FROM ledgers")).scalars().all() == [None, None]


def test_numbers_that_an_older_version_kept_apart_stay_apart_and_are_marked(old: sa.Engine) -> None:
    with old.begin() as connection:
        for number, key in (
            ("INV\u20111001", "inv\u20111001"),
            ("ＩＮＶ－7777", "ｉｎｖ－7777"),
            ("A  1", "a  1"),
        ):
            connection.execute(
                sa.text(
                    "INSERT INTO invoices (organisation_id, number, number_key, buyer_name, buyer_email, amount, currency,"
                    " description, status, position) VALUES (1, :number, :key, 'Acme', '', 1, 'USD', '', 'Not Created', :key)"
                ),
                {"number": number, "key": key},
            )
    upgrade(old)
    db = Database(old.url.render_as_string(hide_password=False))
    assert folding.fold_all(db) == 3
    alike = db.run(twins.list_look_alikes, 9)
    folded = db.run(
        lambda s: [
            (row.number, row.identity)
            for row in s.execute(
                sa.select(Invoice.number, Invoice.identity)
                .where(Invoice.identity.is_not(None))
                .order_by(Invoice.id)
            )
        ]
    )
    db.close_now()
    assert [one.numbers for one in alike] == [("INV-1001", "INV\u20111001")]
    assert folded == [("INV\u20111001", "\ninv-1001\n12"), ("ＩＮＶ－7777", "inv-7777"), ("A  1", "a 1")]


def test_amounts_that_an_older_version_kept_with_two_decimals_read_right(old: sa.Engine) -> None:
    kept = {"LYD": 1050, "IQD": 1050, "CLF": 1050, "UYW": 1050, "UYI": 1000, "KWD": 1050, "ISK": 1000}
    with old.begin() as connection:
        add_amounts(connection, {currency: (currency, amount) for currency, amount in kept.items()})
        add_amounts(connection, {"UYI-2": ("UYI", 1050)})
        connection.execute(sa.text("UPDATE invoices SET currency = 'LYD' WHERE id = 3"))
    upgrade(old)
    with old.begin() as connection:
        # As after a version before that went on to write meanwhile.
        add_amounts(connection, {"LYD-2": ("LYD", 1050)})
    db = Database(old.url.render_as_string(hide_password=False))
    found = db.run(
        lambda session: {
            row.number: str(Money(row.amount, row.currency))
            for row in session.execute(
                sa.select(Invoice.number, Invoice.amount, Invoice.currency).where(Invoice.currency != "USD")
            )
        }
    )
    told = db.run(older_decimals.list_older_decimals)
    db.close_now()
    assert found == {
        **{"LYD": "LYD 10.500", "IQD": "IQD 10.500", "CLF": "CLF 10.5000", "UYW": "UYW 10.5000"},
        **{"UYI": "UYI 10", "KWD": "KWD 1.050", "ISK": "ISK 10", "UYI-2": "UYI 1,050", "LYD-2": "LYD 1.050"},
        # It has a link.
        "INV-1003": "LYD 120.050",
    }
    assert [(one.currency, one.invoices) for one in told] == [("LYD", 2), ("UYI", 1)]


def test_amounts_are_counted_anew_once(old: sa.Engine) -> None:
    with old.begin() as connection:
        add_amounts(connection, {"LYD": ("LYD", 1050)})
    upgrade(old)
    with old.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0017'"))
    upgrade(old)
    with old.connect() as connection:
        assert (
            connection.execute(sa.text("SELECT amount FROM invoices WHERE number = 'LYD'")).scalar() == 10_500
        )


def add_amounts(connection: sa.Connection, amounts: dict[str, tuple[str, int]]) -> None:
    """As a version before writes them."""
    for number, (currency, amount) in amounts.items():
        connection.execute(
            sa.text(
                "INSERT INTO invoices (organisation_id, number, number_key, buyer_name, buyer_email, amount, currency,"
                " description, status, position) VALUES (1, :number, :key, 'Acme', '', :amount, :currency, '',"
                " 'Not Created', :key)"
            ),
            {"number": number, "key": number.lower(), "amount": amount, "currency": currency},
        )
