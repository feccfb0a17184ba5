"""PostgreSQL plans no query that is asked often through a whole table, and each through the index made for it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from domain.coordination import abandoned_claims
from domain.coordination.leases import Lease
from domain.database import make_engine
from domain.files import exporting, import_matching
from domain.files.import_fields import ImportedInvoice
from domain.invoices import invoices, list_page, number_search
from domain.invoices.numbers import finding
from domain.links import claiming
from domain.lists import selections
from domain.lists.selection_ids import new_id
from domain.messages import transactions
from domain.messages.due import list_due
from domain.models import Base, Ledger
from domain.overview import details, home
from domain.payments import events
from domain.scope import Scope
from domain.states import LinkStatus
from domain.summaries import Actor
from tests.conftest import created_database
from tests.domain.factories import NOW, PAGE, TEAM

pytestmark = pytest.mark.postgres

Question = Callable[[Session], object]
LEASE = Lease("me", timedelta(seconds=60), timedelta(seconds=60))
SCOPE = Scope(1, 1, livemode=False)
# Enough that going through one costs more than any index; the other tables stay small, or aren't asked.
BIG = {"invoices", "search_terms", "buyer_terms", "links", "outbox", "stripe_events"}
# Partial indexes hold only what is open, and may be read whole.
OPEN = {"ix_links_due", "ix_outbox_open", "ix_stripe_events_due"}
FILL = """
INSERT INTO organisations (id, team_id, name, add_on, channel) VALUES (1, '{team}', 'Test', true, 'C0');
INSERT INTO ledgers (id, account, livemode, current, used_at, events_watermark, swept_until)
    VALUES (1, 'acct_1', false, true, 0, 0, 0);
INSERT INTO invoices (id, organisation_id, number, number_key, buyer_name, buyer_email, amount, currency, due_date,
        description, status, position)
    SELECT n, 1, 'INV-' || n, 'inv-' || n, 'Acme ' || mod(n, {buyers}) || ' Corporation', '', 100, 'USD', '2026-11-30', '',
        CASE WHEN mod(n, 4) > 0 THEN 'Paid' ELSE 'Not Created' END, (mod(n, 4) > 0)::int || '|2026-11-30|inv-' || n
    FROM generate_series(10001, 30000) n;
INSERT INTO search_terms (organisation_id, term, invoice_id) SELECT 1, 'inv ' || id, id FROM invoices;
INSERT INTO buyer_terms (organisation_id, term, buyer_name) SELECT DISTINCT 1, lower(buyer_name), buyer_name FROM invoices;
INSERT INTO buyer_terms (organisation_id, term, buyer_name) SELECT DISTINCT 1, 'corporation', buyer_name FROM invoices;
INSERT INTO buyer_terms (organisation_id, term, buyer_name)
    SELECT DISTINCT 1, mod(id, {buyers}) || ' corporation', buyer_name FROM invoices;
INSERT INTO search_terms (organisation_id, term, invoice_id) SELECT 2, 'inv ' || n, n FROM generate_series(40001, 100000) n;
INSERT INTO buyer_terms (organisation_id, term, buyer_name) SELECT 2, 'acme ' || n, 'Acme ' || n FROM generate_series(1, 20000) n;
INSERT INTO links (organisation_id, invoice_id, ledger_id, state, status, amount, currency, reference, idempotency_key,
        request, api_version, reserved_at, attempts, next_attempt_at, look_first, stripe_id, url, created_at, changed_at,
        paid_at, refunded, disputed, exception)
    SELECT 1, id, 1, 'created', 'Paid', 100, 'USD', id, id, '{{}}', '', 0, 0, 0, false, id, 'https://x.test/' || id, 0, id, 0,
        false, false, false
    FROM invoices WHERE status = 'Paid';
INSERT INTO links (organisation_id, invoice_id, ledger_id, state, status, amount, currency, reference, idempotency_key,
        request, api_version, reserved_at, attempts, next_attempt_at, look_first, changed_at, refunded, disputed, exception)
    SELECT 1, id, 1, 'reserved', 'Not Created', 100, 'USD', id, id, '{{}}', '', 0, 0, 0, false, 0, false, false, false
    FROM invoices WHERE status <> 'Paid' ORDER BY id LIMIT 20;
INSERT INTO outbox (organisation_id, kind, subject, key, destination, enqueued_at, state, may_be_posted, attempts,
        next_attempt_at, posted_ts)
    SELECT 1, 'paid', n, n, '', 0, CASE WHEN n > 20 THEN 'posted' ELSE 'waiting' END, false, 0, 0,
        CASE WHEN n > 20 THEN '1.1' END
    FROM generate_series(1, 8000) n;
INSERT INTO stripe_events (ledger_id, id, type, object_id, created_at, attempts, next_attempt_at, settled_at)
    SELECT 1, 'evt_' || n, 'checkout.session.completed', 'cs_' || n, 0, 0, 0, CASE WHEN n > 20 THEN 0 END
    FROM generate_series(1, 8000) n;
