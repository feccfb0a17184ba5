"""Where the token may go for a file."""

import pytest

from handlers.bolt.files import _is_slacks

SLACK = "https://slack.com/api/"


@pytest.mark.parametrize(
    ("url", "base", "own"),
    [
        ("https://files.slack.com/files-pri/T1-F1/download/a.csv", SLACK, True),
        ("https://slack.com/files-pri/T1-F1/a.csv", SLACK, True),
        ("http://files.slack.com/files-pri/T1-F1/a.csv", SLACK, False),
        ("https://files.slack.com.evil.example/a.csv", SLACK, False),
        ("https://evilslack.com/a.csv", SLACK, False),
        ("https://slack.com@evil.example/a.csv", SLACK, False),
        ("https://files.slack.com:8443/a.csv", SLACK, False),
        ("", SLACK, False),
        ("http://127.0.0.1:8766/files-pri/T1-F1/a.csv", "http://127.0.0.1:8766/api/", True),
        ("http://127.0.0.1:9999/files-pri/T1-F1/a.csv", "http://127.0.0.1:8766/api/", False),
    ],
)
def test_the_token_goes_to_slacks_own_hosts_and_the_configured_one(url: str, base: str, own: bool) -> None:
    assert _is_slacks(url, base) is own
