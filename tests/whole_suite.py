"""For runs of the whole suite (`make test`, with -p tests.whole_suite): nothing is left out without a word.

The run fails when a test was skipped, or when none ran of those that need Chromium or a real PostgreSQL. Tests that
share a browser go to the same process. What one process has to do in one go comes first, so that none is left alone with it.
"""

from collections import Counter

import pytest

NEEDED = ("browser", "postgres")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("browser") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


class _Tally:
    """Counts what ran, from the reports that the workers send."""

    def __init__(self) -> None:
        self.ran: Counter[str] = Counter()
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped:
            self.skipped.append(report.nodeid)
        elif report.when == "call":
            self.ran.update(marker for marker in NEEDED if marker in report.keywords)

    @property
    def complaints(self) -> list[str]:
        none_ran = [f"No test with the marker {marker!r} ran." for marker in NEEDED if not self.ran[marker]]
        return none_ran + [f"Skipped, which isn't allowed here: {nodeid}" for nodeid in self.skipped]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.complaints and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("whole suite")
        for marker in NEEDED:
            terminalreporter.line(f"{self.ran[marker]} tests ran with the marker {marker!r}.")
        for complaint in self.complaints:
            terminalreporter.line(complaint, red=True)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Tally(), "whole-suite-tally")
