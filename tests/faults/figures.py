"""What campaigns came to, as tables of docs/reliability.md."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from domain.messages import transactions
from tests.faults import auditing
from tests.faults.crash_points import POINTS, name_of
from tests.faults.plan import ANY_TIME, Report

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
ABLATIONS = {
    "fresh_keys": (
        "a fresh idempotency key for each attempt",
        f"{name_of(transactions.record_posted)}.after",
    ),
    "blind_posts": ("no look into the history before posting again", "slack.chat.postMessage.after"),
}
LONG_TESTS = {
    "test_long_outages.py": "Slack away for an hour, then refusals: not posted, or more than one a second in a channel",
    "test_many_payments.py": "three processes, 1,000 payments, webhook and poll together: doubled or not posted",
    "examples.py": "a stateful model, 500 examples of 50 steps: divergences",
    "test_bad_input.py": "10,000 damaged payloads over HTTP and Socket Mode: unhandled, or answered with 5xx",
}


@dataclass(frozen=True)
class Row:
    """One campaign in the figures' table."""

    database: str
    processes: int
    transport: str
    kills: int
    points: int
    suspensions: int
    troubles: int
    outages: int
    connections_cut: int
    servers_killed: int
    links: int
    payments: int
    exceptions: int
    announcements: int
    extra_links: int
    extra_messages: int
    faults: int
    seconds: int

    @classmethod
    def of(cls, database: str, report: Report) -> "Row":
        evidence = report.evidence
        return cls(
            database=DATABASES[database],
            processes=report.plan.processes,
            transport={"socket": "Socket Mode", "http": "HTTP"}[report.plan.transport],
            kills=report.killed,
            points=len(report.kills.keys() - {ANY_TIME}),
            suspensions=report.suspended,
            troubles=report.troubles,
            outages=report.outages,
            connections_cut=report.connections_cut,
            servers_killed=report.servers_killed,
            links=len(evidence.links),
            payments=len(evidence.sessions),
            exceptions=len(evidence.books.exceptions),
            announcements=sum(len(messages) for messages in evidence.channels.values()),
            extra_links=auditing.extra_links(evidence),
            extra_messages=auditing.extra_messages(evidence),
            faults=len(report.faults),
            seconds=round(report.seconds),
        )


def write_figures(
    page: Path,
    rows: Sequence[Row],
    ablated: Sequence[tuple[str, str, Row]],
    tests: Mapping[str, bool],
    points: Set[str],
) -> None:
    """Put the tables between the marks of the page."""
    text = page.read_text(encoding="utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n{_tables(rows, ablated, tests, points)}{END}{after}", encoding="utf-8")


def _tables(
    rows: Sequence[Row],
    ablated: Sequence[tuple[str, str, Row]],
    tests: Mapping[str, bool],
    points: Set[str],
) -> str:
    columns = {
        "database": "database",
        "processes": "processes",
        "transport": "Slack over",
        "kills": "kills",
        "points": "at named points, different",
        "suspensions": "suspended beyond the lease",
        "troubles": "requests failed on purpose",
        "outages": "outages",
        "connections_cut": "database connections cut",
        "servers_killed": "kills of the database's server",
        "links": "links",
        "payments": "completed sessions",
        "exceptions": "exceptions",
        "announcements": "announcements",
        "faults": "doubled, lost or wrong",
        "seconds": "seconds",
    }
    table = [[_cell(vars(row)[name]) for name in columns] for row in rows]
    lines = [_line(columns.values()), _line("---" for _ in columns), *map(_line, table)]
    missed = sorted(set(POINTS) - points)
    lines += ["", f"Processes died at {len(points)} of the {len(POINTS)} named points{_but(missed)}."]
    if ablated:
        lines += [
            "",
            _line(["database", "without its safeguard", "extra links", "extra messages"]),
            _line(["---"] * 4),
        ]
        lines += [
            _line(
                [DATABASES[database], ABLATIONS[safeguard][0], str(row.extra_links), str(row.extra_messages)]
            )
            for database, safeguard, row in ablated
        ]
    if tests:
        lines += ["", _line(["long test", "found"]), _line(["---"] * 2)]
        lines += [_line([LONG_TESTS[name], "none" if well else "some"]) for name, well in tests.items()]
    return "\n".join(lines) + "\n"


def _but(missed: Sequence[str]) -> str:
    return f"; not at {', '.join(f'`{point}`' for point in missed)}" if missed else ""


def _cell(value: int | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