"""


@pytest.fixture(scope="module")
def engine(postgresql_server: str) -> Iterator[sa.Engine]:
    yield from _filled(postgresql_server, buyers=500)


@pytest.fixture(scope="module")
def engine_with_few_buyers(postgresql_server: str) -> Iterator[sa.Engine]:
    """Each has so many invoices that anything known of none in particular is taken for very many."""
    yield from _filled(postgresql_server, buyers=6)


def _filled(server: str, *, buyers: int) -> Iterator[sa.Engine]:
    with created_database(server, "plans") as url:
        engine = make_engine(url)
        with engine.begin() as connection:
            Base.metadata.create_all(connection)
            for statement in FILL.format(team=TEAM, buyers=buyers).split(";\n"):
                if statement.strip():
                    connection.exec_driver_sql(statement)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
        yield engine
        engine.dispose()


def _plans(session: Session, ask: Question) -> list[dict[str, Any]]:
    """The plan of each statement that ``ask`` sends."""
    sent: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        sent.append((statement, parameters))

    bind = session.get_bind()
    sa.event.listen(bind, "before_cursor_execute", note)
    try:
        ask(session)
    finally:
        sa.event.remove(bind, "before_cursor_execute", note)
    connection = session.connection()
    return [
        connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()[0]["Plan"]
        for statement, parameters in sent
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "WITH"))
    ]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _read_whole(plans: list[dict[str, Any]]) -> list[str]:
    """Big tables that are gone through, and indexes that are."""
    found = []
    for plan in plans:
        for node in _nodes(plan):
            if node["Node Type"].endswith("Seq Scan") and node["Relation Name"] in BIG:
                found.append(node["Relation Name"])
            index = node.get("Index Name")
            if index and index not in OPEN and "Index Cond" not in node:
                found.append(index)
    return found


def _indexes(plans: list[dict[str, Any]]) -> set[str]:
    return {node["Index Name"] for plan in plans for node in _nodes(plan) if "Index Name" in node}


def _page(search: str, status: LinkStatus | None, after: str | None = None) -> Question:
    return lambda s: list_page.find_page(s, 1, search, status=status, after=after, limit=101)


def _exported(search: str) -> Question:
    return lambda s: exporting.export_page(s, 1, 1, filter=None, search=search, after="inv-2")


def _row(number: str) -> ImportedInvoice:
    return ImportedInvoice(1, number, number.lower(), "Acme", "", 1, "USD", None, None, "")


def _watch(session: Session) -> object:
    assert session.get_one(Ledger, 1).swept_until is not None
    return events.watch_from(session, 1)


def _rows(session: Session) -> object:
    return invoices.list_known(session, SCOPE, range(12_000, 12_030))


# Each question with the index that it needs, or either of two.
ANNA = Actor(TEAM, "U0ANNA")
QUESTIONS: dict[str, tuple[Question, str]] = {
    "the list": (_page("", None), "ix_invoices_position"),
    "the filtered list": (_page("", LinkStatus.PAID), "ix_invoices_status_position"),
    "its later page": (
        _page("", LinkStatus.NOT_CREATED, "0|2026-11-30|inv-2"),
        "ix_invoices_status_position",
    ),
    "the rows of a page": (_rows, "pk_invoices"),
    "their links": (_rows, "uq_links_invoice_id_ledger_id"),
    "a search for a number": (_page("inv 12345", None), "uq_invoices_organisation_id_number_key"),
    "a search for many numbers": (_page("inv-2", LinkStatus.PAID), "ix_invoices_status_position"),
    "a search for many numbers of any status": (_page("inv-2", None), "ix_invoices_position"),
    "a search for numbers of the version before": (
        _page("inv 2", LinkStatus.PAID),
        "ix_search_terms_invoice_id",
    ),
    "a search that finds nothing": (_page("nobody", LinkStatus.PAID), "pk_search_terms"),
    "a search that finds little": (_page("acme 250", None), "ix_invoices_buyer_name"),
    "a search that finds much of few buyers": (_page("acme 25", None), "ix_invoices_buyer_name"),
    "a search that finds many buyers": (_page("corporation", LinkStatus.PAID), "ix_buyer_terms_buyer_name"),
    "a search that is gathered": (_page("acme 2", None), "pk_buyer_terms"),
    "a page of an export": (_exported(""), "uq_invoices_organisation_id_number_key"),
    "a page of an export that is searched": (_exported("corporation"), "pk_buyer_terms"),
    "one invoice by number": (
        lambda s: invoices.find_by_number(s, SCOPE, "INV-12345"),
        "uq_invoices_organisation_id_number_key",
    ),
    "numbers that end so": (_page("2345", LinkStatus.PAID), "ix_invoices_closing"),
    "a link by its URL": (lambda s: finding.find_meant(s, SCOPE, "https://x.test/12345"), "ix_links_url"),
    "one invoice by id": (lambda s: invoices.get(s, SCOPE, 12_345), "pk_invoices"),
    "the details of a number": (
        lambda s: details.look_up(s, SCOPE, "INV-12345", NOW),
        "uq_invoices_organisation_id_number_key",
    ),
    "the modal of the list": (
        lambda s: selections.open_list(s, SCOPE, ANNA, new_id(ANNA), "", shape=PAGE, now=NOW),
        "ix_invoices_status_position",
    ),
    "type-ahead": (lambda s: invoices.find_options(s, SCOPE, "acme"), "ix_buyer_terms_buyer_name"),
    "the nearest numbers": (
        lambda s: invoices.find_nearest(s, SCOPE, "x"),
        "uq_invoices_organisation_id_number_key",
    ),
    "Home": (lambda s: home._lately_paid(s, SCOPE), "ix_links_status"),
    "claiming links": (lambda s: claiming.claim_due(s, 1, 16, LEASE), "ix_links_due"),
    "whose messages are due": (list_due, "ix_outbox_open"),
    "claiming messages": (lambda s: transactions.claim_due(s, 1, LEASE), "ix_outbox_open"),
    "claiming events": (
        lambda s: events.claim_due(s, 1, 16, LEASE),
        "ix_stripe_events_due or ix_stripe_events_settled_at",
    ),
    "who holds claims": (abandoned_claims.list_owners, "ix_links_due"),
    "ending claims": (lambda s: abandoned_claims.end_claims(s, {"me"}), "ix_links_due"),
    "whether a link is pending": (_watch, "ix_links_status"),
}


@pytest.fixture
def session(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """Whatever is done in it is undone. Searches walk where they find two hundred, and gather up to a thousand."""
    _lower_limits(monkeypatch)
    with Session(engine) as session:
        yield session


def _lower_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"FEW": 200, "KNOWN_BUYERS": 100, "MANY": 1_000, "SOON": 0}.items():
        monkeypatch.setattr(list_page, name, value)
    monkeypatch.setattr(number_search, "FEW", 200)


@pytest.mark.parametrize("name", QUESTIONS)
def test_nothing_big_is_read_whole(session: Session, name: str) -> None:
    ask, index = QUESTIONS[name]

    plans = _plans(session, ask)

    assert _read_whole(plans) == []
    assert _indexes(plans).intersection(index.split(" or "))


@pytest.mark.parametrize(
    ("search", "index"),
    [
        ("inv 12345", "uq_invoices_organisation_id_number_key"),
        ("nobody", "pk_buyer_terms"),
        ("acme 3", "ix_invoices_buyer_name"),
    ],
)
def test_a_search_among_few_buyers_reads_nothing_whole_and_sorts_nobody(
    engine_with_few_buyers: sa.Engine, monkeypatch: pytest.MonkeyPatch, search: str, index: str
) -> None:
    _lower_limits(monkeypatch)
    with Session(engine_with_few_buyers) as session:
        plans = _plans(session, _page(search, None))

    assert _read_whole(plans) == []
    assert index in _indexes(plans)
    sorting = [node for plan in plans for node in _nodes(plan) if node["Node Type"] == "Sort"]
    known = ("pk_invoices", "uq_invoices_organisation_id_number_key")
    assert all(any(one in str(node) for one in known) for node in sorting), (
        "only what is known by id or number"
    )


@pytest.mark.parametrize(
    ("name", "lost"),
    [("the list", "ix_invoices_position"), ("claiming links", "ix_links_due"), ("Home", "ix_links_status")],
)
def test_a_lost_index_would_be_seen(session: Session, name: str, lost: str) -> None:
    session.execute(sa.text(f"DROP INDEX {lost}"))

    assert _read_whole(_plans(session, QUESTIONS[name][0])) != []


def test_an_import_looks_its_numbers_up_in_a_table_that_has_no_statistics_yet(postgresql_server: str) -> None:
    """Else each chunk reads all that the organisation has, and an import takes time that grows with the square."""
    with created_database(postgresql_server, "plans") as url:
        engine = make_engine(url)
        with engine.begin() as connection:
            Base.metadata.create_all(connection)
            for statement in FILL.replace("30000", "99999").format(team=TEAM, buyers=500).split(";\n")[:3]:
                connection.exec_driver_sql(statement)
        with Session(engine) as session:
            rows = [_row(f"INV-{n}") for n in range(100_001, 101_001)]
            plans = _plans(session, lambda s: import_matching.find_known(s, 1, rows, lock=True))
        engine.dispose()

    assert _read_whole(plans) == []
    looked_up = [node for plan in plans for node in _nodes(plan) if "Index Name" in node]
    assert ["number_key" in node["Index Cond"] for node in looked_up] == [True, False]
